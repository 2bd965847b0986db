/*
 * What the stores of one tree leave to the end of a run, which one of them is told of, maybe when all the
 * others are closed: folders whose next UID is to be raised to the source's (numbering.h).
 */
#ifndef MAILDIR_EPILOGUE_H
#define MAILDIR_EPILOGUE_H

#include <mailhaul/plugin.h>

#include "numbering.h"
#include "tree.h"

typedef struct MaildirEpilogue MaildirEpilogue;

/* Returns what the stores of the tree at @root, its real path, share. What was noted and not performed
 * outlives them. From any thread. */
MaildirEpilogue *maildir_epilogue_join(const char *root);
void maildir_epilogue_leave(MaildirEpilogue *epilogue);

/* Notes whether the folder @path lags behind its source. The last word counts. */
void maildir_epilogue_note(MaildirEpilogue *epilogue, const char *path,
                           const MaildirNumbering *numbering);

/* Does what was noted, and forgets it. A folder in which it cannot be done stays as it is, with a warning, and
 * noted.
 * Errors: those that reach beyond a folder. */
bool maildir_epilogue_perform(MaildirEpilogue *epilogue, MaildirTree *tree,
                              const HaulAccount *account, GError **error);

#endif /* MAILDIR_EPILOGUE_H */
