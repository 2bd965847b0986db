/*
 * Snapshots: the tree as a run left it, kept below the root under the date. Messages in it are hard
 * links, so that one costs a name for each message and nothing for its octets. It is a Maildir of the
 * same layout, to be read and restored like any other.
 */
#ifndef MAILDIR_SNAPSHOT_H
#define MAILDIR_SNAPSHOT_H

#include "tree.h"

/* Where they lie; no folder of mail, whatever is in it. */
#define MAILDIR_SNAPSHOTS "snapshots"

/* Whether the entry @name of a root is that place. One that is a folder itself is others' mail: where we
 * name folders, none is called so. */
bool maildir_snapshot_is_place(int root, const char *name);

/*
 * Makes one of the tree as it is now, and then, if @keep is not 0, removes the oldest until @keep are
 * left. What was cut short before is removed. All or nothing: one that cannot be completed is not there.
 * Errors: HAUL_ERROR_ACCOUNT "maildir" or "disk-full".
 */
bool maildir_snapshot_make(MaildirTree *tree, uint64_t keep, GError **error);

#endif /* MAILDIR_SNAPSHOT_H */
