/* Responses as they come from the stream. See input.h. */
#include "input.h"

#include <mailhaul/log.h>
#include <mailhaul/text.h>
#include <string.h>

/* Counts octets that nobody asked for, or that are part of an answer. Only a listing is long. */
static bool
count(ImapSession *session, size_t octets, GError **error)
{
  const ImapCommand *command = g_queue_peek_head(&session->commands);
  uint64_t limit = command != NULL && command->streams ? IMAP_LISTING_LIMIT : IMAP_UNANSWERED_LIMIT;
  session->unanswered += octets;
  return session->unanswered <= limit
         || imap_session_protocol_error(session, error, "data without end");
}

static const char *
read_line(ImapSession *session, size_t *size, GError **error)
{
  const char *line = haul_stream_read_line(session->stream, IMAP_DATA_LIMIT, size, error);
  if (line == NULL) {
    session->dead = true;
    return NULL;
  }
  if (!count(session, *size, error))
    return NULL;
  if (haul_log_wants(HAUL_LOG_DEBUG))
    haul_log(HAUL_LOG_DEBUG, "S: %.*s", (int)MIN(*size, 512), line);
  return line;
}

size_t
imap_input_body(ImapSession *session, void *buffer, size_t size, GError **error)
{
  size_t got =
      haul_stream_read(session->stream, buffer, (size_t)MIN(size, session->body_left), error);
  session->body_left -= got;
  session->dead |= got == 0;
  return got;
}

/* Passes over what is left of a body. */
static bool
drop_body(ImapSession *session, GError **error)
{
  char octets[16 << 10];
  while (session->body_left > 0) {
    size_t got = imap_input_body(session, octets, sizeof octets, error);
    if (got == 0 || !count(session, got, error))
      return false;
  }
  return true;
}

/* Appends a literal to @buffer. Of one beyond bounds, if @cut, the beginning: then what announces it,
 * @announced octets at the end of @buffer, is changed to that. */
static bool
read_literal(ImapSession *session, GByteArray *buffer, guint announced, uint64_t octets, bool cut,
             GError **error)
{
  uint64_t dropped = 0;
  if (cut && octets > IMAP_LITERAL_LIMIT && octets <= IMAP_LITERAL_CUT_LIMIT) {
    g_autofree char *kept = g_strdup_printf("{%d}", IMAP_LITERAL_KEPT);
    g_byte_array_set_size(buffer, buffer->len - announced);
    g_byte_array_append(buffer, (const guint8 *)kept, (guint)strlen(kept));
    dropped = octets - IMAP_LITERAL_KEPT;
    octets = IMAP_LITERAL_KEPT;
  }
  g_byte_array_append(buffer, (const guint8 *)"\r\n", 2);
  if (octets > IMAP_LITERAL_LIMIT || buffer->len + octets > IMAP_RESPONSE_LIMIT)
    return imap_session_protocol_error(
        session, error, "a literal of %" G_GUINT64_FORMAT " octets in a response", octets);
  for (uint64_t left = octets; left > 0;) {
    guint filled = buffer->len;
    size_t want = (size_t)MIN(left, 64 << 10); /* what was announced is not yet what comes */
    g_byte_array_set_size(buffer, filled + (guint)want);
    size_t got = haul_stream_read(session->stream, buffer->data + filled, want, error);
    g_byte_array_set_size(buffer, filled + (guint)got);
    if (got == 0) {
      session->dead = true;
      return false;
    }
    left -= got;
  }
  if (!count(session, (size_t)octets, error))
    return false;
  session->body_left = dropped;
  return drop_body(session, error);
}

/* Gathers the lines and literals that follow @line, which ends by announcing one, in @buffer; where
 * @stop_at_body, up to the announcement of a body. @cut: header fields of any length come here, and
 * of those without measure the beginning will do. */
static bool
gather(ImapSession *session, GByteArray *buffer, const char *line, size_t size, bool stop_at_body,
       bool cut, GError **error)
{
  g_byte_array_set_size(buffer, 0);
  for (unsigned n_literals = 0;; n_literals++) {
    uint64_t octets;
    int announced = imap_literal_at_end(line, size, &octets);
    g_byte_array_append(buffer, (const guint8 *)line, (guint)size);
    if (announced == 0)
      return true;
    if (announced < 0 || n_literals == IMAP_RESPONSE_LITERALS || buffer->len > IMAP_RESPONSE_LIMIT)
      return imap_session_protocol_error(session, error, "a response without bounds");
    if (stop_at_body
        && imap_announces_body((const char *)buffer->data, buffer->len, (size_t)announced)) {
      if (octets > IMAP_BODY_LIMIT)
        return imap_session_protocol_error(session, error,
                                           "a message of %" G_GUINT64_FORMAT " octets", octets);
      session->in_body = true;
      session->body_left = octets;
      return true;
    }
    if (!read_literal(session, buffer, (guint)announced, octets, cut, error))
      return false;
    line = read_line(session, &size, error);
    if (line == NULL)
      return false;
  }
}

/* Whether a response of one line is longer than its kind may be. */
static bool
is_too_long(const ImapResponse *response, size_t size)
{
  return size > IMAP_LINE_LIMIT
         && (response->kind != IMAP_RESPONSE_DATA || imap_span_is(&response->name, "CAPABILITY"));
}

bool
imap_input_response(ImapSession *session, bool streams, ImapResponse *response, GError **error)
{
  size_t size;
  uint64_t octets;
  const char *line = read_line(session, &size, error);
  if (line == NULL)
    return false;
  if (imap_literal_at_end(line, size, &octets) != 0 && imap_may_hold_literals(line, size)) {
    if (!gather(session, session->head, line, size, streams, streams, error))
      return false;
    line = (const char *)session->head->data;
    size = session->head->len;
  }
  if (!imap_parse_response(line, size, response)) {
    g_autofree char *shown = haul_text_display(line, MIN(size, 80));
    return imap_session_protocol_error(session, error, "%s", shown);
  }
  if (is_too_long(response, size))
    return imap_session_protocol_error(session, error, "a status line of %zu octets", size);
  return true;
}

bool
imap_input_end_body(ImapSession *session, ImapCursor *rest, GError **error)
{
  if (!drop_body(session, error))
    return false;
  size_t size;
  const char *line = read_line(session, &size, error);
  if (line == NULL)
    return false;
  session->in_body = false;
  if (size > 0 && line[size - 1] == '}') {
    if (!gather(session, session->tail, line, size, false, true, error))
      return false;
    line = (const char *)session->tail->data;
    size = session->tail->len;
  }
  *rest = (ImapCursor){ line, line + size };
  return true;
}
