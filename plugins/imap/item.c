/* FETCH responses as items. See item.h. */
#include "item.h"

#include "labels.h"

void
imap_item_room_init(ImapItemRoom *room)
{
  *room = (ImapItemRoom){ .text = g_string_new(NULL),
                          .keywords = g_ptr_array_new(),
                          .labels = g_ptr_array_new_with_free_func(g_free) };
}

void
imap_item_room_free(ImapItemRoom *room)
{
  g_clear_pointer(&room->object_id, g_free);
  if (room->text != NULL)
    g_string_free(g_steal_pointer(&room->text), TRUE);
  g_clear_pointer(&room->keywords, g_ptr_array_unref);
  g_clear_pointer(&room->labels, g_ptr_array_unref);
}

void
imap_item_keep_keywords(ImapItemRoom *room, const ImapFetch *fetch)
{
  const GArray *keywords = fetch->flags.keywords;
  g_string_truncate(room->text, 0);
  g_ptr_array_set_size(room->keywords, 0);
  if (keywords->len == 0)
    return;
  for (guint i = 0; i < keywords->len; i++) {
    const ImapSpan *keyword = &g_array_index(keywords, ImapSpan, i);
    g_string_append_len(room->text, keyword->at, (gssize)keyword->size);
    g_string_append_c(room->text, '\0');
  }
  const char *at = room->text->str; /* which moves no more */
  for (guint i = 0; i < keywords->len; i++) {
    g_ptr_array_add(room->keywords, (gpointer)at);
    at += g_array_index(keywords, ImapSpan, i).size + 1;
  }
  g_ptr_array_add(room->keywords, NULL);
}

void
imap_item_keep_object_id(ImapItemRoom *room, const ImapFetch *fetch)
{
  g_clear_pointer(&room->object_id, g_free);
  if (fetch->object_id.at != NULL)
    room->object_id = imap_span_dup(&fetch->object_id, NULL);
}

void
imap_item_keep_labels(ImapItemRoom *room, HaulStore *store, const ImapFetch *fetch)
{
  g_ptr_array_set_size(room->labels, 0);
  imap_labels_append_paths(store, fetch->labels, room->labels);
  if (room->labels->len > 0)
    g_ptr_array_add(room->labels, NULL);
}

void
imap_item_keep(ImapItemRoom *room, HaulStore *store, const ImapFetch *fetch)
{
  imap_item_keep_keywords(room, fetch);
  imap_item_keep_object_id(room, fetch);
  imap_item_keep_labels(room, store, fetch);
}

void
imap_item_fill(ImapItemRoom *room, const ImapFetch *fetch, HaulItem *item)
{
  char *at = room->id + sizeof room->id;
  *--at = '\0';
  for (uint64_t rest = fetch->uid; rest > 0; rest /= 10)
    *--at = (char)('0' + rest % 10);
  *item = (HaulItem){
    .id = at,
    .object_id = room->object_id,
    .size = fetch->size,
    .date = fetch->date,
    .date_zone = fetch->zone,
    .flags = fetch->flags.flags,
    .keywords = room->keywords->len > 0 ? (const char *const *)room->keywords->pdata : NULL,
    .labels = room->labels->len > 0 ? (const char *const *)room->labels->pdata : NULL,
    .header = (const uint8_t *)fetch->header.at,
    .header_size = fetch->header.size,
  };
}
