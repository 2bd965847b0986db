/* Deliveries under way. See delivery.h. */
#include "delivery.h"

#include <mailhaul/text.h>
#include <string.h>

#include "keywords.h"
#include "set.h"

void
imap_delivery_free(gpointer data)
{
  ImapDelivery *delivery = data;
  haul_message_unref(delivery->message);
  g_free(delivery->text);
  g_free(delivery);
}

void
imap_delivery_fail(ImapDelivery *delivery, const GError *why)
{
  haul_ticket_fail(delivery->ticket, why);
  imap_delivery_free(delivery);
}

void
imap_delivery_refuse(ImapDelivery *delivery, const char *reason, const char *text)
{
  g_autoptr(GError) why = NULL;
  g_autofree char *shown = haul_text_display(text, strlen(text));
  haul_set_error(&why, HAUL_ERROR_MESSAGE, reason, "%s", shown);
  imap_delivery_fail(delivery, why);
}

void
imap_batch_free(gpointer data)
{
  ImapBatch *batch = data;
  g_ptr_array_unref(batch->deliveries);
  g_free(batch->refusal);
  g_free(batch);
}

void
imap_batch_fail(ImapBatch *batch, const GError *why)
{
  for (guint i = 0; i < batch->deliveries->len; i++)
    imap_delivery_fail(g_ptr_array_index(batch->deliveries, i), why);
  imap_batch_free(batch);
}

void
imap_batch_settle(ImapBatch *batch, const ImapResponse *response)
{
  GPtrArray *deliveries = batch->deliveries;
  g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(ImapRange));
  uint32_t epoch = 0;
  /* Some servers say it without offering UIDPLUS, and are believed. */
  if ((batch->store->session->ignored & IMAP_CAP_UIDPLUS) != 0
      || !imap_span_is(&response->code, "APPENDUID")
      || !imap_parse_appenduid(response->argument, deliveries->len, &epoch, uids))
    g_array_set_size(uids, 0);

  guint at = 0;
  uint32_t uid = uids->len > 0 ? g_array_index(uids, ImapRange, 0).first : 0;
  for (guint i = 0; i < deliveries->len; i++) {
    ImapDelivery *delivery = g_ptr_array_index(deliveries, i);
    if (delivery->bare)
      imap_keywords_refuse(batch->store, delivery->folder,
                           haul_message_item(delivery->message)->keywords);
    delivery->folder->n_left_out += delivery->n_left_out;
    if (uids->len == 0) {
      haul_ticket_done(delivery->ticket, 0, NULL);
    } else {
      char id[12];
      g_snprintf(id, sizeof id, "%" G_GUINT32_FORMAT, uid);
      haul_ticket_done(delivery->ticket, epoch, id);
      if (epoch == delivery->folder->epoch && uid >= delivery->folder->next_id)
        delivery->folder->next_id = (uint64_t)uid + 1;
      if (uid == g_array_index(uids, ImapRange, at).last && at + 1 < uids->len)
        uid = g_array_index(uids, ImapRange, ++at).first;
      else
        uid++;
    }
    imap_delivery_free(delivery);
  }
}
