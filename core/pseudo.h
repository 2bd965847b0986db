/* Messages that are none: where mailbox files keep what they know of themselves. */
#ifndef HAUL_CORE_PSEUDO_H
#define HAUL_CORE_PSEUDO_H

#include <stdbool.h>

#include <mailhaul/message.h>

/*
 * Whether @message is the one that UW's and Alpine's software puts first into a mailbox file: it has
 * a field X-IMAP or X-IMAPbase, and says in its subject what it is. An ordinary message may have one
 * of both, as the first of an mbox has.
 */
bool haul_message_is_pseudo(const HaulMessage *message);

#endif /* HAUL_CORE_PSEUDO_H */
