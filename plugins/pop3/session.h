/*
 * One connection to a POP3 server: commands go out, answers come in, in the same order. Several may be
 * under way where the server takes that (PIPELINING, RFC 2449 §6.6).
 *
 * How a session begins is login.h's. One that has failed stays so: every later call fails, and close()
 * just closes.
 */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include <mailhaul/account.h>
#include <mailhaul/error.h>
#include <mailhaul/stream.h>

#include "capability.h"
#include "wire.h"

typedef struct Pop3Session Pop3Session;

/* What a status line says. */
typedef struct {
  bool ok;
  Pop3Code code;
  const char *text; /* lent until the next call; raw octets, escape before showing */
  uint32_t wait_s;  /* that the code asks for, or 0 */
} Pop3Status;

struct Pop3Session {
  const HaulAccount *account; /* borrowed */
  HaulStream *stream;         /* owned */
  Pop3Capabilities can;       /* what the server has told, or not */
  unsigned n_under_way;       /* commands that are not answered  */
  unsigned n_unsent;          /* about how many of them may not have gone out yet */
  bool marks_messages;        /* as deleted, so that QUIT would be more than a farewell */
  bool shows_parts;           /* as its greeting tells: of its mail, in each session */
  bool dead;
  int64_t answer_by_us; /* for what is waited that may never come; 0: no such thing */
  GString *text;        /* owned; of the last status line */
  uint8_t *in;          /* owned; what has come */
  size_t in_start, in_end;
};

/*
 * Connects and logs in. The session is ready for transactions.
 *
 * Errors: HAUL_ERROR_ACCOUNT "login" where the server refused, "tls" where it will not encrypt;
 * HAUL_ERROR_BUSY; those of haul_stream_open().
 */
Pop3Session *pop3_session_open(const HaulAccount *account, GError **error);

/* Never waits for the server. What was marked as deleted stays; where nothing was, says QUIT. */
void pop3_session_close(Pop3Session *session);

/* Says QUIT and waits for its answer: only then deletions count (RFC 1939 §6). Nothing goes after it. */
bool pop3_session_quit(Pop3Session *session, GError **error);

/* Without CAPA the server may know TOP and UIDL: try. */
static inline bool
pop3_session_can(const Pop3Session *session, Pop3Capability capability)
{
  return (session->can.set & capability) == capability;
}

/* Returns how many commands may be under way; 1 without PIPELINING. */
unsigned pop3_session_window(const Pop3Session *session);

/* Sends a command, at the latest before something is read. CRLF is added. */
bool pop3_session_send(Pop3Session *session, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Reads the answer to the oldest command under way. False: the connection has failed. */
bool pop3_session_status(Pop3Session *session, Pop3Status *status, GError **error);

/* Reads a line of a listing, whose status was OK. *@line: without its line end, lent until the next
 * call, cut at POP3_LINE_KEPT octets; NULL at the end of the listing. */
bool pop3_session_line(Pop3Session *session, const char **line, size_t *size, GError **error);

/* Gets the octets of a message, a piece at a time. Returns false to have no more of it. */
typedef bool (*Pop3OctetsFunc)(const uint8_t *octets, size_t size, void *data);

/*
 * Reads a message, whose status was OK, to its end (CRLF.CRLF), whatever was announced.
 *
 * @take: gets it, or NULL: it is read past. @octets: how many it had, or NULL.
 */
bool pop3_session_body(Pop3Session *session, Pop3OctetsFunc take, void *data, uint64_t *octets,
                       GError **error);

/*
 * Returns the error that a refusal is: by its code and words HAUL_ERROR_BUSY or HAUL_ERROR_CONNECTION (then
 * the session is given up) or HAUL_ERROR_ACCOUNT, else @reach and @reason. Where @reach is
 * HAUL_ERROR_MESSAGE, the command was about one message (refusal.h).
 *
 * @what: put in front of the server's words.
 */
GError *pop3_session_refusal_as(Pop3Session *session, const Pop3Status *status, HaulError reach,
                                const char *reason, const char *what);

/* ---- for login.c and auth.c ---- */

Pop3Session *pop3_session_new(const HaulAccount *account, HaulStream *stream); /* taken */

/* Reads a status line, whether or not it answers a command. @kind: never POP3_STATUS_NONE. */
bool pop3_session_read_status(Pop3Session *session, Pop3StatusKind *kind, Pop3Status *status,
                              GError **error);

/* Sets by when what is waited for must have come: in so many seconds, where "timeout" is 120. */
void pop3_session_hurry(Pop3Session *session, unsigned seconds);

/* Sends a line that the log shows as @shown. @secret: its end, or NULL. No command begins with it if
 * @continues: it is part of the one under way. */
bool pop3_session_send_secret(Pop3Session *session, const char *shown, const char *before,
                              const char *secret, bool continues, GError **error);

/* Whether octets lie here that nobody has read. */
bool pop3_session_has_unread(const Pop3Session *session);

/* Whether what the server says can be the server's: false in clear text before STLS. */
bool pop3_session_is_trusted(const Pop3Session *session);

/* Sets HAUL_ERROR_CONNECTION "protocol" and gives the session up. Returns false. */
bool pop3_session_protocol_error(Pop3Session *session, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pop3Session, pop3_session_close)

#endif /* POP3_SESSION_H */
