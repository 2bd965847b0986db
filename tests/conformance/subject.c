/* The store under test. */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "message.h"
#include "ticket.h"

Opened
open_subject(HaulIntent intent)
{
  g_autoptr(GError) why = NULL;
  Opened opened = { .cancel = haul_cancel_new() };
  opened.account = haul_account_new(2, subject.plugin, opened.cancel);
  for (char **setting = subject.settings; *setting != NULL && why == NULL; setting++) {
    g_auto(GStrv) parts = g_strsplit(*setting, "=", 2);
    haul_account_set(opened.account, parts[0], parts[1] != NULL ? parts[1] : "", &why);
  }
  if (why == NULL && haul_account_check(opened.account, &why))
    opened.store = haul_store_open(opened.account, intent, &why);
  if (opened.store == NULL) {
    printf("cannot open the store: %s\n", why != NULL ? why->message : "no error was set");
    exit(EXIT_FAILURE);
  }
  return opened;
}

void
close_subject(Opened *opened)
{
  haul_store_close(opened->store);
  haul_account_free(opened->account);
  haul_cancel_free(opened->cancel);
}

/* Folders. */

char *
folder_called(const char *level)
{
  return g_strdup_printf("%s/%s", subject.base, level);
}

static void
keep_result(const char *path, const GError *why, void *data)
{
  GError **kept = data;
  if (why != NULL && *kept == NULL)
    *kept = g_error_copy(why);
}

bool
create_one(Opened *opened, const char *path, GError **error)
{
  const HaulFolder folder = { .path = path };
  g_autoptr(GError) why = NULL;
  if (!haul_store_create(opened->store, &folder, 1, keep_result, &why, error))
    return false;
  if (why == NULL)
    return true;
  g_propagate_error(error, g_steal_pointer(&why));
  return false;
}

char *
create_fresh(Opened *opened, const char *level)
{
  char *path = folder_called(level);
  MUST(create_one(opened, path, error));
  return path;
}

static void
told_free(gpointer data)
{
  ToldFolder *told = data;
  g_free(told->path);
  g_free(told->change_token);
  g_free(told);
}

static bool
keep_folder(const HaulFolder *folder, void *data)
{
  GHashTable *all = data;
  ToldFolder *told = g_hash_table_lookup(all, folder->path);
  if (told != NULL) {
    told->times++;
    return true;
  }
  told = g_new0(ToldFolder, 1);
  told->path = g_strdup(folder->path);
  told->epoch = folder->epoch;
  told->n_messages = folder->n_messages;
  told->attributes = folder->attributes;
  told->change_token = g_strdup(folder->change_token);
  told->times = 1;
  g_hash_table_insert(all, told->path, told);
  return true;
}

GHashTable *
told_folders(Opened *opened)
{
  GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, told_free);
  MUST(haul_store_folders(opened->store, keep_folder, all, error));
  return all;
}

/* Messages. */

HaulMessage *
message_of(const HaulItem *item, const void *octets, size_t size)
{
  HaulBodyWriter *body = haul_body_writer_new(subject.spool, NULL, size, NULL);
  g_assert(body != NULL);
  for (size_t done = 0; done < size;) {
    size_t room;
    void *buffer = haul_body_writer_reserve(body, size - done, &room, NULL);
    g_assert(buffer != NULL);
    memcpy(buffer, (const char *)octets + done, room);
    haul_body_writer_advance(body, room);
    done += room;
  }
  return haul_body_writer_seal(body, item, NULL);
}

GBytes *
octets_of(HaulMessage *message)
{
  GByteArray *all = g_byte_array_new();
  size_t size;
  for (const uint8_t *octets; (octets = haul_message_window(message, all->len, &size)) != NULL;)
    g_byte_array_append(all, octets, (guint)size);
  return g_byte_array_free_to_bytes(all);
}

void
receipt_clear(Receipt *receipt)
{
  g_free(receipt->id);
  *receipt = (Receipt){ 0 };
}

static void
keep_receipt(void *data, uint64_t epoch, const char *new_id, const GError *why)
{
  Receipt *receipt = data;
  receipt->settled++;
  receipt->epoch = epoch;
  g_free(receipt->id);
  receipt->id = g_strdup(new_id);
  receipt->refused = why != NULL;
  if (why != NULL) {
    receipt->reach = haul_error_reach(why);
    if (!subject.lenient)
      printf("refused: %s\n", why->message);
  }
}

bool
put_one(Opened *opened, const HaulItem *item, const void *octets, size_t size, Receipt *receipt,
        GError **error)
{
  g_autoptr(HaulMessage) message = message_of(item, octets, size);
  return haul_store_put(opened->store, message, haul_ticket_new(keep_receipt, receipt), error);
}

static void
item_free(gpointer data)
{
  ListedItem *item = data;
  g_free(item->id);
  g_strfreev(item->keywords);
  if (item->header != NULL)
    g_bytes_unref(item->header);
  g_free(item);
}

static int
compare_names(const void *a, const void *b)
{
  return g_ascii_strcasecmp(*(char *const *)a, *(char *const *)b);
}

static char **
sorted_copy(const char *const *names)
{
  char **copy = names != NULL ? g_strdupv((char **)names) : g_new0(char *, 1);
  qsort(copy, g_strv_length(copy), sizeof *copy, compare_names);
  return copy;
}

static bool
keep_item(const HaulItem *item, void *data)
{
  ListedItem *kept = g_new0(ListedItem, 1);
  kept->id = g_strdup(item->id);
  kept->size = item->size;
  kept->date = item->date;
  kept->flags = item->flags;
  kept->keywords = sorted_copy(item->keywords);
  if (item->header != NULL)
    kept->header = g_bytes_new(item->header, item->header_size);
  g_ptr_array_add(data, kept);
  return true;
}

GPtrArray *
list_ranges(Opened *opened, const HaulRange *ranges, size_t n_ranges, uint32_t want,
            const char *const *fields, GError **error)
{
  g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
  if (!haul_store_list(opened->store, ranges, n_ranges, want, fields, keep_item, items, error))
    return NULL;
  return g_steal_pointer(&items);
}

GPtrArray *
list_all(Opened *opened, uint32_t want, const char *const *fields, GError **error)
{
  const HaulRange all = { NULL, NULL };
  return list_ranges(opened, &all, 1, want, fields, error);
}

static bool
keep_message(HaulMessage *message, void *data, GError **error)
{
  Fetched *fetched = data;
  g_ptr_array_add(fetched->messages, message);
  return true;
}

static void
keep_skipped(const char *id, const GError *why, void *data)
{
  Fetched *fetched = data;
  g_assert(why != NULL);
  g_ptr_array_add(fetched->skipped, g_strdup(id));
}

bool
fetch_ranges(Opened *opened, const HaulRange *ranges, size_t n_ranges, Fetched *fetched,
             GError **error)
{
  fetched->messages = g_ptr_array_new_with_free_func((GDestroyNotify)haul_message_unref);
  fetched->skipped = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(HaulIntake) intake =
      haul_intake_new(subject.spool, NULL, opened->cancel, keep_message, keep_skipped, fetched);
  return haul_store_fetch(opened->store, ranges, n_ranges, intake, error);
}

void
fetched_clear(Fetched *fetched)
{
  if (fetched->messages != NULL)
    g_ptr_array_unref(fetched->messages);
  if (fetched->skipped != NULL)
    g_ptr_array_unref(fetched->skipped);
  *fetched = (Fetched){ 0 };
}
