/*
 * How a session begins: greeting, STLS, CAPA, login; see session.h for pop3_session_open().
 *
 * What a server says in clear text before STLS may be anybody's: none of it is kept, shown or acted
 * upon, but for the refusal to encrypt (RFC 2595 §4). So CAPA is asked behind it only.
 */
#include <string.h>

#include <mailhaul/log.h>

#include "auth.h"
#include "limits.h"
#include "session.h"

#define POP3S_PORT 995
#define POP3_PORT 110

/* Reads the greeting. @stamp: gets its time stamp, owned, or NULL. */
static bool
greet(Pop3Session *session, char **stamp, GError **error)
{
  Pop3StatusKind kind;
  Pop3Status status;
  if (!pop3_session_read_status(session, &kind, &status, error))
    return false;
  if (kind == POP3_STATUS_GO_AHEAD)
    return pop3_session_protocol_error(session, error, "no greeting");
  if (kind == POP3_STATUS_ERR) {
    g_propagate_error(error, pop3_session_refusal_as(session, &status, HAUL_ERROR_BUSY, "busy",
                                                     "server refused the session"));
    session->dead = true;
    return false;
  }
  /* Gmail: some 250 messages in a session, and none again that was read. */
  session->shows_parts = pop3_session_is_trusted(session) && g_str_has_prefix(status.text, "Gpop ");
  size_t size;
  const char *found = pop3_wire_stamp(status.text, strlen(status.text), &size);
  *stamp = found != NULL && pop3_session_is_trusted(session) ? g_strndup(found, size) : NULL;
  return true;
}

static bool
refuse_tls(Pop3Session *session, GError **error, const char *why)
{
  session->dead = true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "tls", "no encryption: %s", why);
  return false;
}

static bool
start_tls(Pop3Session *session, GError **error)
{
  Pop3Status status;
  if (!pop3_session_send(session, error, "STLS") || !pop3_session_status(session, &status, error))
    return false;
  if (!status.ok)
    return refuse_tls(session, error, "the server refused STLS");
  if (pop3_session_has_unread(session)) /* CVE-2021-22947 */
    return refuse_tls(session, error,
                      "octets in clear text came after the answer to STLS: somebody may be between "
                      "us and the server");
  bool encrypted = haul_stream_start_tls(session->stream, error);
  session->dead |= !encrypted;
  return encrypted;
}

static bool
read_capabilities(Pop3Session *session, GError **error)
{
  Pop3Status status;
  if (!pop3_session_send(session, error, "CAPA") || !pop3_session_status(session, &status, error))
    return false;
  if (!status.ok)
    return true;
  Pop3Capabilities told;
  pop3_capabilities_begin(&told);
  const char *line;
  size_t size;
  for (unsigned n = 0; pop3_session_line(session, &line, &size, error); n++) {
    if (line == NULL) {
      session->can = told;
      return true;
    }
    if (n == POP3_CAPA_LINES_LIMIT)
      return pop3_session_protocol_error(session, error, "capabilities without end");
    pop3_capabilities_take(&told, line, size);
  }
  return false;
}

/* Asks what the server can do, with patience for a short while. @lost: gets whether that has cost us the
 * connection: there are servers that never answer, or hang up. */
static bool
ask_capabilities(Pop3Session *session, bool *lost, GError **error)
{
  GError *why = NULL;
  pop3_session_hurry(session, POP3_CAPA_S);
  bool fine = read_capabilities(session, &why);
  session->answer_by_us = 0;
  if (fine)
    return true;
  *lost = haul_error_reach(why) == HAUL_ERROR_CONNECTION;
  g_propagate_error(error, why);
  return false;
}

/* Asks for messages as they are (RFC 6856 §2.1): those with headers in UTF-8 are kept back else, or a
 * notice comes in their place (Courier). Where waiting for the answer would cost a round trip, what comes
 * next reads it. */
static bool
ask_for_utf8(Pop3Session *session, GError **error)
{
  if (!pop3_session_can(session, POP3_CAN_UTF8) || haul_account_forgoes(session->account, "UTF8"))
    return true;
  return pop3_session_send(session, error, "UTF8")
         && (pop3_session_window(session) > 1 || pop3_settle_utf8(session, error));
}

/* Those who tell less before the login are asked again behind it. RFC 2449 does not let them. */
static bool
tells_too_little(const Pop3Session *session)
{
  return session->can.known && !pop3_session_can(session, POP3_CAN_UIDL)
         && !pop3_session_can(session, POP3_CAN_PIPELINING);
}

/* @asks: whether to ask for capabilities. @lost: gets whether that failed. */
static Pop3Session *
begin(const HaulAccount *account, bool asks, bool *lost, GError **error)
{
  HaulStream *stream = haul_stream_open(account, POP3S_PORT, POP3_PORT, error);
  if (stream == NULL)
    return NULL;
  g_autoptr(Pop3Session) session = pop3_session_new(account, stream);
  g_autofree char *stamp = NULL;
  if (greet(session, &stamp, error)
      && (haul_stream_tls(stream) != HAUL_TLS_STARTTLS || start_tls(session, error))
      && (!asks || ask_capabilities(session, lost, error)) && ask_for_utf8(session, error)
      && pop3_authenticate(session, stamp, error)
      && (!tells_too_little(session) || ask_capabilities(session, lost, error)))
    return g_steal_pointer(&session);
  return NULL;
}

Pop3Session *
pop3_session_open(const HaulAccount *account, GError **error)
{
  if (!pop3_has_login(account, error))
    return NULL;
  GError *why = NULL;
  bool asks = !haul_account_forgoes(account, "CAPA"), lost = false;
  Pop3Session *session = begin(account, asks, &lost, &why);
  if (session == NULL && lost) {
    haul_log(HAUL_LOG_DEBUG, "CAPA: %s; connecting again without", why->message);
    g_clear_error(&why);
    session = begin(account, false, &lost, &why);
    if (session != NULL)
      haul_account_forgo(account, "CAPA");
  }
  if (session == NULL)
    g_propagate_error(error, why);
  return session;
}
