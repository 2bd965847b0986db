/*
 * One open folder: descriptors of its directories, its keywords, and whether it changed. What lies
 * in it, scan.h tells.
 */
#ifndef MAILDIR_FOLDER_H
#define MAILDIR_FOLDER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "beyond.h"
#include "keywords.h"
#include "name.h"
#include "tree.h"

typedef struct {
  unsigned references;
  char *path;              /* owned; canonical */
  char *directory;         /* owned; below the root, "." for INBOX */
  char *where;             /* owned; absolute, for messages */
  const MaildirTree *tree; /* borrowed */
  int fd, cur, new, tmp;   /* -1 where there is none: an empty one of a source, or a dry run */
  bool writable;
  MaildirKeywords keywords;
  MaildirBeyond *beyond;   /* owned; further ones; NULL until they are needed, or listed */
  bool keywords_unsettled; /* the file was written, and is not yet on disk */
  GHashTable *refused;     /* owned; keywords that found no letter and were told of; or NULL */
} MaildirFolder;

/* Opens the folder @path, for HAUL_WRITE making cur, new and tmp where they are missing. Errors:
 * HAUL_ERROR_FOLDER "no-folder" where there is none, "select" where it cannot be read. */
MaildirFolder *
maildir_folder_open(MaildirTree *tree, const char *path, HaulIntent intent, GError **error);
MaildirFolder *maildir_folder_ref(MaildirFolder *folder);
void maildir_folder_unref(MaildirFolder *folder);

/* Returns what tells a change of the directories, as far as their times do; to be freed. */
char *maildir_folder_stamp(const MaildirFolder *folder);

/* Whether an entry of the directory @part is a message. One that is no regular file is none; @tell: whether
 * to say so in the log, once. */
bool maildir_folder_is_message(const MaildirFolder *folder, int part, const struct dirent *entry,
                               bool tell);

/* Counts messages, and their octets with CRLF where all names tell (else HAUL_UNKNOWN). Returns a token of
 * their names and flags, to be freed. */
char *maildir_folder_count(const MaildirFolder *folder, uint64_t *n_messages, uint64_t *n_octets,
                           GError **error);

/* What the name of a message tells, and the keywords beyond it. */
MaildirFlags maildir_folder_flags(const MaildirFolder *folder, const char *name);

/* Reads the keywords of the folder anew. */
bool maildir_folder_load_keywords(MaildirFolder *folder, GError **error);

/* Room for every keyword of a message. */
typedef struct {
  const char *names[MAILDIR_N_KEYWORDS + MAILDIR_N_BEYOND + 2];
} MaildirKeywordList;

/* Returns the names of the keywords in @flags, NULL-terminated in @list; NULL for none. */
const char *const *maildir_folder_keywords(const MaildirFolder *folder, const MaildirFlags *flags,
                                           MaildirKeywordList *list);

/* Adds @names to @flags, with a letter of its own for each: a new one if need be, and none where all are
 * taken. One that is no name is left out, with a line in the log. */
bool maildir_folder_add_keywords(MaildirFolder *folder, const char *const *names,
                                 MaildirFlags *flags, GError **error);

/* Takes @names out of @flags. */
void maildir_folder_remove_keywords(const MaildirFolder *folder, const char *const *names,
                                    MaildirFlags *flags);

/* Notes the keywords beyond letters that the message @base gets. */
void
maildir_folder_keep_keywords(MaildirFolder *folder, const char *base, const MaildirFlags *flags);

/* Writes what was noted so, and puts all keywords on disk, before the messages that have them. */
bool maildir_folder_settle_keywords(MaildirFolder *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MaildirFolder, maildir_folder_unref)

#endif /* MAILDIR_FOLDER_H */
