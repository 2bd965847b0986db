/* A connection, its commands and their responses. See session.h. */
#include "session.h"

#include <mailhaul/log.h>
#include <mailhaul/message.h>
#include <mailhaul/text.h>
#include <string.h>

#include "extensions.h"
#include "input.h"
#include "plea.h"

#define LITERAL_MINUS_LIMIT 4096 /* RFC 7888 §5 */

void
imap_reply_clear(ImapReply *reply)
{
  g_clear_pointer(&reply->code, g_free);
  g_clear_pointer(&reply->text, g_free);
  reply->finished = false;
}

ImapSession *
imap_session_new(const HaulAccount *account, HaulStream *stream)
{
  ImapSession *session = g_new0(ImapSession, 1);
  session->account = account;
  session->stream = stream;
  imap_extensions_begin(session);
  session->head = g_byte_array_new();
  session->tail = g_byte_array_new();
  g_queue_init(&session->commands);
  return session;
}

void
imap_session_close(ImapSession *session)
{
  if (session == NULL)
    return;
  if (!session->dead && !session->mid_command && g_queue_is_empty(&session->commands)) {
    /* A courtesy, and only where it cannot make us wait. */
    (void)(haul_stream_printf(session->stream, NULL, "A%u LOGOUT\r\n", ++session->n_tags)
           && haul_stream_flush(session->stream, NULL));
  }
  g_queue_clear_full(&session->commands, g_free);
  g_byte_array_unref(session->head);
  g_byte_array_unref(session->tail);
  g_free(session->selected);
  g_clear_error(&session->plea);
  haul_stream_close(session->stream);
  g_free(session);
}

bool
imap_session_protocol_error(ImapSession *session, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  session->dead = true;
  haul_set_error(error, HAUL_ERROR_CONNECTION, "protocol", "not IMAP: %s", what);
  return false;
}

bool
imap_session_is_trusted(const ImapSession *session)
{
  return haul_stream_tls(session->stream) != HAUL_TLS_STARTTLS
         || haul_stream_is_encrypted(session->stream);
}

/* Dispatching ------------------------------------------------------------------------------ */

static bool
take_bye(ImapSession *session, const ImapResponse *response, GError **error)
{
  bool trusted = imap_session_is_trusted(session);
  g_autofree char *text = trusted ? imap_span_dup(&response->text, NULL) : NULL;
  g_autofree char *code = trusted ? imap_span_dup(&response->code, NULL) : NULL;
  session->dead = true;
  imap_set_reading_refusal(error, HAUL_ERROR_CONNECTION, "closed", "server ended the session", code,
                           text);
  return false;
}

static ImapCommand *
oldest(ImapSession *session)
{
  return g_queue_peek_head(&session->commands);
}

/* Whether the server no longer knows who we are: the token that let us in has run out. */
static bool
is_logged_out(ImapSession *session, const ImapResponse *response, GError **error)
{
  g_autofree char *text = imap_span_dup(&response->text, NULL);
  g_autofree char *code = response->code.at != NULL ? imap_span_dup(&response->code, NULL) : NULL;
  if (!imap_says_logged_out(code, text))
    return false;
  session->dead = true;
  imap_set_refusal(error, HAUL_ERROR_CONNECTION, "closed", "no longer logged in", code, text);
  return true;
}

static bool
take_tagged(ImapSession *session, const ImapResponse *response, GError **error)
{
  ImapCursor cursor = { response->tag.at, response->tag.at + response->tag.size };
  uint64_t tag = 0;
  GList *link = NULL;
  if (imap_take_char(&cursor, 'A') && imap_take_number(&cursor, &tag) && imap_at_end(&cursor)) {
    link = session->commands.head;
    while (link != NULL && ((ImapCommand *)link->data)->tag != tag)
      link = link->next;
  }
  if (link == NULL) {
    g_autofree char *shown = haul_text_display(response->tag.at, response->tag.size);
    if (session->literal_refused) /* it took the literal for commands */
      imap_extensions_forgo_literals(session);
    return imap_session_protocol_error(session, error, "an answer to a command never sent: %s",
                                       shown);
  }

  session->unanswered = 0;
  haul_stream_answered(session->stream);
  imap_plea_note(session, response);
  g_autofree ImapCommand *command = link->data;
  g_queue_delete_link(&session->commands, link);
  if (command->tag == (session->awaiting != NULL ? session->awaiting->tag : 0))
    session->awaiting = NULL;
  if (imap_span_is(&response->code, "CAPABILITY"))
    imap_extensions_take(session, response->argument);
  if (command->reply != NULL) {
    ImapReply *reply = command->reply;
    reply->finished = true;
    reply->condition = response->condition;
    if (response->code.at != NULL)
      reply->code = imap_span_dup(&response->code, NULL);
    if (response->condition != IMAP_OK)
      reply->text = imap_span_dup(&response->text, NULL);
  }
  if (command->literal_plus) {
    session->literal_proven |= response->condition == IMAP_OK;
    session->literal_refused =
        !session->literal_proven && (session->literal_refused || response->condition == IMAP_BAD);
  }
  if (session->logged_in && response->condition == IMAP_NO
      && is_logged_out(session, response, error))
    return false;
  return command->done == NULL || command->done(session, command, response, error);
}

static bool
dispatch(ImapSession *session, const ImapResponse *response, GError **error)
{
  ImapCommand *command = oldest(session);
  switch (response->kind) {
  case IMAP_RESPONSE_TAGGED:
    return take_tagged(session, response, error);
  case IMAP_RESPONSE_CONTINUE:
    if (session->awaiting != NULL) { /* else nobody asked */
      session->go_ahead = true;
      haul_stream_answered(session->stream);
    }
    session->challenge = response->text;
    return true;
  case IMAP_RESPONSE_STATUS:
    if (response->condition == IMAP_BYE)
      return take_bye(session, response, error);
    if (imap_span_is(&response->code, "ALERT") && imap_session_is_trusted(session)
        && session->n_alerts++ < IMAP_TOLD_LIMIT)
      haul_log(HAUL_LOG_WARNING, "%s server says: %.*s", haul_account_side(session->account),
               (int)MIN(response->text.size, 512), response->text.at);
    break;
  case IMAP_RESPONSE_DATA:
    if (imap_span_is(&response->name, "CAPABILITY"))
      imap_extensions_take(session, response->rest);
    break;
  }
  return command == NULL || command->data == NULL
         || command->data(session, command, response, error);
}

static bool
step(ImapSession *session, GError **error)
{
  ImapResponse response;
  ImapCursor rest;
  if (session->dead) {
    haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "the connection is gone");
    return false;
  }
  if (session->in_body && !imap_input_end_body(session, &rest, error))
    return false; /* whose reader gave up in the middle */

  ImapCommand *command = oldest(session);
  if (!imap_input_response(session, command != NULL && command->streams, &response, error)
      || !dispatch(session, &response, error))
    return false;
  return !session->in_body || imap_input_end_body(session, &rest, error);
}

bool
imap_session_step(ImapSession *session, GError **error)
{
  GError *why = NULL;
  return step(session, &why) || imap_plea_heed(session, why, error);
}

bool
imap_session_greeting(ImapSession *session, ImapResponse *response, GError **error)
{
  if (!imap_input_response(session, false, response, error))
    return false;
  if (response->kind != IMAP_RESPONSE_STATUS || response->condition == IMAP_NO
      || response->condition == IMAP_BAD)
    return imap_session_protocol_error(session, error, "no greeting");
  if (imap_span_is(&response->code, "CAPABILITY"))
    imap_extensions_take(session, response->argument);
  return true;
}

bool
imap_session_wait(ImapSession *session, const ImapReply *reply, GError **error)
{
  while (!reply->finished) {
    if (!imap_session_step(session, error))
      return false;
  }
  return true;
}

bool
imap_session_expect(ImapSession *session, const ImapReply *reply, const char *what, HaulError reach,
                    const char *reason, GError **error)
{
  if (!imap_session_wait(session, reply, error))
    return false;
  if (reply->condition == IMAP_OK)
    return true;
  imap_set_refusal(error, reach, reason, what, reply->code, reply->text);
  return false;
}

void
imap_session_detach(ImapSession *session, const void *context)
{
  for (GList *link = session->commands.head; link != NULL; link = link->next) {
    ImapCommand *command = link->data;
    if (command->context != context)
      continue;
    command->data = NULL;
    command->done = NULL;
    command->reply = NULL;
    command->context = NULL;
  }
}

/* Sending ---------------------------------------------------------------------------------- */

bool
imap_session_write(ImapSession *session, const void *octets, size_t size, GError **error)
{
  bool written = haul_stream_write(session->stream, octets, size, error);
  session->dead |= !written;
  return written;
}

const ImapCommand *
imap_session_begin(ImapSession *session, const ImapCommand *model, GError **error)
{
  if (session->dead) {
    haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "the connection is gone");
    return NULL;
  }
  if (!imap_plea_pause(session, error))
    return NULL;
  ImapCommand *command = g_new(ImapCommand, 1);
  *command = *model;
  command->tag = ++session->n_tags;
  g_queue_push_tail(&session->commands, command);
  if (!haul_stream_printf(session->stream, error, "A%u ", command->tag)) {
    session->dead = true;
    return NULL;
  }
  return command;
}

bool
imap_session_send(ImapSession *session, const ImapCommand *model, GError **error,
                  const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *line = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  const ImapCommand *command = imap_session_begin(session, model, error);
  if (command == NULL)
    return false;
  if (haul_log_wants(HAUL_LOG_DEBUG))
    haul_log(HAUL_LOG_DEBUG, "C: A%u %s", command->tag, line);
  return imap_session_write(session, line, strlen(line), error)
         && imap_session_write(session, "\r\n", 2, error);
}

bool
imap_session_await(ImapSession *session, unsigned tag, bool *go_ahead, GError **error)
{
  const ImapCommand *command = NULL;
  for (GList *link = session->commands.tail; link != NULL && command == NULL; link = link->prev) {
    if (((ImapCommand *)link->data)->tag == tag)
      command = link->data;
  }
  session->awaiting = command;
  session->go_ahead = false;
  while (session->awaiting != NULL && !session->go_ahead) {
    if (!imap_session_step(session, error))
      return false;
  }
  *go_ahead = session->awaiting != NULL;
  session->awaiting = NULL;
  return true;
}

bool
imap_session_literal(ImapSession *session, unsigned tag, uint64_t octets, bool *go_ahead,
                     GError **error)
{
  bool at_once =
      imap_session_can(session, IMAP_CAP_LITERAL_PLUS)
      || (imap_session_can(session, IMAP_CAP_LITERAL_MINUS) && octets <= LITERAL_MINUS_LIMIT);
  *go_ahead = true;
  ImapCommand *command = g_queue_peek_tail(&session->commands);
  if (at_once && command != NULL && command->tag == tag)
    command->literal_plus = true;
  if (!haul_stream_printf(session->stream, error, "{%" G_GUINT64_FORMAT "%s}\r\n", octets,
                          at_once ? "+" : "")) {
    session->dead = true;
    return false;
  }
  return at_once || imap_session_await(session, tag, go_ahead, error);
}

bool
imap_session_begin_named(ImapSession *session, const ImapCommand *model, const char *before,
                         const char *name, size_t size, unsigned *tag, GError **error)
{
  const ImapCommand *command = imap_session_begin(session, model, error);
  if (command == NULL)
    return false;
  *tag = command->tag;
  g_autoptr(GString) line = g_string_new(before);
  bool quotable = imap_is_quotable(name, size, session->utf8);
  if (quotable)
    imap_append_quoted(line, name, size);
  if (haul_log_wants(HAUL_LOG_DEBUG))
    haul_log(HAUL_LOG_DEBUG, "C: A%u %s%s", *tag, line->str, quotable ? "" : "{...}");
  if (!imap_session_write(session, line->str, line->len, error))
    return false;
  if (quotable)
    return true;

  bool go_ahead;
  if (!imap_session_literal(session, *tag, size, &go_ahead, error))
    return false;
  if (!go_ahead)
    *tag = 0;
  return !go_ahead || imap_session_write(session, name, size, error);
}

bool
imap_session_send_named(ImapSession *session, const ImapCommand *model, const char *before,
                        const char *name, size_t size, const char *after, GError **error)
{
  unsigned tag;
  if (!imap_session_begin_named(session, model, before, name, size, &tag, error))
    return false;
  return tag == 0
         || (imap_session_write(session, after, strlen(after), error)
             && imap_session_write(session, "\r\n", 2, error));
}

bool
imap_session_write_name(ImapSession *session, unsigned tag, const char *name, size_t size,
                        bool *go_ahead, GError **error)
{
  *go_ahead = true;
  if (!imap_is_quotable(name, size, session->utf8))
    return imap_session_literal(session, tag, size, go_ahead, error)
           && (!*go_ahead || imap_session_write(session, name, size, error));
  g_autoptr(GString) quoted = g_string_new(NULL);
  imap_append_quoted(quoted, name, size);
  return imap_session_write(session, quoted->str, quoted->len, error);
}
