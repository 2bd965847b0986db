/*
 * Keywords as Courier keeps them, in the directory courierimapkeywords of a folder, for reading. Its
 * file `:list` has a line for each keyword, an empty one, and then for each message that has some
 *
 *     BASE:NUMBER NUMBER ...
 *
 * counted from 0. A file BASE, or .TIME.BASE, has what was set since, a keyword a line.
 */
#ifndef MAILDIR_COURIER_H
#define MAILDIR_COURIER_H

#include <stddef.h>

#include "beyond.h"

#define MAILDIR_COURIER_KEYWORDS "courierimapkeywords"

/* Notes in @beyond what such a list says; what is none is passed over. Pure. */
void maildir_courier_parse(MaildirBeyond *beyond, const char *text);

/* Notes in @beyond which keywords the messages of the folder @dir have. @where: the folder, for the log,
 * which is told of what cannot be read. */
void maildir_courier_load(MaildirBeyond *beyond, int dir, const char *where);

#endif /* MAILDIR_COURIER_H */
