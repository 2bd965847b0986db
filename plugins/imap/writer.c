/*
 * Writing to a server. See writer.h.
 *
 * A message is sent as soon as it is put, as the next part of a MULTIAPPEND (RFC 3502) that is under
 * way: that costs a server a fraction of an APPEND each. Batches are pipelined, and kept until they
 * are answered; one that is refused has stored nothing, and its messages are tried again one by one,
 * once everything before them is answered, so that a bad one does not take others with it. A folder
 * that is gone fails its own messages, and no others. Where
 * MULTIAPPEND is not offered, every message is a batch. Literals are announced without waiting where
 * the server lets us (RFC 7888); where not, each costs a round trip, whichever command it is in.
 */
#include "writer.h"

#include <mailhaul/text.h>
#include <string.h>

#include "compress.h"
#include "date.h"
#include "delivery.h"
#include "extensions.h"
#include "keywords.h"
#include "visit.h"

enum {
  BATCH_MESSAGES = 512,   /* what is tried again if one of them is refused; a server that syncs */
  BATCH_OCTETS = 4 << 20, /* to disk does so once a batch                                       */
  LEAST_LIMIT =
      256 << 10, /* no server takes less; what is smaller was refused for something else */
  ALONE_OCTETS = 512 << 10, /* of this size, a command of its own costs nothing                   */
  UNDER_WAY_BATCHES = 64,   /* closed, unanswered: of small folders, many */
  UNDER_WAY_OCTETS =
      8 << 20, /* so much a round trip: 3 MiB cost a copy at 40 ms half as long again */
};

struct ImapWriter {
  ImapBatch *open;  /* owned: its command is not ended */
  GQueue under_way; /* owned batches, closed and not answered, oldest first */
  uint64_t octets;  /* of under_way */
  GQueue retry;     /* owned deliveries, oldest first */
  bool blamed;   /* MULTIAPPEND: a batch was not understood, and its messages are tried alone ... */
  bool excused;  /* ... but one of them was refused, too */
  GError *fatal; /* owned: reaches beyond folders; put() or flush() is about to return it */
  GString *line; /* owned: scratch */
};

ImapWriter *
imap_writer_new(void)
{
  ImapWriter *writer = g_new0(ImapWriter, 1);
  g_queue_init(&writer->under_way);
  g_queue_init(&writer->retry);
  writer->line = g_string_new(NULL);
  return writer;
}

/* Fails all that is not settled: the connection is gone, or we are. */
static void
fail_all(ImapWriter *writer, const GError *why)
{
  ImapBatch *batch;
  ImapDelivery *delivery;
  while ((batch = g_queue_pop_head(&writer->under_way)) != NULL)
    imap_batch_fail(batch, why);
  writer->octets = 0;
  if (writer->open != NULL)
    imap_batch_fail(g_steal_pointer(&writer->open), why);
  while ((delivery = g_queue_pop_head(&writer->retry)) != NULL)
    imap_delivery_fail(delivery, why);
}

void
imap_writer_free(ImapWriter *writer)
{
  g_autoptr(GError) why = NULL;
  haul_set_error(&why, HAUL_ERROR_CONNECTION, "closed", "the connection was closed");
  fail_all(writer, why);
  g_clear_error(&writer->fatal);
  g_string_free(writer->line, TRUE);
  g_free(writer);
}

/* Answers ---------------------------------------------------------------------------------- */

/* Notes that a message was refused for want of its folder, in the words of @text. */
static void
doubt(ImapDelivery *delivery, const char *text, bool in_company)
{
  delivery->doubtful = true;
  delivery->in_company = in_company;
  g_free(delivery->text);
  delivery->text = g_strdup(text);
}

/* Refuses a message in the server's words; BAD with no more to say (Exchange: "Command Argument Error. 11")
 * leaves us to guess. */
static void
refuse_in_words(ImapDelivery *delivery, ImapCondition condition, const char *text)
{
  g_autofree char *guess =
      condition != IMAP_BAD
          ? NULL
          : g_strdup_printf("%s (too big for the server, or a line or a field that it dislikes)",
                            text);
  imap_delivery_refuse(delivery, "refused",
                       guess != NULL   ? guess
                       : *text != '\0' ? text
                                       : "no reason given");
}

static bool
has_nul(const HaulMessage *message)
{
  const uint8_t *window;
  size_t size;
  for (uint64_t at = 0; (window = haul_message_window(message, at, &size)) != NULL; at += size)
    if (memchr(window, '\0', size) != NULL)
      return true;
  return false;
}

/* Decides what the refusal of a message that was sent alone means. @delivery is taken. */
static void
judge(ImapWriter *writer, ImapBatch *batch, ImapDelivery *delivery, const ImapResponse *response)
{
  ImapSession *session = batch->store->session;
  g_autofree char *code = response->code.at != NULL ? imap_span_dup(&response->code, NULL) : NULL;
  g_autofree char *text = imap_span_dup(&response->text, NULL);
  switch (imap_classify_append(code, text)) {
  case IMAP_REFUSED_TOO_BIG:
    if (haul_message_item(delivery->message)->size >= LEAST_LIMIT)
      haul_account_note_refused_size(session->account, haul_message_item(delivery->message)->size);
    imap_delivery_refuse(delivery, "too-big", text);
    return;
  case IMAP_REFUSED_OVER_QUOTA:
    if (writer->fatal == NULL) {
      g_autofree char *shown = haul_text_display(text, strlen(text));
      haul_set_error(&writer->fatal, HAUL_ERROR_ACCOUNT, "over-quota", "%s", shown);
    }
    break;
  case IMAP_REFUSED_FOR_NOW:
    if (writer->fatal == NULL)
      imap_set_refusal(&writer->fatal, HAUL_ERROR_BUSY, "busy", "messages are put off", code, text);
    break;
  case IMAP_REFUSED_NO_FOLDER:
    doubt(delivery, text, false);
    break;
  case IMAP_REFUSED:
  default:
    if (!batch->with_keywords && response->condition == IMAP_BAD && !delivery->waits
        && session->literal_refused) {
      delivery->waits = true; /* for it may be LITERAL+ that the server does not understand */
      g_free(delivery->text);
      delivery->text = g_steal_pointer(&text);
      break;
    }
    if (!batch->with_keywords && response->condition == IMAP_BAD && !delivery->waits
        && !delivery->again) {
      delivery->again = true;
      break;
    }
    if (!batch->with_keywords && !delivery->binary && imap_session_can(session, IMAP_CAP_BINARY)
        && has_nul(delivery->message)) {
      delivery->binary = true; /* Cyrus keeps NULs, if it is told to expect them */
      break;
    }
    if (!batch->with_keywords) {
      refuse_in_words(delivery, response->condition, text);
      return;
    }
    delivery->bare = delivery->again = true;
    break;
  }
  g_queue_push_tail(&writer->retry, delivery); /* where all are failed if it is fatal */
}

/* Prepares to try again, one by one, messages that were refused together. */
static void
separate(ImapWriter *writer, ImapBatch *batch, const ImapResponse *response)
{
  g_autofree char *code = response->code.at != NULL ? imap_span_dup(&response->code, NULL) : NULL;
  g_autofree char *text = imap_span_dup(&response->text, NULL);
  ImapRefusal meaning = imap_classify_append(code, text);
  bool doubtful = meaning == IMAP_REFUSED_NO_FOLDER;
  if (meaning == IMAP_REFUSED_FOR_NOW
      && writer->fatal == NULL) /* then nothing is tried again now */
    imap_set_refusal(&writer->fatal, HAUL_ERROR_BUSY, "busy", "messages are put off", code, text);
  for (guint i = 0; i < batch->deliveries->len; i++) {
    ImapDelivery *delivery = g_ptr_array_index(batch->deliveries, i);
    delivery->again = true;
    if (doubtful)
      doubt(delivery, text, true);
    g_queue_push_tail(&writer->retry, delivery);
  }
}

static bool
batch_done(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  ImapBatch *batch = command->context;
  ImapWriter *writer = batch->store->writer;
  bool closed = writer->open != batch;
  batch->answered = true;
  if (response->condition == IMAP_OK && !closed && session->mid_command)
    return imap_session_protocol_error(session, error, "APPEND done before it was sent");
  if (response->condition == IMAP_OK) {
    if (batch->deliveries->len == 1 && ((ImapDelivery *)batch->deliveries->pdata[0])->waits
        && !command->literal_plus)
      imap_extensions_forgo_literals(session);
    imap_batch_settle(batch, response);
  } else if (batch->deliveries->len == 1) {
    writer->excused = true;
    if (((ImapDelivery *)batch->deliveries->pdata[0])->waits) /* which was no help */
      imap_extensions_regain(session, IMAP_CAP_LITERALS);
    judge(writer, batch, g_ptr_array_index(batch->deliveries, 0), response);
  } else {
    if (batch->deliveries->len == 0)
      batch->refusal = imap_span_dup(&response->text, NULL);
    else
      writer->blamed |= response->condition == IMAP_BAD;
    separate(writer, batch, response);
  }
  g_ptr_array_set_size(batch->deliveries, 0);
  if (closed) {
    g_queue_remove(&writer->under_way, batch);
    writer->octets -= batch->octets;
    imap_batch_free(batch);
  }
  return true;
}

/* Sending ---------------------------------------------------------------------------------- */

/* Whether messages go together: what is answered together does not tell at which of them a connection was
 * lost. */
static bool
can_batch(const HaulStore *store)
{
  return imap_session_can(store->session, IMAP_CAP_MULTIAPPEND)
         && (store->current_intent & HAUL_WRITE_SINGLY) == 0;
}

static bool
open_batch(HaulStore *store, ImapFolder *folder, GError **error)
{
  ImapBatch *batch = g_new0(ImapBatch, 1);
  batch->store = store;
  batch->folder = folder;
  batch->deliveries = g_ptr_array_new();
  store->writer->open = batch;
  if (!imap_visit_leave(store, folder, error))
    return false;
  ImapCommand command = { .name = "APPEND", .done = batch_done, .context = batch };
  if (!imap_session_begin_named(store->session, &command, "APPEND ", folder->wire,
                                strlen(folder->wire), &batch->tag, error))
    return false;
  store->session->mid_command = !batch->answered;
  return true;
}

static bool
close_batch(HaulStore *store, GError **error)
{
  ImapWriter *writer = store->writer;
  ImapBatch *batch = g_steal_pointer(&writer->open);
  bool unfinished = store->session->mid_command;
  if (batch == NULL)
    return true;
  store->session->mid_command = false;
  if (!batch->answered) {
    g_queue_push_tail(&writer->under_way, batch);
    writer->octets += batch->octets;
  } else {
    imap_batch_free(batch);
  }
  if (!unfinished)
    return true;
  bool sent = imap_session_write(store->session, "\r\n", 2, error)
              && haul_stream_flush(store->session->stream, error);
  store->session->dead |= !sent;
  return sent;
}

bool
imap_writer_pause(HaulStore *store, GError **error)
{
  return close_batch(store, error);
}

/* Writes a message as the next part of the open batch, which has it already. */
static bool
send_part(HaulStore *store, ImapBatch *batch, ImapDelivery *delivery, GError **error)
{
  ImapSession *session = store->session;
  const HaulItem *item = haul_message_item(delivery->message);
  GString *line = store->writer->line;
  bool bare = delivery->bare || imap_keywords_are_refused(delivery->folder, item->keywords);
  delivery->n_left_out = imap_keywords_left_out(item->keywords, bare);
  g_string_assign(line, " ");
  if (item->flags != 0 || (item->keywords != NULL && !bare)) {
    batch->with_keywords |= imap_append_flags(line, item->flags, bare ? NULL : item->keywords) > 0;
    g_string_append_c(line, ' ');
  }
  if (item->date != HAUL_NO_DATE && imap_append_date(line, item->date, item->date_zone))
    g_string_append_c(line, ' ');
  if (delivery->binary)
    g_string_append_c(line, '~');
  if (!imap_session_write(session, line->str, line->len, error))
    return false;

  bool go_ahead;
  if (!imap_session_literal(session, batch->tag, item->size, &go_ahead, error))
    return false;
  if (!go_ahead) { /* refused before it was sent */
    session->mid_command = false;
    return true;
  }
  for (uint64_t offset = 0; offset < item->size;) {
    size_t size;
    const uint8_t *window = haul_message_window(delivery->message, offset, &size);
    if (window == NULL) { /* nothing can be sent in place of what was announced */
      session->dead = true;
      haul_set_error(error, HAUL_ERROR_CONNECTION, "spool", "a spooled message cannot be read");
      return false;
    }
    if (!imap_session_write(session, window, size, error))
      return false;
    offset += size;
  }
  return true;
}

static bool
is_crowded(const HaulStore *store)
{
  const ImapWriter *writer = store->writer;
  return writer->under_way.length >= UNDER_WAY_BATCHES
         || (writer->under_way.length > 0 && writer->octets >= UNDER_WAY_OCTETS);
}

static bool
await_batches(HaulStore *store, GError **error)
{
  while (store->writer->under_way.length > 0) {
    if (!imap_session_step(store->session, error))
      return false;
  }
  return true;
}

/* Takes back @delivery, which is taken, from a batch that was answered while it named the folder: a second
 * time, the folder is left. */
static void
withdraw(ImapWriter *writer, const ImapBatch *batch, ImapDelivery *delivery)
{
  ImapFolder *folder = delivery->folder;
  if (!delivery->nameless || writer->fatal != NULL) {
    delivery->nameless = true;
    g_queue_push_tail(&writer->retry, delivery);
    return;
  }
  const char *text = batch->refusal != NULL ? batch->refusal : "";
  g_autofree char *shown = haul_text_display(text, strlen(text));
  g_clear_error(&folder->gone);
  haul_set_error(&folder->gone, HAUL_ERROR_FOLDER, "no-folder",
                 "the server does not take its name: %s", shown);
  imap_delivery_fail(delivery, folder->gone);
}

/* Sends @delivery, which is taken: as part of the open batch, or alone. */
static bool
send_delivery(HaulStore *store, ImapDelivery *delivery, bool alone, GError **error)
{
  ImapWriter *writer = store->writer;
  uint64_t size = haul_message_item(delivery->message)->size;
  bool fine = true;
  if (writer->open != NULL
      && (alone || writer->open->answered || writer->open->folder != delivery->folder
          || imap_compress_is_due(store->session)))
    fine = close_batch(store, error);
  while (fine && writer->open == NULL && is_crowded(store))
    fine = imap_session_step(store->session, error);
  if (fine && writer->open == NULL && imap_compress_is_due(store->session))
    fine = await_batches(store, error) && imap_compress(store->session, error);
  if (fine && writer->open == NULL)
    fine = open_batch(store, delivery->folder, error);
  if (!fine) {
    g_queue_push_tail(&writer->retry, delivery); /* to be failed with the others */
    return false;
  }
  ImapBatch *batch = writer->open;
  g_ptr_array_add(batch->deliveries, delivery);
  batch->octets += size;
  if (batch->answered) { /* while it named the folder */
    g_ptr_array_set_size(batch->deliveries, 0);
    withdraw(writer, batch, delivery);
    return close_batch(store, error);
  }
  if (!send_part(store, batch, delivery, error))
    return false;
  bool full = batch->deliveries->len >= BATCH_MESSAGES || batch->octets >= BATCH_OCTETS;
  if (!alone && !full && !batch->answered)
    return true;
  if (!close_batch(store, error))
    return false;
  while (haul_stream_pending(store->session->stream)) {
    if (!imap_session_step(store->session, error))
      return false;
  }
  return true;
}

/* The folder is there: what was refused in company of another is innocent so far. */
static void
clear_doubts(ImapWriter *writer, const ImapFolder *folder)
{
  for (GList *link = writer->retry.head; link != NULL; link = link->next) {
    ImapDelivery *delivery = link->data;
    if (delivery->folder == folder && delivery->in_company)
      delivery->doubtful = delivery->in_company = false;
  }
}

/* Finds out whether a folder is there after all: mailutils says TRYCREATE of bad messages, too.
 * @delivery is taken. */
static bool
resolve_doubt(HaulStore *store, ImapDelivery *delivery, GError **error)
{
  ImapWriter *writer = store->writer;
  ImapFolder *folder = delivery->folder;
  g_auto(ImapReply) reply = { 0 };
  ImapCommand status = { .name = "STATUS", .reply = &reply };
  if (!imap_session_send_named(store->session, &status, "STATUS ", folder->wire,
                               strlen(folder->wire), " (UIDNEXT)", error)
      || !imap_session_wait(store->session, &reply, error)) {
    g_queue_push_tail(&writer->retry, delivery);
    return false;
  }
  if (reply.condition == IMAP_OK && delivery->in_company) {
    delivery->doubtful = delivery->in_company = false;
    clear_doubts(writer, folder);
    return send_delivery(store, delivery, true, error);
  }
  if (reply.condition == IMAP_OK) {
    g_autofree char *text = g_steal_pointer(&delivery->text);
    imap_delivery_refuse(delivery, "refused", text);
    return true;
  }
  if (imap_asks_for_patience(reply.code, reply.text)) {
    if (writer->fatal == NULL)
      imap_set_refusal(&writer->fatal, HAUL_ERROR_BUSY, "busy", "messages are put off", reply.code,
                       reply.text);
    g_queue_push_tail(&writer->retry, delivery);
    return true;
  }
  g_autofree char *shown = haul_text_display(delivery->text, strlen(delivery->text));
  g_clear_error(&folder->gone);
  haul_set_error(&folder->gone, HAUL_ERROR_FOLDER, "no-folder", "no such folder: %s", shown);
  imap_delivery_fail(delivery, folder->gone);
  return true;
}

/* Sends, with a literal that waits for "+", a message that was not understood: unless others were, whose
 * literals did not wait either. @delivery is taken. */
static bool
try_waiting(HaulStore *store, ImapDelivery *delivery, GError **error)
{
  g_autofree char *text = g_steal_pointer(&delivery->text);
  if (store->session->literal_proven) {
    imap_delivery_refuse(delivery, "refused", text);
    return true;
  }
  imap_extensions_drop(store->session, IMAP_CAP_LITERALS);
  return send_delivery(store, delivery, true, error);
}

/* Does what comes next for a message that was refused. @delivery is taken. */
static bool
try_again(HaulStore *store, ImapDelivery *delivery, GError **error)
{
  if (delivery->folder->gone != NULL) {
    imap_delivery_fail(delivery, delivery->folder->gone);
    return true;
  }
  if (delivery->doubtful)
    return resolve_doubt(store, delivery, error);
  return delivery->waits && delivery->text != NULL ? try_waiting(store, delivery, error)
                                                   : send_delivery(store, delivery, true, error);
}

/* Waits until everything is answered, and what was refused in company has been tried alone. */
static bool
work_off(HaulStore *store, GError **error)
{
  ImapWriter *writer = store->writer;
  do {
    if (!close_batch(store, error) || !await_batches(store, error))
      return false;
    guint n = writer->retry.length;
    for (guint i = 0; i < n && writer->fatal == NULL; i++) {
      if (!try_again(store, g_queue_pop_head(&writer->retry), error))
        return false;
    }
  } while (writer->under_way.length > 0 || (writer->retry.length > 0 && writer->fatal == NULL));
  if (writer->blamed && !writer->excused) /* all arrived alone */
    imap_extensions_forgo(store->session, IMAP_CAP_MULTIAPPEND);
  writer->blamed = writer->excused = false;
  return true;
}

/* Ends a call of the core: after a failure nothing is left unsettled. */
static bool
conclude(HaulStore *store, bool fine, GError *why, GError **error)
{
  ImapWriter *writer = store->writer;
  if (fine && writer->fatal != NULL)
    fine = work_off(store, &why);
  if (fine && writer->fatal == NULL)
    return true;
  if (fine)
    why = g_steal_pointer(&writer->fatal); /* all that was sent is answered */
  g_clear_error(&writer->fatal);
  /* If not all is answered, no answer may come any more to look for its batch. */
  store->session->dead |= !fine;
  fail_all(writer, why);
  g_propagate_error(error, why);
  return false;
}

/* Says why a message of @size octets need not be sent; NULL if it may. */
static char *
why_too_big(const HaulStore *store, uint64_t size)
{
  uint64_t limit = MIN(store->session->append_limit, store->current->append_limit);
  uint64_t refused = haul_account_refused_size(store->account);
  if (size > limit)
    return g_strdup_printf("the server takes at most %" G_GUINT64_FORMAT " octets a message",
                           limit);
  if (size >= refused)
    return g_strdup_printf("the server refused one of %" G_GUINT64_FORMAT " octets for its size",
                           refused);
  return NULL;
}

bool
imap_put(HaulStore *store, HaulMessage *message, HaulTicket *ticket, GError **error)
{
  const HaulItem *item = haul_message_item(message);
  GError *why = NULL;
  size_t window_size;
  ImapDelivery *delivery = g_new0(ImapDelivery, 1);
  delivery->message = haul_message_ref(message);
  delivery->ticket = ticket;
  delivery->folder = store->current;

  if (delivery->folder->gone != NULL) {
    imap_delivery_fail(delivery, delivery->folder->gone);
    return true;
  }
  g_autofree char *too_big = why_too_big(store, item->size);
  if (too_big != NULL) {
    imap_delivery_refuse(delivery, "too-big", too_big);
    return true;
  }
  if (item->size > 0 && haul_message_window(message, 0, &window_size) == NULL) {
    imap_delivery_refuse(delivery, "spool", "a spooled message cannot be read");
    return true;
  }
  bool fine = g_queue_is_empty(&store->writer->retry) || work_off(store, &why);
  if (fine && store->writer->fatal == NULL) {
    /* Dovecot takes an empty literal in a MULTIAPPEND as the wish to cancel all of it. */
    bool alone = item->size == 0 || item->size >= ALONE_OCTETS || !can_batch(store);
    fine = send_delivery(store, delivery, alone, &why);
  } else {
    g_queue_push_tail(&store->writer->retry, delivery);
  }
  return conclude(store, fine, why, error);
}

bool
imap_flush(HaulStore *store, GError **error)
{
  GError *why = NULL;
  bool fine = work_off(store, &why);
  return conclude(store, fine, why, error);
}
