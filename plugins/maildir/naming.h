/*
 * Names of folders: how canonical paths and names on disk become each other. Pure.
 *
 * A name on disk is in modified UTF-7, its levels joined by a separator. What it cannot hold is escaped
 * as %XX, in a way that can be undone (<mailhaul/text.h>): a separator in a level, and, where a level is
 * a directory by itself, what such a directory must not be called: ".a", "cur", "subscriptions".
 */
#ifndef MAILDIR_NAMING_H
#define MAILDIR_NAMING_H

#include <stdbool.h>

typedef struct {
  char separator; /* between levels: '/' where each is a directory in the one above */
  bool is_bare;   /* whether a directory has just this name, with nothing in front of it */
} MaildirNaming;

/* Returns the canonical path of a name, to be freed. Every name has one, also the malformed: what is no
 * modified UTF-7 is taken for UTF-8, or else escaped. */
char *maildir_naming_path(MaildirNaming naming, const char *name);

/* Returns the name of a folder, to be freed. NULL where none leads back to just this path. */
char *maildir_naming_name(MaildirNaming naming, const char *path);

#endif /* MAILDIR_NAMING_H */
