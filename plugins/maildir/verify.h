/*
 * Verification: whether a file that was put on disk reads back as the message that was to be stored.
 */
#ifndef MAILDIR_VERIFY_H
#define MAILDIR_VERIFY_H

#include <stdint.h>

#include "store.h"

/* The SHA-256 of a message as it passed, CRLF and all. */
typedef struct {
  uint8_t octets[32];
} MaildirSum;

/* Computes it. */
bool maildir_verify_sum(const HaulMessage *message, MaildirSum *sum, GError **error);

/*
 * Reads the file back, from the disk and not from memory where the system lets us, as fetch() would
 * read it, and compares.
 *
 * @fd: open for reading, and synced: what is not on disk yet cannot be read from there. @base: its name.
 * Errors: HAUL_ERROR_MESSAGE "verify".
 */
bool maildir_verify_file(const HaulStore *store, int fd, const char *base, const MaildirSum *wanted,
                         GError **error);

#endif /* MAILDIR_VERIFY_H */
