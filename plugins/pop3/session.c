/* A connection, its commands and their answers. See session.h. */
#include "session.h"

#include <string.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "limits.h"
#include "refusal.h"

/* As much as one read of the stream gives, so that a message is copied once. A line fits many times. */
#define INPUT_OCTETS ((size_t)64 << 10)
/* Commands that gather before they are sent while there is something to read: so many of the window are
 * under way when the server comes to the end of what it was sent. */
#define UNSENT_LIMIT (POP3_WINDOW / 4)

Pop3Session *
pop3_session_new(const HaulAccount *account, HaulStream *stream)
{
  Pop3Session *session = g_new0(Pop3Session, 1);
  session->account = account;
  session->stream = stream;
  session->text = g_string_new(NULL);
  session->in = g_malloc(INPUT_OCTETS);
  pop3_capabilities_forget(&session->can);
  return session;
}

void
pop3_session_close(Pop3Session *session)
{
  if (session == NULL)
    return;
  if (!session->dead && session->n_under_way == 0 && !session->marks_messages) {
    /* A courtesy, and only where it cannot make us wait; some servers forget else that we were here. */
    (void)(haul_stream_printf(session->stream, NULL, "QUIT\r\n")
           && haul_stream_flush(session->stream, NULL));
  }
  haul_stream_close(session->stream);
  g_string_free(session->text, TRUE);
  g_free(session->in);
  g_free(session);
}

bool
pop3_session_protocol_error(Pop3Session *session, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  session->dead = true;
  haul_set_error(error, HAUL_ERROR_CONNECTION, "protocol", "not POP3: %s", what);
  return false;
}

unsigned
pop3_session_window(const Pop3Session *session)
{
  return pop3_session_can(session, POP3_CAN_PIPELINING) ? POP3_WINDOW : 1;
}

/* ---- input ---- */

bool
pop3_session_has_unread(const Pop3Session *session)
{
  return session->in_start < session->in_end;
}

void
pop3_session_hurry(Pop3Session *session, unsigned seconds)
{
  uint64_t timeout_s = haul_account_number(session->account, "timeout");
  session->answer_by_us =
      g_get_monotonic_time() + (int64_t)(timeout_s * seconds * G_USEC_PER_SEC / 120);
}

/* Waits, no longer than session->answer_by_us, until something has come. */
static bool
await_answer(Pop3Session *session, GError **error)
{
  int64_t left_ms = (session->answer_by_us - g_get_monotonic_time()) / 1000;
  bool readable;
  if (!haul_stream_wait(session->stream, (unsigned)MAX(left_ms, 0), &readable, error))
    return false;
  if (!readable)
    haul_set_error(error, HAUL_ERROR_CONNECTION, "timeout", "the server does not answer");
  return readable;
}

/* Reads what has come, or waits for it. There is room for more only where not all of the buffer is unread. */
static bool
fill(Pop3Session *session, GError **error)
{
  size_t kept = session->in_end - session->in_start;
  if (session->in_start > 0)
    memmove(session->in, session->in + session->in_start, kept);
  session->in_start = 0;
  session->in_end = kept;
  size_t got =
      session->answer_by_us != 0 && !await_answer(session, error)
          ? 0
          : haul_stream_read(session->stream, session->in + kept, INPUT_OCTETS - kept, error);
  session->in_end += got;
  session->dead |= got == 0;
  return got > 0;
}

/* Passes over the rest of a line of which the buffer holds nothing but its begin. */
static bool
drop_line(Pop3Session *session, GError **error)
{
  for (size_t dropped = 0;;) {
    const uint8_t *from = session->in + session->in_start;
    size_t have = session->in_end - session->in_start;
    const uint8_t *line_feed = memchr(from, '\n', have);
    if (line_feed != NULL) {
      session->in_start += (size_t)(line_feed + 1 - from);
      return true;
    }
    dropped += have;
    if (dropped > POP3_LINE_LIMIT)
      return pop3_session_protocol_error(session, error, "a line without end");
    session->in_start = session->in_end;
    if (!fill(session, error))
      return false;
  }
}

/* Whether the session has not failed. */
static bool
is_alive(const Pop3Session *session, GError **error)
{
  if (session->dead)
    haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "the connection is gone");
  return !session->dead;
}

/* Reads a line of any length, of which POP3_LINE_KEPT octets are kept, lent until the next read. */
static bool
read_line(Pop3Session *session, const char **line, size_t *size, GError **error)
{
  size_t scanned = 0;
  if (!is_alive(session, error))
    return false;
  for (;;) {
    const uint8_t *from = session->in + session->in_start;
    size_t have = session->in_end - session->in_start;
    const uint8_t *line_feed = have > scanned ? memchr(from + scanned, '\n', have - scanned) : NULL;
    if (line_feed != NULL) {
      *line = (const char *)from;
      *size = (size_t)(line_feed - from);
      session->in_start += *size + 1;
      if (*size > 0 && from[*size - 1] == '\r')
        --*size;
      *size = MIN(*size, POP3_LINE_KEPT);
      return true;
    }
    if (have > POP3_LINE_KEPT)
      break;
    scanned = have;
    if (!fill(session, error))
      return false;
  }
  /* The text of the last status has had its time. */
  g_string_truncate(session->text, 0);
  g_string_append_len(session->text, (const char *)session->in + session->in_start, POP3_LINE_KEPT);
  *line = session->text->str;
  *size = session->text->len;
  return drop_line(session, error);
}

bool
pop3_session_read_status(Pop3Session *session, Pop3StatusKind *kind, Pop3Status *status,
                         GError **error)
{
  const char *line, *text;
  size_t size, text_size;
  if (!read_line(session, &line, &size, error))
    return false;
  if (haul_log_wants(HAUL_LOG_DEBUG))
    haul_log(HAUL_LOG_DEBUG, "S: %.*s", (int)MIN(size, 512), line);
  *kind = pop3_wire_status(line, size, &text, &text_size, &status->code, &status->wait_s);
  if (*kind == POP3_STATUS_NONE) {
    g_autofree char *shown = haul_text_display(line, MIN(size, 80));
    return pop3_session_protocol_error(session, error, "%s", shown);
  }
  if (line == session->text->str)
    g_string_erase(session->text, 0, text - line);
  else
    g_string_append_len(g_string_truncate(session->text, 0), text, (gssize)text_size);
  status->ok = *kind == POP3_STATUS_OK;
  status->text = session->text->str;
  haul_stream_answered(session->stream);
  return true;
}

bool
pop3_session_status(Pop3Session *session, Pop3Status *status, GError **error)
{
  Pop3StatusKind kind;
  g_assert(session->n_under_way > 0);
  if (!pop3_session_read_status(session, &kind, status, error))
    return false;
  if (kind == POP3_STATUS_GO_AHEAD)
    return pop3_session_protocol_error(session, error, "the server wants to be told more");
  session->n_under_way--;
  return true;
}

bool
pop3_session_line(Pop3Session *session, const char **line, size_t *size, GError **error)
{
  if (!read_line(session, line, size, error))
    return false;
  if (haul_log_wants(HAUL_LOG_DEBUG))
    haul_log(HAUL_LOG_DEBUG, "S: %.*s", (int)MIN(*size, 512), *line);
  if (*size == 0 || **line != '.')
    return true;
  ++*line;
  --*size;
  if (*size == 0)
    *line = NULL;
  return true;
}

bool
pop3_session_body(Pop3Session *session, Pop3OctetsFunc take, void *data, uint64_t *octets,
                  GError **error)
{
  Pop3Body body = { POP3_BODY_AT_LINE };
  uint64_t n_octets = 0;
  if (!is_alive(session, error))
    return false;
  while (body.state != POP3_BODY_END) {
    if (!pop3_session_has_unread(session) && !fill(session, error))
      return false;
    const uint8_t *piece;
    size_t have = session->in_end - session->in_start, piece_size;
    session->in_start +=
        pop3_wire_body(&body, session->in + session->in_start, have, &piece, &piece_size);
    n_octets += piece_size;
    if (n_octets > POP3_BODY_LIMIT)
      return pop3_session_protocol_error(session, error, "a message without end");
    if (piece_size > 0 && take != NULL && !take(piece, piece_size, data))
      take = NULL;
  }
  if (octets != NULL)
    *octets = n_octets;
  return true;
}

/* ---- output ---- */

/* Whether nothing has come that nobody asked for; what the server says before it hangs up is told. */
static bool
is_in_step(Pop3Session *session, GError **error)
{
  Pop3StatusKind kind;
  Pop3Status status;
  if (!pop3_session_has_unread(session) && !haul_stream_pending(session->stream))
    return true;
  if (!pop3_session_read_status(session, &kind, &status, error))
    return false;
  if (kind != POP3_STATUS_ERR)
    return pop3_session_protocol_error(session, error, "an answer to a command never sent");
  g_propagate_error(error, pop3_session_refusal_as(session, &status, HAUL_ERROR_CONNECTION,
                                                   "closed", "server ended the session"));
  session->dead = true;
  return false;
}

/* Makes ready for a command. */
static bool
begin(Pop3Session *session, GError **error)
{
  return is_alive(session, error) && (session->n_under_way > 0 || is_in_step(session, error));
}

/* Sends what has gathered, if that is enough. */
static bool
end(Pop3Session *session, bool written, GError **error)
{
  session->n_under_way++;
  if (written && ++session->n_unsent >= UNSENT_LIMIT) {
    session->n_unsent = 0;
    written = haul_stream_flush(session->stream, error);
  }
  session->dead |= !written;
  return written;
}

bool
pop3_session_send(Pop3Session *session, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *line = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  if (!begin(session, error))
    return false;
  if (haul_log_wants(HAUL_LOG_DEBUG))
    haul_log(HAUL_LOG_DEBUG, "C: %s", line);
  session->marks_messages |= g_str_has_prefix(line, "DELE ");
  return end(session,
             haul_stream_write(session->stream, line, strlen(line), error)
                 && haul_stream_write(session->stream, "\r\n", 2, error),
             error);
}

bool
pop3_session_send_secret(Pop3Session *session, const char *shown, const char *before,
                         const char *secret, bool continues, GError **error)
{
  if (!continues && !begin(session, error))
    return false;
  haul_log(HAUL_LOG_DEBUG, "C: %s", shown);
  bool written = haul_stream_write(session->stream, before, strlen(before), error)
                 && haul_stream_write(session->stream, secret, strlen(secret), error)
                 && haul_stream_write(session->stream, "\r\n", 2, error);
  if (!continues)
    return end(session, written, error);
  session->dead |= !written;
  return written;
}

bool
pop3_session_quit(Pop3Session *session, GError **error)
{
  Pop3Status status;
  if (!pop3_session_send(session, error, "QUIT") || !pop3_session_status(session, &status, error))
    return false;
  session->dead = true;
  if (status.ok)
    return true;
  g_propagate_error(error, pop3_session_refusal_as(session, &status, HAUL_ERROR_FOLDER, "failed",
                                                   "QUIT refused"));
  return false;
}

/* ---- refusals ---- */

bool
pop3_session_is_trusted(const Pop3Session *session)
{
  return haul_stream_tls(session->stream) != HAUL_TLS_STARTTLS
         || haul_stream_is_encrypted(session->stream);
}

static unsigned
wait_asked_ms(const Pop3Session *session, const Pop3Status *status)
{
  enum { LIMIT_S = 60 * 60 };
  uint32_t wait_s = status->wait_s;
  if (wait_s == 0 && status->code == POP3_CODE_LOGIN_DELAY)
    wait_s = session->can.login_delay_s;
  return wait_s > 0 ? MIN(wait_s, LIMIT_S) * 1000 : pop3_wait_asked_ms(status->text);
}

GError *
pop3_session_refusal_as(Pop3Session *session, const Pop3Status *status, HaulError reach,
                        const char *reason, const char *what)
{
  GError *error = NULL;
  bool trusted = pop3_session_is_trusted(session);
  Pop3Refusal refusal = !trusted ? POP3_REFUSED
                        : reach == HAUL_ERROR_MESSAGE
                            ? pop3_classify_for_message(status->code, status->text)
                            : pop3_classify(status->code, status->text);
  g_autofree char *shown = haul_text_display(status->text, trusted ? strlen(status->text) : 0);
  switch (refusal) {
  case POP3_REFUSED:
    break;
  case POP3_REFUSED_FOR_NOW:
    reach = HAUL_ERROR_BUSY;
    reason = "busy";
    break;
  case POP3_REFUSED_FOR_GOOD:
    reach = HAUL_ERROR_ACCOUNT;
    reason = "login";
    break;
  case POP3_REFUSED_AND_LEAVING:
    reach = HAUL_ERROR_CONNECTION;
    reason = "closed";
    break;
  }
  haul_set_error(&error, reach, reason, "%s: %s", what, *shown != '\0' ? shown : "no reason given");
  if (refusal == POP3_REFUSED_FOR_NOW)
    haul_error_set_wait(error, wait_asked_ms(session, status));
  session->dead |= refusal == POP3_REFUSED_FOR_NOW || refusal == POP3_REFUSED_AND_LEAVING;
  return error;
}
