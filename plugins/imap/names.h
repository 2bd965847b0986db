/*
 * Mailbox names of one server and canonical paths: namespaces (RFC 2342), separators, modified
 * UTF-7. Pure.
 *
 * The prefix of the personal namespace is left out of paths: with "INBOX." and ".", the mailbox
 * "INBOX.a.b" is "a/b". INBOX is "INBOX" everywhere, and so is the first level of its children where
 * the prefix is empty. With a prefix, a name that consists of INBOX levels alone behind it,
 * "INBOX.INBOX", would become INBOX itself, so these keep one more level, "INBOX/INBOX"; the way
 * back drops it again.
 *
 * Further personal namespaces keep the names of their prefixes: with "Archive." as the second one,
 * "Archive.x" is "Archive/x", which leads back there. So does a mailbox in no namespace at all, for which
 * the listing has to remember the way back; so it has where "INBOX.Archive.x" would be called the same.
 */
#ifndef IMAP_NAMES_H
#define IMAP_NAMES_H

#include "response.h"

typedef struct {
  char *prefix; /* owned */
  size_t size;  /* of prefix */
  char separator;
} ImapNamespace;

typedef struct {
  char *prefix; /* owned; of the first personal namespace, as on the wire */
  size_t prefix_size;
  char separator;    /* of the personal namespace; '\0': none */
  bool known;        /* the server told a personal namespace */
  bool utf8;         /* names are UTF-8 on the wire (RFC 6855 §3, RFC 9051 §5.1) */
  GPtrArray *more;   /* owned ImapNamespaces: personal ones after the first */
  GPtrArray *others; /* the same: other users' and shared ones */
} ImapNames;

void imap_names_init(ImapNames *names);
void imap_names_free(ImapNames *names); /* what it holds */

/* Takes the answer to NAMESPACE, an array of ImapNamespaceEntry. */
void imap_names_set(ImapNames *names, const GArray *entries);

/* Where the server tells none: guesses from the names listed, C strings, that all but INBOX lie
 * below it, as "INBOX.". */
void imap_names_guess(ImapNames *names, char **wires, size_t n_wires, char separator);

/* Whether @wire is in a personal namespace, or at least in nobody else's. */
bool imap_names_is_personal(const ImapNames *names, const char *wire);

/* Returns the canonical path of a personal mailbox, to be freed. A name that is no modified UTF-7 is
 * taken as it is, with its 8-bit octets escaped where they are not UTF-8. */
char *imap_names_to_path(const ImapNames *names, const char *wire, char separator);

/* Returns the name that a mailbox of that path has, or would be given. */
char *imap_names_to_wire(const ImapNames *names, const char *path);

#endif /* IMAP_NAMES_H */
