/*
 * What the programs that keep mail in mailbox files note in a message's header, and some POP3 servers
 * send along: whether it was read, answered, flagged. POP3 itself has no flags. Pure.
 */
#ifndef POP3_STATUS_H
#define POP3_STATUS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the HaulFlags that the Status and X-Status fields of @header, @size octets, tell: R (read), A
 * (answered), F (flagged), T (draft). D (to be deleted) is left out: nobody wants a copy to vanish.
 */
uint32_t pop3_status_flags(const uint8_t *header, size_t size);

#endif /* POP3_STATUS_H */
