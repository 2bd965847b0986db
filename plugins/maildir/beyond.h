/*
 * Keywords beyond those that file names can tell, of which a folder has 26: the file
 * `mailhaul-keywords` says which further ones a message has. A line is
 *
 *     BASE TAB NAME BLANK NAME ... LF
 *
 * and the last one of a base counts, so that changes are appended; without names it has none (any
 * more). Dovecot does not know the file, and leaves it alone.
 */
#ifndef MAILDIR_BEYOND_H
#define MAILDIR_BEYOND_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "tree.h"

#define MAILDIR_BEYOND_FILE "mailhaul-keywords"
/* Of one message. */
#define MAILDIR_N_BEYOND 230

typedef struct MaildirBeyond MaildirBeyond;

/* A set of names: NULL-terminated, without one twice (in any case of letters), lent for the life of
 * the MaildirBeyond; NULL for none. Equal sets that were made in the same order are one pointer. */
typedef const char *const *MaildirNames;

MaildirBeyond *maildir_beyond_new(void);
void maildir_beyond_free(MaildirBeyond *beyond);

/* Replaces what is known by what @text says; lines that are none are passed over. Pure. */
void maildir_beyond_parse(MaildirBeyond *beyond, const char *text, size_t size);
/* Returns the text of a file that says what is known, to be freed. Pure. */
GString *maildir_beyond_print(const MaildirBeyond *beyond);

/* What the message @base, of @size octets, has. */
MaildirNames maildir_beyond_find(const MaildirBeyond *beyond, const char *base, size_t size);

/* Returns @set with @name, which maildir_keywords_is_name(); @set itself if it is full. */
MaildirNames maildir_beyond_with(MaildirBeyond *beyond, MaildirNames set, const char *name);
MaildirNames maildir_beyond_without(MaildirBeyond *beyond, MaildirNames set, const char *name);

/* Notes what a message has; to be written. False if its base is none that the file can hold. */
bool maildir_beyond_put(MaildirBeyond *beyond, const char *base, size_t size, MaildirNames set);

/* Reads the file of the folder @dir, unless something waits to be written. */
bool maildir_beyond_load(MaildirBeyond *beyond, int dir, GError **error);

/* Writes what waits, under the lock of the tree, and puts it on disk if @tree wants that. */
bool maildir_beyond_write(MaildirBeyond *beyond, const MaildirTree *tree, int dir, int tmp,
                          GError **error);

#endif /* MAILDIR_BEYOND_H */
