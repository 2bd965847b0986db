/*
 * What a server says that it can do, in answer to CAPA (RFC 2449).
 */
#ifndef POP3_CAPABILITY_H
#define POP3_CAPABILITY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  POP3_CAN_TOP = 1 << 0,
  POP3_CAN_UIDL = 1 << 1,
  POP3_CAN_PIPELINING = 1 << 2,
  POP3_CAN_RESP_CODES = 1 << 3,
  POP3_CAN_AUTH_RESP_CODE = 1 << 4, /* RFC 3206 */
  POP3_CAN_USER = 1 << 5,           /* USER and PASS */
  POP3_CAN_UTF8 = 1 << 6,           /* RFC 6856 */
  POP3_CAN_UTF8_USER = 1 << 7,      /* names and passwords, too */
} Pop3Capability;

typedef struct {
  bool known;             /* the server has answered CAPA */
  uint32_t set;           /* Pop3Capability; before that, those that are worth trying */
  uint32_t mechanisms;    /* HaulSaslMechanism */
  uint32_t login_delay_s; /* between two logins, or 0 */
  bool is_cyrus;          /* as IMPLEMENTATION tells */
} Pop3Capabilities;

/* Sets what is to be thought of a server that has told nothing. */
void pop3_capabilities_forget(Pop3Capabilities *capabilities);

/* Begins to take what a server tells. */
void pop3_capabilities_begin(Pop3Capabilities *capabilities);

/* Takes a line of the answer; unknown ones are passed over. */
void pop3_capabilities_take(Pop3Capabilities *capabilities, const char *line, size_t size);

#endif /* POP3_CAPABILITY_H */
