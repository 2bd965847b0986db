/*
 * The file dovecot-keywords of a folder: which keyword each letter a to z of its file names means.
 * A line is "NUMBER NAME"; number 0 is 'a'. Names compare without regard to ASCII case.
 */
#ifndef MAILDIR_KEYWORDS_H
#define MAILDIR_KEYWORDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tree.h"

#define MAILDIR_N_KEYWORDS 26
#define MAILDIR_PASSED "$Forwarded" /* what the letter P means (RFC 5788) */

typedef struct {
  char *names[MAILDIR_N_KEYWORDS]; /* owned; NULL where a letter is free */
} MaildirKeywords;

void maildir_keywords_clear(MaildirKeywords *keywords);

/* Replaces @keywords by what @text says; what cannot be read is passed over. Pure. */
void maildir_keywords_parse(MaildirKeywords *keywords, const char *text);
/* Returns the text of such a file, to be freed. Pure. */
char *maildir_keywords_print(const MaildirKeywords *keywords);

/* Returns the letter of @name, 0 for 'a'; -1 if it has none. */
int maildir_keywords_find(const MaildirKeywords *keywords, const char *name);

/* Whether every letter means something. */
bool maildir_keywords_is_full(const MaildirKeywords *keywords);

/* Whether the file can hold such a name: a line, without blanks or control octets. */
bool maildir_keywords_is_name(const char *name);

/* Reads the file of the folder @dir. */
bool maildir_keywords_load(MaildirKeywords *keywords, int dir, GError **error);

/*
 * Returns the letter of @name, giving it a free one and writing the file if it has none. Others may
 * have done so before: the file is read again first, under the lock of the tree. The caller holds
 * Dovecot's (dotlock.h).
 *
 * Returns -1 where all letters are taken, without @error, or on an error.
 */
int maildir_keywords_assign(MaildirKeywords *keywords, const MaildirTree *tree, int dir, int tmp,
                            const char *name, GError **error);

/* Puts what was assigned on disk: before the messages that bear its letters. */
bool maildir_keywords_settle(int dir, GError **error);

#endif /* MAILDIR_KEYWORDS_H */
