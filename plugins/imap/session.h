/*
 * One connection to an IMAP server: responses are read here, and handed to the command that they
 * belong to. Commands are pipelined; a tagged answer finds its command by tag, for servers may
 * answer out of order, and data go to the oldest command under way.
 *
 * How a session begins is login.h's. A session that has failed stays so: every later call fails,
 * and close() just closes.
 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include <mailhaul/account.h>
#include <mailhaul/error.h>
#include <mailhaul/stream.h>

#include "refusal.h"
#include "response.h"
#include "throttle.h"
#include "wire.h"

typedef struct ImapSession ImapSession;
typedef struct ImapCommand ImapCommand;

/* What became of a command, for those who wait for it. */
typedef struct {
  bool finished;
  ImapCondition condition;
  char *code; /* owned; NULL if none came */
  char *text; /* owned; the server's words; NULL if it was content */
} ImapReply;
void imap_reply_clear(ImapReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImapReply, imap_reply_clear)

/* Gets data and untagged status that came while @command was the oldest under way. */
typedef bool (*ImapDataFunc)(ImapSession *session, ImapCommand *command,
                             const ImapResponse *response, GError **error);
/* Gets the tagged answer; @command is gone afterwards. */
typedef bool (*ImapDoneFunc)(ImapSession *session, ImapCommand *command,
                             const ImapResponse *response, GError **error);

struct ImapCommand {
  const char *name;  /* for messages; static          */
  ImapDataFunc data; /* NULL: data are passed over    */
  ImapDoneFunc done; /* NULL: none                    */
  ImapReply *reply;  /* borrowed, filled before done() is called; NULL: none */
  void *context;     /* borrowed                      */
  bool streams;      /* bodies are left in the stream for data() to read     */
  bool literal_plus; /* one was sent without waiting  */
  unsigned tag;      /* the session's                 */
};

struct ImapSession {
  const HaulAccount *account; /* borrowed */
  HaulStream *stream;         /* owned */
  uint64_t capabilities;      /* capability.h; extensions.c keeps it, and the next four */
  uint64_t offered;           /* as the server said */
  uint64_t ignored;           /* those that the user told us to ignore */
  uint64_t dropped;           /* those that do not work in this session */
  uint64_t enabled;           /* those that ENABLE turned on */
  bool utf8;                  /* names are UTF-8 on the wire, not modified UTF-7 */
  uint32_t mechanisms;        /* HaulSaslMechanism: AUTH= */
  bool capabilities_known;
  bool is_cyrus;               /* as its greeting or its capabilities tell */
  bool logged_in;              /* a NO may mean from now on that we are no longer */
  uint64_t append_limit;       /* APPENDLIMIT=, or HAUL_UNKNOWN */
  GQueue commands;             /* owned ImapCommands under way, oldest first */
  unsigned n_tags;             /* given so far */
  GByteArray *head, *tail;     /* owned: a response with literals; what follows its body */
  uint64_t body_left;          /* octets of a body still in the stream */
  uint64_t unanswered;         /* octets read since the last tagged answer, bodies aside */
  unsigned n_alerts;           /* that the server has told people */
  bool in_body;                /* between head and tail */
  bool literal_proven;         /* a literal was taken without being waited for */
  bool literal_refused;        /* such a command was not understood, and none was before */
  const ImapCommand *awaiting; /* borrowed: waits for "+" */
  bool go_ahead;               /* it came */
  ImapSpan challenge;          /* what followed it; lent until something is read */
  char *selected;              /* owned: what the commands sent so far leave selected, or NULL */
  bool selected_for_writing;
  ImapThrottle throttle;
  int64_t sent_us;  /* when it was sent last what may be sent so often only: see throttle.h */
  GError *plea;     /* owned; the last answer's, if it asked for patience */
  bool mid_command; /* what we write next would be part of a command */
  bool dead;
};

static inline bool
imap_session_can(const ImapSession *session, uint64_t capability)
{
  return (session->capabilities & capability) == capability;
}

ImapSession *imap_session_new(const HaulAccount *account, HaulStream *stream); /* taken */
void imap_session_close(ImapSession *session); /* says LOGOUT without waiting */

/* Reads the greeting into @response, valid until the next call. */
bool imap_session_greeting(ImapSession *session, ImapResponse *response, GError **error);

/* Whether what the server says can be the server's: false in clear text before STARTTLS. */
bool imap_session_is_trusted(const ImapSession *session);

/* Begins a command, a copy of @model: writes its tag and a blank. Returns it, borrowed until its
 * answer has come. The rest is for imap_session_write(). */
const ImapCommand *
imap_session_begin(ImapSession *session, const ImapCommand *model, GError **error);

/* Sends a command that is one line without literals. */
bool imap_session_send(ImapSession *session, const ImapCommand *model, GError **error,
                       const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Writes octets of a command under way. */
bool imap_session_write(ImapSession *session, const void *octets, size_t size, GError **error);

/*
 * Begins a command that names a mailbox: writes its tag, @before, and the name as a quoted string
 * or, where it must be one, a literal.
 *
 * @tag: gets its tag; 0 if the server answered it in the middle, and no more of it may be sent.
 */
bool imap_session_begin_named(ImapSession *session, const ImapCommand *model, const char *before,
                              const char *name, size_t size, unsigned *tag, GError **error);

/* Writes another name of the command @tag, likewise. @go_ahead: gets false if the server answered. */
bool imap_session_write_name(ImapSession *session, unsigned tag, const char *name, size_t size,
                             bool *go_ahead, GError **error);

/* The same, and ends it with @after. */
bool imap_session_send_named(ImapSession *session, const ImapCommand *model, const char *before,
                             const char *name, size_t size, const char *after, GError **error);

/* Waits for "+", or for the answer to the command @tag, which cannot go on without it: then
 * @go_ahead gets false. */
bool imap_session_await(ImapSession *session, unsigned tag, bool *go_ahead, GError **error);

/*
 * Announces a literal of @octets and, where the server must agree first, waits until it does
 * (RFC 9051 §4.3, RFC 7888).
 *
 * @tag: of the command that it is part of. @go_ahead: gets false if the server answered that command
 * instead; its done() has been called then, and nothing more of it may be sent.
 */
bool imap_session_literal(ImapSession *session, unsigned tag, uint64_t octets, bool *go_ahead,
                          GError **error);

/* Handles one response. */
bool imap_session_step(ImapSession *session, GError **error);

/* Handles responses until @reply is finished. */
bool imap_session_wait(ImapSession *session, const ImapReply *reply, GError **error);

/* Waits for a reply and sets an error of @reach and @reason unless it is OK. */
bool imap_session_expect(ImapSession *session, const ImapReply *reply, const char *what,
                         HaulError reach, const char *reason, GError **error);

/* Makes the commands of @context forget it: what still comes for them is passed over. */
void imap_session_detach(ImapSession *session, const void *context);

/* Sets HAUL_ERROR_CONNECTION "protocol" and gives the session up. Returns false. */
bool imap_session_protocol_error(ImapSession *session, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

#endif /* IMAP_SESSION_H */
