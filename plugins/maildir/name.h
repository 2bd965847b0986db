/*
 * File names of messages: what they say, and how they sort. Pure.
 *
 * A name is BASE or BASE:2,LETTERS; where a file system takes no ':', others write ';' or '!'. The base
 * names the message as long as it lives, the letters are its flags. A base begins with the second of delivery and may carry fields: ",S=" octets on disk,
 * ",W=" octets with CRLF line ends (Maildir++ and Dovecot), and ",V=1", ours: the octets are to be
 * read as they are (lines.h).
 */
#ifndef MAILDIR_NAME_H
#define MAILDIR_NAME_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest name that is built here; every file system holds 255. */
#define MAILDIR_NAME_LIMIT 255

/* Flags as letters tell them. */
typedef struct {
  uint32_t flags;            /* HaulFlags */
  uint32_t letters;          /* bit 0 is 'a', bit 25 is 'z': keywords, named by dovecot-keywords */
  bool passed;               /* 'P': resent, forwarded or bounced; known elsewhere as $Forwarded */
  const char *const *beyond; /* keywords without a letter: a set of beyond.h. No name tells them */
} MaildirFlags;

/* Returns the length of the base: up to the first ':', or, without one, up to a ";2," or "!2," behind which
 * there are letters alone. */
size_t maildir_name_base(const char *name);

/* Reads the field ",@letter=NUMBER" of the first @base_size octets of @name. */
bool maildir_name_field(const char *name, size_t base_size, char letter, uint64_t *value);

/* Returns the second of delivery that @name begins with; 0 if none. */
uint64_t maildir_name_seconds(const char *name);

MaildirFlags maildir_name_flags(const char *name);

/* Returns @name with its letters replaced, to be freed. Letters that we do not know stay. */
char *maildir_name_with_flags(const char *name, const MaildirFlags *flags);

/*
 * Compares two ids in order of delivery: by the leading number, then runs of digits by their value
 * and the rest by octets. A total order; 0 only for equal octets.
 */
int maildir_name_compare(const char *a, size_t a_size, const char *b, size_t b_size);

/*
 * Builds the base of a new message, to be freed.
 *
 * @time_us: of delivery, microseconds since 1970; no two deliveries of a process share it.
 * @host: as maildir_name_host() gives it.
 */
char *maildir_name_new(uint64_t time_us, unsigned pid, const char *host, uint64_t disk_size,
                       uint64_t wire_size, bool verbatim);

/* Returns @host fit for a name, to be freed: what has a meaning there becomes \ooo; at most 64. */
char *maildir_name_host(const char *host);

#endif /* MAILDIR_NAME_H */
