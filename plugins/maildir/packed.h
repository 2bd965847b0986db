/*
 * Files that hold a message in compressed form, as Dovecot's mail-compress leaves them under the
 * same names as others. They are told by their first octets. Pure.
 */
#ifndef MAILDIR_PACKED_H
#define MAILDIR_PACKED_H

#include <stddef.h>
#include <stdint.h>

/* Returns how the file that begins with @octets is compressed, in words; NULL if it is not. */
const char *maildir_packed_how(const uint8_t *octets, size_t size);

#endif /* MAILDIR_PACKED_H */
