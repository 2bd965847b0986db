/*
 * What a message is like, whatever a server or another tool did to its header: for what keys do not find.
 * Received fields put on top or dropped, a Message-Id given anew, fields added, line ends exchanged: the
 * date that it was written, its subject, its sender, those it is for and its text stay.
 */
#ifndef HAUL_CORE_LIKENESS_H
#define HAUL_CORE_LIKENESS_H

#include <stdbool.h>

#include <mailhaul/message.h>

#include "digest.h"
#include "plan.h"

/* The header fields that it reads: NULL-terminated. */
const char *const *haul_likeness_fields(void);

/*
 * The likeness of an item, listed with these fields: the messages that may be the same one have equal ones. By
 * the Date field, or the subject where there is none; @by_id: and by the Message-Id, where there is one.
 * All zero: nothing is like it.
 */
void haul_likeness_of_item(HaulDigest *digest, const HaulItem *item, bool by_id, HaulKey *likeness);

/*
 * The traits of a message: HAUL_TRAITS_TEXT octets of its subject, its sender, its receivers and its text, and the
 * rest of the oldest Received, all zero if there is none: fields are put on top. Of those that are alike, equal traits
 * show that they are the same; a mailing list's copy came another way. False if the spool cannot be read.
 */
bool haul_traits_of_message(HaulDigest *digest, const HaulMessage *message, HaulKey *traits);

#endif /* HAUL_CORE_LIKENESS_H */
