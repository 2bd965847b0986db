/*
 * Leavings: what deliveries of ours left in tmp when they were killed.
 *
 * Who writes to a tree holds a shared lock of INBOX's tmp as long as its store is open. Whoever finds
 * himself alone there knows that what lies in any tmp from before is nobody's any more. Where that cannot
 * be known, because the file system has no locks or others are at work, it lies for 36 hours, as Maildir
 * has it. Files of other programs are never touched.
 */
#ifndef MAILDIR_LEAVINGS_H
#define MAILDIR_LEAVINGS_H

#include "root.h"

/* Shows the others that this store writes, and finds out whether it is alone. */
void maildir_leavings_guard(MaildirTree *tree);

/* Removes from the folder @tmp what was left there. */
void maildir_leavings_clear(const MaildirTree *tree, int tmp);

#endif /* MAILDIR_LEAVINGS_H */
