/*
 * The file dovecot-uidlist of a folder on disk: read a line at a time, so that one of a million lines
 * costs four octets each; appended to, or written anew where that is not enough. Every call but init(),
 * clear(), peek() and each() wants the lock (dotlock.h) to be held.
 */
#ifndef MAILDIR_LISTFILE_H
#define MAILDIR_LISTFILE_H

#include <sys/stat.h>

#include "folder.h"
#include "uidlist.h"

typedef enum {
  MAILDIR_LISTFILE_ABSENT,
  MAILDIR_LISTFILE_THERE,
  MAILDIR_LISTFILE_BROKEN, /* Dovecot would drop it */
} MaildirListfileState;

typedef struct {
  MaildirListfileState state;
  MaildirUidlist list; /* owned; what it says, unless it is broken */
  bool is_known;       /* whether it was read or written, and was then: */
  struct stat status;
  bool is_cut; /* the last line has no end, and does not count */
} MaildirListfile;

void maildir_listfile_init(MaildirListfile *file);
void maildir_listfile_clear(MaildirListfile *file);

/* Reads the file in @dir, unless it is as it was. One that is damaged is no error. */
bool maildir_listfile_read(MaildirListfile *file, int dir, GError **error);

/* Reads no more than the first line of the file in @dir. Returns whether there is a list; it wants no lock. */
bool maildir_listfile_peek(int dir, uint32_t *validity, uint32_t *next);

/* Returns base name -> UID of the entries with these UIDs, which ascend; to be freed. */
GHashTable *maildir_listfile_bases(const MaildirListfile *file, int dir, const uint32_t *uids,
                                   size_t n_uids, GError **error);

/* Calls @each with every entry of the list in @dir. Returns whether there is one, and it is not damaged. It
 * wants no lock: who writes appends whole lines, or replaces the file. */
typedef void (*MaildirListfileFunc)(const MaildirUidline *line, void *data);
bool maildir_listfile_each(int dir, MaildirListfileFunc each, void *data);

typedef struct {
  MaildirPlace place;
  const char *base, *uidl; /* borrowed; uidl: or NULL */
} MaildirListentry;

/* Adds entries, in the order of their UIDs, and puts them on disk if that is wanted of the tree. The list
 * has this UIDVALIDITY then. */
bool maildir_listfile_add(MaildirListfile *file, const MaildirFolder *folder, uint32_t validity,
                          const MaildirListentry *entries, size_t n_entries, GError **error);

/* Writes the list anew, as it is but for UIDVALIDITY and the next UID. */
bool maildir_listfile_rewrite(MaildirListfile *file, const MaildirFolder *folder, uint32_t validity,
                              uint32_t next, GError **error);

#endif /* MAILDIR_LISTFILE_H */
