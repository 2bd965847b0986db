/*
 * The order of a folder that is read: that of its UIDs, where there is a list of them, and behind those
 * the others by name. So a restore brings messages into the order in which they were at the source,
 * whenever each was delivered here.
 */
#ifndef MAILDIR_ORDER_H
#define MAILDIR_ORDER_H

#include "scan.h"

/* Puts the entries of @scan, which stand in the order of their names, in that order. A list that is damaged
 * does not count. */
void maildir_order_by_uid(MaildirScan *scan, const MaildirFolder *folder);

#endif /* MAILDIR_ORDER_H */
