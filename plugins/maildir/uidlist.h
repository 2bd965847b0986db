/*
 * The file dovecot-uidlist: which UID the message of each base name has, and which UIDL it had. Here is
 * its text, line by line, and who gets which UID. Pure; the file itself is numbering.h's affair.
 *
 *     3 V1700000000 N18 G7c1fd5...         version, UIDVALIDITY, the next UID, the folder's GUID
 *     7 Pwhqtswo00WBw418f9t5JxYwZ :1700000000.M1P2.host,S=12,W=13
 *     9 :1700000001.M1P2.host,S=12,W=13
 *
 * UIDs ascend. Between UID and name stand fields, each a letter and a value without blanks: P is the
 * UIDL; others are Dovecot's affair and are kept as they are. It appends lines without raising N, so the
 * next UID is N or what follows the last one. Version 1 is "1 UIDVALIDITY NEXT" and "UID NAME", as
 * Courier's courierimapuiddb; names may bear flags there.
 * Source: Dovecot, src/lib-storage/index/maildir/maildir-uidlist.c.
 */
#ifndef MAILDIR_UIDLIST_H
#define MAILDIR_UIDLIST_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest line, as Dovecot reads them. */
#define MAILDIR_UIDLIST_LINE 4096
/* As many as a folder may hold messages: 64 MiB of numbers. */
#define MAILDIR_UIDLIST_ENTRIES 16777216u

typedef struct {
  unsigned version; /* 0 until the head was read */
  uint32_t validity;
  uint32_t next; /* N or what follows the last UID, whichever is more */
  char *head;    /* owned; the rest of the first line, as it is */
  GArray *uids;  /* owned; of uint32_t, ascending */
} MaildirUidlist;

void maildir_uidlist_init(MaildirUidlist *list);
void maildir_uidlist_clear(MaildirUidlist *list);

/* What a line of an entry says; borrowed from it. */
typedef struct {
  uint32_t uid;
  const char *fields; /* may be empty; without the blanks around */
  size_t fields_size;
  const char *base;
  size_t base_size;
} MaildirUidline;

/* Reads a line, without its end, of a list of that version. False for one that makes Dovecot drop the
 * file. */
bool
maildir_uidlist_parse_line(unsigned version, const char *line, size_t size, MaildirUidline *parsed);

/* Takes the next line of the file into the list, the first being its head. False as above, and where
 * there are too many. */
bool maildir_uidlist_feed(MaildirUidlist *list, const char *line, size_t size);

/* Appends the first line of a list of version 3: of this one, or a new one where it is empty.
 * @guid: 32 hexadecimal digits, for one that has none. */
void maildir_uidlist_print_head(const MaildirUidlist *list, uint32_t validity, uint32_t next,
                                const char *guid, GString *out);

/* Appends a line. @uidl: or NULL. */
void maildir_uidlist_print_line(uint32_t uid, const char *uidl, const char *base, GString *out);
/* The same of a line that was read. */
void maildir_uidlist_print_parsed(const MaildirUidline *line, GString *out);

/* Whether a field can hold it: neither empty nor with blanks (RFC 1939 §7), which Dovecot cannot quote;
 * 255 octets at most. */
bool maildir_uidlist_holds_uidl(const char *uidl);

/* Reads a UID, UIDVALIDITY or UIDNEXT: digits only, 1 to 2^32 - 1. */
bool maildir_uidlist_parse_number(const char *text, uint32_t *number);

bool maildir_uidlist_has(const MaildirUidlist *list, uint32_t uid);

/* Where a message that is delivered comes to stand. */
typedef enum {
  MAILDIR_PLACE_BEHIND, /* behind all that are listed         */
  MAILDIR_PLACE_AMONG,  /* between two of them                */
  MAILDIR_PLACE_OF,     /* in place of the one with that UID  */
} MaildirPlaceKind;

typedef struct {
  uint32_t wanted; /* its UID at the source; 0: it has none */
  uint32_t uid;    /* the one that it gets */
  MaildirPlaceKind kind;
} MaildirPlace;

/*
 * Gives each of @places a UID: the one wanted where nobody can have seen it name another message or
 * nothing, else one that was never given, here or at the source.
 *
 * @lost: UIDs that are listed and whose messages were never delivered, or are gone: they may be had.
 * @source_next: the source's UIDNEXT; 0 if unknown.
 * @indexed: whether a Dovecot has looked at the folder: what is below the next UID and was not listed
 *           is gone for ever to it.
 * Returns false where the numbers have run out; then nothing is changed.
 */
bool
maildir_uidlist_place(const MaildirUidlist *list, const uint32_t *lost, size_t n_lost,
                      uint32_t source_next, bool indexed, MaildirPlace *places, size_t n_places);

#endif /* MAILDIR_UIDLIST_H */
