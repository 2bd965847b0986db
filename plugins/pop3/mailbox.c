/* What lies in the mailbox, as one session sees it. See mailbox.h. */
#include "mailbox.h"

#include <inttypes.h>
#include <string.h>

#include <mailhaul/error.h>

#include "ids.h"
#include "limits.h"
#include "refusal.h"
#include "store.h"
#include "wire.h"

Pop3Mailbox *
pop3_mailbox_new(void)
{
  Pop3Mailbox *mailbox = g_new0(Pop3Mailbox, 1);
  mailbox->entries = g_array_new(FALSE, TRUE, sizeof(Pop3Entry));
  mailbox->left_out = g_array_new(FALSE, TRUE, sizeof(Pop3Entry));
  mailbox->texts = g_string_chunk_new(16 << 10);
  mailbox->by_id = g_hash_table_new(g_str_hash, g_str_equal);
  mailbox->contents = g_hash_table_new(g_str_hash, g_str_equal);
  return mailbox;
}

void
pop3_mailbox_free(Pop3Mailbox *mailbox)
{
  if (mailbox == NULL)
    return;
  g_array_unref(mailbox->entries);
  g_array_unref(mailbox->left_out);
  g_string_chunk_free(mailbox->texts);
  g_hash_table_unref(mailbox->by_id);
  g_hash_table_unref(mailbox->contents);
  g_free(mailbox->token);
  g_free(mailbox);
}

/* ---- ids ---- */

guint
pop3_mailbox_find(const Pop3Mailbox *mailbox, const char *id)
{
  guint found = GPOINTER_TO_UINT(g_hash_table_lookup(mailbox->by_id, id));
  return found > 0 ? found - 1 : mailbox->entries->len;
}

static void
set_id(Pop3Mailbox *mailbox, guint index, const char *id)
{
  Pop3Entry *entry = pop3_mailbox_entry(mailbox, index);
  entry->id = g_string_chunk_insert(mailbox->texts, id);
  g_hash_table_insert(mailbox->by_id, (char *)entry->id, GUINT_TO_POINTER(index + 1));
}

void
pop3_mailbox_give_name(Pop3Mailbox *mailbox, guint index, const char *first)
{
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(mailbox->contents, first)) + 1;
  g_autofree char *id = pop3_ids_nth(first, n);
  set_id(mailbox, index, id);
  const char *key = n == 1 ? pop3_mailbox_entry(mailbox, index)->id
                           : pop3_mailbox_entry(mailbox, pop3_mailbox_find(mailbox, first))->id;
  g_hash_table_insert(mailbox->contents, (char *)key, GUINT_TO_POINTER(n));
}

guint
pop3_mailbox_n_alike(const Pop3Mailbox *mailbox, const char *id)
{
  g_autofree char *first = pop3_ids_first(id);
  return GPOINTER_TO_UINT(g_hash_table_lookup(mailbox->contents, first));
}

/* ---- the listings ---- */

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
  uint32_t x = ((const Pop3Entry *)a)->number, y = ((const Pop3Entry *)b)->number;
  return (x > y) - (x < y);
}

/* Makes one entry of those of a number, the first @n of @entries. Two UIDLs for it are none. */
static Pop3Entry
joined(const Pop3Entry *entries, guint n)
{
  Pop3Entry entry = entries[0];
  bool is_disputed = false;
  for (guint i = 1; i < n; i++) {
    if (entries[i].size != HAUL_UNKNOWN)
      entry.size = entries[i].size;
    is_disputed |=
        entry.id != NULL && entries[i].id != NULL && strcmp(entry.id, entries[i].id) != 0;
    if (entry.id == NULL)
      entry.id = entries[i].id;
  }
  if (is_disputed)
    entry.id = NULL;
  return entry;
}

static void
join_numbers(GArray *entries)
{
  g_array_sort(entries, compare_numbers);
  guint kept = 0;
  for (guint i = 0, n; i < entries->len; i += n) {
    const Pop3Entry *first = &g_array_index(entries, Pop3Entry, i);
    for (n = 1; i + n < entries->len && first[n].number == first->number;)
      n++;
    Pop3Entry entry = joined(first, n);
    g_array_index(entries, Pop3Entry, kept++) = entry;
  }
  g_array_set_size(entries, kept);
}

/* Takes from all that share a UIDL with another one what names neither. */
static void
drop_shared_uidls(Pop3Mailbox *mailbox)
{
  g_hash_table_remove_all(mailbox->by_id);
  for (guint i = 0; i < mailbox->entries->len; i++) {
    Pop3Entry *entry = pop3_mailbox_entry(mailbox, i);
    if (entry->id == NULL)
      continue;
    gpointer seen;
    if (!g_hash_table_lookup_extended(mailbox->by_id, entry->id, NULL, &seen)) {
      g_hash_table_insert(mailbox->by_id, (char *)entry->id, GUINT_TO_POINTER(i + 1));
      continue;
    }
    if (seen != NULL)
      pop3_mailbox_entry(mailbox, GPOINTER_TO_UINT(seen) - 1)->id = NULL;
    g_hash_table_insert(mailbox->by_id, (char *)entry->id, NULL);
    entry->id = NULL;
  }
}

/* Whether UIDLs are only the numbers of the messages, which are others' in the next session. */
static bool
are_numbers(const Pop3Mailbox *mailbox)
{
  for (guint i = 0; i < mailbox->entries->len; i++) {
    const Pop3Entry *entry = pop3_mailbox_entry(mailbox, i);
    char number[16];
    g_snprintf(number, sizeof number, "%" PRIu32, entry->number);
    if (entry->id != NULL && strcmp(entry->id, number) != 0)
      return false;
  }
  return true;
}

/* Takes from messages what does not name them. */
static void
drop_uidls(Pop3Mailbox *mailbox)
{
  if (are_numbers(mailbox))
    for (guint i = 0; i < mailbox->entries->len; i++)
      pop3_mailbox_entry(mailbox, i)->id = NULL;
  drop_shared_uidls(mailbox);
}

/* Makes of the lines of both listings what they say together. */
static void
settle(Pop3Mailbox *mailbox)
{
  join_numbers(mailbox->entries);
  drop_uidls(mailbox);
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  mailbox->lacks_names = false;
  for (guint i = 0; i < mailbox->entries->len; i++) {
    const Pop3Entry *entry = pop3_mailbox_entry(mailbox, i);
    mailbox->lacks_names |= entry->id == NULL;
    if (entry->id != NULL)
      g_checksum_update(sum, (const guchar *)entry->id, (gssize)strlen(entry->id) + 1);
  }
  g_clear_pointer(&mailbox->token, g_free);
  if (mailbox->has_uidls && !mailbox->lacks_names)
    mailbox->token = g_strdup(g_checksum_get_string(sum));
}

/* Takes one line of a listing. */
static void
take_line(Pop3Mailbox *mailbox, bool is_uidl, const char *line, size_t size)
{
  Pop3Entry entry = { .size = HAUL_UNKNOWN };
  const char *rest;
  size_t rest_size;
  if (!pop3_wire_listing(line, size, &entry.number, &rest, &rest_size))
    return;
  if (!is_uidl)
    entry.size = pop3_wire_size(rest, rest_size);
  else if (pop3_ids_is_uidl(rest, rest_size))
    entry.id = g_string_chunk_insert_len(mailbox->texts, rest, (gssize)rest_size);
  g_array_append_val(mailbox->entries, entry);
}

/* Reads the answer to UIDL or LIST. *@known: whether the server has it. */
static bool
read_listing(HaulStore *store, bool is_uidl, bool *known, GError **error)
{
  Pop3Status status;
  if (!pop3_session_status(store->session, &status, error))
    return false;
  *known = status.ok;
  if (!status.ok && pop3_classify(status.code, status.text) != POP3_REFUSED) {
    g_propagate_error(error, pop3_session_refusal_as(store->session, &status, HAUL_ERROR_FOLDER,
                                                     "select", "listing the mailbox"));
    return false;
  }
  if (!status.ok)
    return true;
  const char *line;
  size_t size;
  for (guint n = 0; pop3_session_line(store->session, &line, &size, error); n++) {
    if (line == NULL)
      return true;
    if (n == POP3_MESSAGES_LIMIT) {
      haul_set_error(error, HAUL_ERROR_CONNECTION, "protocol",
                     "the server lists more than %d messages", POP3_MESSAGES_LIMIT);
      return false;
    }
    take_line(store->mailbox, is_uidl, line, size);
  }
  return false;
}

/* Makes entries of what STAT counts, where a server can list nothing. */
static bool
count_instead(HaulStore *store, GError **error)
{
  Pop3Status status;
  if (!pop3_session_send(store->session, error, "STAT")
      || !pop3_session_status(store->session, &status, error))
    return false;
  const char *rest;
  size_t rest_size;
  Pop3Entry entry = { .size = HAUL_UNKNOWN };
  uint32_t n = 0;
  if (!status.ok
      || (!pop3_wire_listing(status.text, strlen(status.text), &n, &rest, &rest_size)
          && status.text[0] != '0')
      || n > POP3_MESSAGES_LIMIT) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "select",
                   "the server knows neither UIDL, LIST nor STAT");
    return false;
  }
  while (entry.number++ < n)
    g_array_append_val(store->mailbox->entries, entry);
  return true;
}

/* Whether messages are left out in the middle: those at the end can only be seen by the other listing. */
static bool
has_holes(const Pop3Mailbox *mailbox)
{
  guint n = mailbox->entries->len;
  return n > 0 && pop3_mailbox_entry(mailbox, n - 1)->number != n;
}

/* Asks for the listings; both in one flight where both are wanted. */
static bool
read_listings(HaulStore *store, bool wants_uidls, bool wants_sizes, GError **error)
{
  Pop3Session *session = store->session;
  Pop3Mailbox *mailbox = store->mailbox;
  bool at_once = wants_uidls && wants_sizes && pop3_session_window(session) > 1;
  if (wants_uidls
      && (!pop3_session_send(session, error, "UIDL")
          || (at_once && !pop3_session_send(session, error, "LIST"))
          || !read_listing(store, true, &mailbox->has_uidls, error)))
    return false;
  bool lists = true;
  if (wants_sizes || !mailbox->has_uidls) {
    if ((!at_once && !pop3_session_send(session, error, "LIST"))
        || !read_listing(store, false, &lists, error))
      return false;
    mailbox->has_sizes = true;
  }
  if (!lists && !mailbox->has_uidls && !count_instead(store, error))
    return false;
  settle(mailbox);
  return true;
}

bool
pop3_mailbox_look(HaulStore *store, Pop3Look look, GError **error)
{
  if (!pop3_store_connect(store, error))
    return false;
  bool is_new = store->mailbox == NULL;
  if (is_new)
    store->mailbox = pop3_mailbox_new();
  bool wants_sizes = look == POP3_LOOK_ALL && !store->mailbox->has_sizes;
  if ((is_new || wants_sizes) && !read_listings(store, is_new, wants_sizes, error)) {
    pop3_store_drop(store);
    return false;
  }
  if (!store->mailbox->has_sizes && has_holes(store->mailbox))
    return pop3_mailbox_look(store, POP3_LOOK_ALL, error);
  return true;
}

/* ---- LIST in company ---- */

bool
pop3_mailbox_can_ask_along(const HaulStore *store)
{
  const Pop3Mailbox *mailbox = store->mailbox;
  return !mailbox->has_sizes && mailbox->token != NULL && mailbox->entries->len > 0
         && pop3_session_window(store->session) > 1;
}

/* Takes what LIST says of messages that UIDL named, and puts the others aside. */
static void
take_size(Pop3Mailbox *mailbox, const Pop3Entry *told)
{
  guint index = told->number - 1; /* there are no holes, or all would have been asked at once */
  if (index < mailbox->entries->len && pop3_mailbox_entry(mailbox, index)->number == told->number)
    pop3_mailbox_entry(mailbox, index)->size = told->size;
  else
    g_array_append_val(mailbox->left_out, *told);
}

bool
pop3_mailbox_take_sizes(HaulStore *store, GError **error)
{
  Pop3Mailbox *mailbox = store->mailbox;
  bool lists;
  guint n = mailbox->entries->len;
  mailbox->has_sizes = true;
  if (!read_listing(store, false, &lists, error))
    return false;
  for (guint i = n; i < mailbox->entries->len; i++)
    take_size(mailbox, pop3_mailbox_entry(mailbox, i));
  g_array_set_size(mailbox->entries, n);
  return true;
}

GArray *
pop3_mailbox_admit_left_out(Pop3Mailbox *mailbox)
{
  GArray *indices = g_array_new(FALSE, FALSE, sizeof(guint));
  if (mailbox->left_out->len == 0)
    return indices;
  guint last = pop3_mailbox_entry(mailbox, mailbox->entries->len - 1)->number;
  g_array_append_vals(mailbox->entries, mailbox->left_out->data, mailbox->left_out->len);
  g_array_set_size(mailbox->left_out, 0);
  settle(mailbox);
  for (guint i = 0; i < mailbox->entries->len; i++)
    if (pop3_mailbox_entry(mailbox, i)->number > last)
      g_array_append_val(indices, i);
  return indices;
}

/* ---- ranges ---- */

static bool
find_end(const Pop3Mailbox *mailbox, const char *id, guint otherwise, guint *index, GError **error)
{
  *index = id != NULL ? pop3_mailbox_find(mailbox, id) : otherwise;
  if (*index < mailbox->entries->len)
    return true;
  haul_set_error(error, HAUL_ERROR_CONNECTION, "closed",
                 "the mailbox was changed by somebody else between two sessions");
  return false;
}

GArray *
pop3_mailbox_choose(const Pop3Mailbox *mailbox, const HaulRange *ranges, size_t n_ranges,
                    GError **error)
{
  guint n = mailbox->entries->len;
  /* Counts how many ranges open before each entry and close behind it: linear, however they lie. */
  g_autofree int32_t *steps = g_new0(int32_t, n + 1);
  for (size_t i = 0; i < n_ranges && n > 0; i++) {
    const HaulRange *range = &ranges[i];
    guint first, last;
    if (pop3_range_is_single(range) && pop3_mailbox_find(mailbox, range->first) == n)
      continue;
    if (!find_end(mailbox, range->first, 0, &first, error)
        || !find_end(mailbox, range->last, n - 1, &last, error))
      return NULL;
    if (first <= last) {
      steps[first]++;
      steps[last + 1]--;
    }
  }
  GArray *chosen = g_array_new(FALSE, FALSE, sizeof(guint));
  int32_t open = 0;
  for (guint i = 0; i < n; i++)
    if ((open += steps[i]) > 0)
      g_array_append_val(chosen, i);
  return chosen;
}
