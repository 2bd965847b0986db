/* Steps of a transcript, each a call of the doorman, and results as lines of text. */
#include "player.h"

#include <mailhaul/error.h>
#include <string.h>

#include "intake.h"
#include "message.h"
#include "store.h"
#include "ticket.h"
#include "values.h"

/* A message that was put. */
typedef struct {
  unsigned number;  /* from 1 */
  unsigned settled; /* how often: once is right */
  Player *player;   /* borrowed */
} Delivery;

struct Player {
  const HaulPlugin *plugin; /* borrowed */
  uint16_t port;
  const char *folder;      /* borrowed */
  const char *ca_path;     /* borrowed, or NULL */
  HaulCancel *cancel;      /* owned */
  HaulAccount *account;    /* owned; NULL before the first open */
  HaulOpenStore *store;    /* owned; NULL while closed */
  GPtrArray *deliveries;   /* owned; Delivery */
  GPtrArray *receipts;     /* owned; by number, NULL until settled */
  GPtrArray *results;      /* borrowed from the running step */
  GArray *visits;          /* owned; HaulVisit, the last ahead() */
  GPtrArray *visit_texts;  /* owned; what the visits point to */
  GPtrArray *visit_ranges; /* owned; likewise                 */
};

/* Notes a result, taken. */
static void
add_result(Player *player, char *line)
{
  g_ptr_array_add(player->results, line);
}

static void G_GNUC_PRINTF(2, 3) result(Player *player, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  add_result(player, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

static const char *
word(GPtrArray *words, unsigned index)
{
  return index < words->len ? ((GString *)words->pdata[index])->str : "";
}

/* Value of the word "NAME=..." among the words, lent, or NULL. @size: its octets, or NULL. */
static const char *
option(GPtrArray *words, const char *name, size_t *size)
{
  size_t length = strlen(name);
  for (unsigned i = 1; i < words->len; i++) {
    const GString *text = words->pdata[i];
    if (strncmp(text->str, name, length) != 0 || text->str[length] != '=')
      continue;
    if (size != NULL)
      *size = text->len - length - 1;
    return text->str + length + 1;
  }
  return NULL;
}

static bool
has_word(GPtrArray *words, const char *wanted)
{
  for (unsigned i = 1; i < words->len; i++)
    if (strcmp(word(words, i), wanted) == 0)
      return true;
  return false;
}

/* --------------------------------------------------------------------------- opening, folders */

static bool
step_open(Player *player, GPtrArray *words, GError **error)
{
  g_clear_pointer(&player->store, haul_store_close);
  g_clear_pointer(&player->account, haul_account_free);
  player->account = haul_account_new(1, player->plugin, player->cancel);
  g_autofree char *port = g_strdup_printf("%u", player->port);
  if (!haul_account_set(player->account, "host", "127.0.0.1", error)
      || !haul_account_set(player->account, "port", port, error)
      || (player->ca_path != NULL
          && !haul_account_set(player->account, "tls-ca", player->ca_path, error)))
    return false;
  for (unsigned i = 1; i < words->len; i++) {
    const char *text = word(words, i), *equals = strchr(text, '=');
    if (equals == NULL)
      continue;
    g_autofree char *key = g_strndup(text, (size_t)(equals - text));
    if (!haul_account_set(player->account, key, equals + 1, error))
      return false;
  }
  HaulIntent intent = has_word(words, "read") ? HAUL_READ : HAUL_READ | HAUL_WRITE;
  player->store = haul_store_open(player->account, intent, error);
  return player->store != NULL;
}

/* Opens another store of the account in place of the one that is open, as a second lane would. */
static bool
step_reopen(Player *player, GPtrArray *words, GError **error)
{
  g_clear_pointer(&player->store, haul_store_close);
  HaulIntent intent = has_word(words, "read") ? HAUL_READ : HAUL_READ | HAUL_WRITE;
  player->store = haul_store_open(player->account, intent, error);
  return player->store != NULL;
}

static bool
each_folder(const HaulFolder *folder, void *data)
{
  add_result(data, show_folder(folder));
  return true;
}

static void
each_folder_result(const char *path, const GError *why, void *data)
{
  if (why == NULL)
    result(data, "done %s", path);
  else
    result(data, "refused %s %s \"%s\"", path, haul_error_reason(why), why->message);
}

/* create and subscribe: the folders named */
static bool
step_make(Player *player, GPtrArray *words, GError **error)
{
  g_autoptr(GArray) folders = g_array_new(FALSE, TRUE, sizeof(HaulFolder));
  for (unsigned i = 1; i < words->len; i++) {
    uint32_t use = parse_use(word(words, i));
    if (use != 0) {
      g_array_index(folders, HaulFolder, folders->len - 1).attributes |= use;
      continue;
    }
    HaulFolder folder = { .path = word(words, i),
                          .n_messages = HAUL_UNKNOWN,
                          .n_octets = HAUL_UNKNOWN,
                          .max_message_octets = HAUL_UNKNOWN };
    g_array_append_val(folders, folder);
  }
  bool create = strcmp(word(words, 0), "create") == 0;
  return (create ? haul_store_create
                 : haul_store_subscribe)(player->store, (const HaulFolder *)folders->data,
                                         folders->len, each_folder_result, player, error);
}

static bool
step_select(Player *player, GPtrArray *words, GError **error)
{
  HaulFolder folder = { .path = word(words, 1),
                        .n_messages = HAUL_UNKNOWN,
                        .n_octets = HAUL_UNKNOWN,
                        .max_message_octets = HAUL_UNKNOWN };
  HaulIntent intent = has_word(words, "write") ? HAUL_WRITE : HAUL_READ;
  if (has_word(words, "singly"))
    intent |= HAUL_WRITE_SINGLY;
  if (!haul_store_select(player->store, word(words, 1), intent, &folder, error))
    return false;
  if (has_word(words, "show"))
    add_result(player, show_folder(&folder));
  return true;
}

/* --------------------------------------------------------------------------------- reading */

static const struct {
  HaulWant want;
  const char *name;
} want_names[] = {
  { HAUL_WANT_SIZE, "size" },
  { HAUL_WANT_DATE, "date" },
  { HAUL_WANT_OBJECT_ID, "object" },
};

static uint32_t
parse_want(GPtrArray *words)
{
  uint32_t want = 0;
  for (unsigned i = 0; i < G_N_ELEMENTS(want_names); i++)
    if (has_word(words, want_names[i].name))
      want |= want_names[i].want;
  return want;
}

static char **
parse_header_fields(GPtrArray *words)
{
  const char *names = option(words, "header", NULL);
  return names != NULL ? g_strsplit(names, ",", -1) : NULL;
}

static bool
each_item(const HaulItem *item, void *data)
{
  add_result(data, show_item("item", item, NULL));
  return true;
}

static bool
step_list(Player *player, GPtrArray *words, GError **error)
{
  g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  g_autoptr(GArray) ranges = parse_ranges(word(words, 1), kept);
  g_auto(GStrv) fields = parse_header_fields(words);
  return haul_store_list(player->store, (const HaulRange *)ranges->data, ranges->len,
                         parse_want(words), (const char *const *)fields, each_item, player, error);
}

static bool
deliver(HaulMessage *message, void *data, GError **error)
{
  GString *body = g_string_new(NULL);
  const uint8_t *window;
  size_t size;
  while ((window = haul_message_window(message, body->len, &size)) != NULL)
    g_string_append_len(body, (const char *)window, (gssize)size);
  add_result(data, show_item("message", haul_message_item(message), body));
  g_string_free(body, TRUE);
  haul_message_unref(message);
  return true;
}

static void
skip(const char *id, const GError *why, void *data)
{
  result(data, "skipped %s %s \"%s\"", id, haul_error_reason(why), why->message);
}

static bool
step_fetch(Player *player, GPtrArray *words, GError **error)
{
  g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  g_autoptr(GArray) ranges = parse_ranges(word(words, 1), kept);
  g_autoptr(HaulIntake) intake =
      haul_intake_new(player->folder, NULL, player->cancel, deliver, skip, player);
  return haul_store_fetch(player->store, (const HaulRange *)ranges->data, ranges->len, intake,
                          error);
}

static void
forget_visits(Player *player)
{
  g_clear_pointer(&player->visits, g_array_unref);
  g_clear_pointer(&player->visit_texts, g_ptr_array_unref);
  g_clear_pointer(&player->visit_ranges, g_ptr_array_unref);
}

static bool
each_changed(const HaulItem *item, void *data)
{
  add_result(data, show_item("item", item, NULL));
  return true;
}

static bool
each_gone(const HaulRange *range, void *data)
{
  result(data, "gone %s:%s", range->first != NULL ? range->first : "",
         range->last != NULL ? range->last : "");
  return true;
}

static bool
step_changes(Player *player, GPtrArray *words, GError **error)
{
  return haul_store_changes(player->store, word(words, 1), each_changed, each_gone, player, error);
}

/* "fetch INBOX 1:* ; list Archive 1:* size ; changes Drafts TOKEN ; put Sent": visits to come. */
static bool
step_ahead(Player *player, GPtrArray *words, GError **error)
{
  GArray *visits = g_array_new(FALSE, FALSE, sizeof(HaulVisit));
  GPtrArray *texts = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  GPtrArray *all_ranges = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  for (unsigned i = 1; i < words->len;) {
    const char *kind = word(words, i);
    char **path = g_strsplit(word(words, i + 1), "\n", 1);
    g_ptr_array_add(texts, path);
    HaulVisit visit = { .path = path[0] };
    unsigned next = i + 2;
    if (strcmp(kind, "put") == 0) {
      visit.kind = HAUL_VISIT_PUT;
    } else if (strcmp(kind, "changes") == 0) {
      char **since = g_strsplit(word(words, next++), "\n", 1);
      g_ptr_array_add(texts, since);
      visit.kind = HAUL_VISIT_CHANGES;
      visit.since = since[0];
    } else {
      visit.kind = strcmp(kind, "list") == 0 ? HAUL_VISIT_LIST : HAUL_VISIT_FETCH;
      GArray *ranges = parse_ranges(word(words, next++), texts);
      g_ptr_array_add(all_ranges, ranges);
      visit.n_ranges = ranges->len;
      visit.ranges = (const HaulRange *)ranges->data;
    }
    for (; next < words->len && strcmp(word(words, next), ";") != 0; next++)
      for (unsigned n = 0; n < G_N_ELEMENTS(want_names); n++)
        if (strcmp(word(words, next), want_names[n].name) == 0)
          visit.want |= want_names[n].want;
    g_array_append_val(visits, visit);
    i = next + 1;
  }
  haul_store_ahead(player->store, (const HaulVisit *)visits->data, visits->len);
  forget_visits(player); /* only now: the store borrowed them until this call */
  player->visits = visits;
  player->visit_texts = texts;
  player->visit_ranges = all_ranges;
  return true;
}

/* --------------------------------------------------------------------------------- writing */

static void
settled(void *data, uint64_t epoch, const char *new_id, const GError *why)
{
  Delivery *delivery = data;
  if (delivery->settled++ > 0)
    return;
  GString *out = g_string_new(NULL);
  if (why == NULL) {
    g_string_append_printf(out, "receipt %u", delivery->number);
    if (new_id != NULL)
      g_string_append_printf(out, " id %s", new_id);
    if (epoch != 0)
      g_string_append_printf(out, " epoch %" G_GUINT64_FORMAT, epoch);
  } else {
    static const char *const reaches[] = { "message", "folder",  "connection",
                                           "busy",    "account", "cancelled" };
    g_string_append_printf(out, "refusal %u %s %s \"%s\"", delivery->number,
                           reaches[haul_error_reach(why)], haul_error_reason(why), why->message);
  }
  delivery->player->receipts->pdata[delivery->number - 1] = g_string_free(out, FALSE);
}

static HaulMessage *
compose_message(GPtrArray *words, GPtrArray *keywords)
{
  size_t size = 0;
  const char *flags = option(words, "flags", NULL), *date = option(words, "date", NULL),
             *repeat = option(words, "repeat", NULL), *body = option(words, "body", &size);
  HaulItem item = { .id = "1", .date = HAUL_NO_DATE };
  item.flags = parse_flags(flags != NULL ? flags : "", keywords);
  item.keywords = keywords->len > 1 ? (const char *const *)keywords->pdata : NULL;
  if (date != NULL) {
    g_autoptr(GDateTime) when = g_date_time_new_from_iso8601(date, NULL);
    g_assert_nonnull(when);
    item.date = g_date_time_to_unix(when);
    item.date_zone = (int32_t)(g_date_time_get_utc_offset(when) / G_USEC_PER_SEC);
  }
  GString *octets = g_string_new(NULL);
  for (uint64_t n = repeat != NULL ? g_ascii_strtoull(repeat, NULL, 10) : 1; n > 0; n--)
    g_string_append_len(octets, body, (gssize)size);
  item.size = octets->len;
  HaulMessage *message = haul_message_new(&item, octets->str, octets->len);
  g_string_free(octets, TRUE);
  return message;
}

static bool
step_put(Player *player, GPtrArray *words, GError **error)
{
  g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(HaulMessage) message = compose_message(words, keywords);
  Delivery *delivery = g_new0(Delivery, 1);
  delivery->player = player;
  delivery->number = player->deliveries->len + 1;
  g_ptr_array_add(player->deliveries, delivery);
  g_ptr_array_add(player->receipts, NULL);
  return haul_store_put(player->store, message, haul_ticket_new(settled, delivery), error);
}

static bool
step_set_flags(Player *player, GPtrArray *words, GError **error)
{
  g_auto(GStrv) ids = g_strsplit(word(words, 1), ",", -1);
  g_autoptr(GPtrArray) add = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) remove = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GString) adds = g_string_new(NULL);
  g_autoptr(GString) removes = g_string_new(NULL);
  for (unsigned i = 2; i < words->len; i++)
    g_string_append_printf(word(words, i)[0] == '+' ? adds : removes, "%s,", word(words, i) + 1);
  HaulFlagChange change = { .add = parse_flags(adds->str, add),
                            .remove = parse_flags(removes->str, remove) };
  change.add_keywords = (const char *const *)add->pdata;
  change.remove_keywords = (const char *const *)remove->pdata;
  return haul_store_set_flags(player->store, (const char *const *)ids, g_strv_length(ids), &change,
                              error);
}

static bool
each_copied(const char *id, const char *new_id, void *data)
{
  result(data, "copied %s%s%s", id, new_id != NULL ? " as " : "", new_id != NULL ? new_id : "");
  return true;
}

static bool
step_copy(Player *player, GPtrArray *words, GError **error)
{
  g_auto(GStrv) ids = g_strsplit(word(words, 1), ",", -1);
  return haul_store_copy(player->store, (const char *const *)ids, g_strv_length(ids),
                         word(words, 2), has_word(words, "move"), each_copied, player, error);
}

/* ------------------------------------------------------------------------------- the player */

static bool
step_folders(Player *player, GPtrArray *words, GError **error)
{
  return haul_store_folders(player->store, each_folder, player, error);
}

static bool
step_search(Player *player, GPtrArray *words, GError **error)
{
  return haul_store_search(player->store, word(words, 1), each_item, player, error);
}

static bool
step_expunge(Player *player, GPtrArray *words, GError **error)
{
  g_auto(GStrv) ids = g_strsplit(word(words, 1), ",", -1);
  return haul_store_expunge(player->store, (const char *const *)ids, g_strv_length(ids), error);
}

static bool
step_rename(Player *player, GPtrArray *words, GError **error)
{
  return haul_store_rename(player->store, word(words, 1), word(words, 2), error);
}

static bool
step_remove(Player *player, GPtrArray *words, GError **error)
{
  return haul_store_remove(player->store, word(words, 1), error);
}

static bool
step_wait(Player *player, GPtrArray *words, GError **error)
{
  bool changed;
  unsigned timeout_s = (unsigned)g_ascii_strtoull(word(words, 1), NULL, 10);
  if (!haul_store_wait(player->store, timeout_s, &changed, error))
    return false;
  result(player, changed ? "changed" : "unchanged");
  return true;
}

static bool
step_quota(Player *player, GPtrArray *words, GError **error)
{
  uint64_t used, limit;
  if (!haul_store_quota(player->store, &used, &limit, error))
    return false;
  if (limit == HAUL_UNKNOWN)
    result(player, "quota unknown");
  else
    result(player, "quota %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, used, limit);
  return true;
}

static bool
step_flush(Player *player, GPtrArray *words, GError **error)
{
  return haul_store_flush(player->store, error);
}

static bool
step_close(Player *player, GPtrArray *words, GError **error)
{
  g_clear_pointer(&player->store, haul_store_close);
  return true;
}

static bool
step_identity(Player *player, GPtrArray *words, GError **error)
{
  g_autofree char *identity = haul_store_identity(player->store);
  result(player, "identity %s", identity != NULL ? identity : "unknown");
  return true;
}

static const struct {
  const char *name;
  bool (*carry_out)(Player *player, GPtrArray *words, GError **error);
} steps[] = {
  { "open", step_open },           { "close", step_close },   { "identity", step_identity },
  { "folders", step_folders },     { "create", step_make },   { "subscribe", step_make },
  { "select", step_select },       { "list", step_list },     { "fetch", step_fetch },
  { "ahead", step_ahead },         { "put", step_put },       { "flush", step_flush },
  { "set-flags", step_set_flags }, { "reopen", step_reopen }, { "copy", step_copy },
  { "changes", step_changes },     { "quota", step_quota },   { "search", step_search },
  { "expunge", step_expunge },     { "rename", step_rename }, { "remove", step_remove },
  { "wait", step_wait },
};

bool
player_step(Player *player, const char *step, GPtrArray *results, GError **error)
{
  g_autoptr(GPtrArray) words = script_words(step);
  player->results = results;
  for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++)
    if (strcmp(steps[i].name, word(words, 0)) == 0)
      return steps[i].carry_out(player, words, error);
  g_error("unknown step: %s", step);
}

Player *
player_new(const HaulPlugin *plugin, uint16_t port, const char *folder, const char *ca_path)
{
  Player *player = g_new0(Player, 1);
  player->plugin = plugin;
  player->port = port;
  player->folder = folder;
  player->ca_path = ca_path;
  player->cancel = haul_cancel_new();
  player->deliveries = g_ptr_array_new_with_free_func(g_free);
  player->receipts = g_ptr_array_new_with_free_func(g_free);
  return player;
}

GPtrArray *
player_receipts(Player *player)
{
  return player->receipts;
}

unsigned
player_outstanding(const Player *player)
{
  unsigned outstanding = 0;
  for (unsigned i = 0; i < player->deliveries->len; i++)
    outstanding += ((Delivery *)player->deliveries->pdata[i])->settled == 0;
  return outstanding;
}

bool
player_free(Player *player)
{
  g_clear_pointer(&player->store, haul_store_close);
  bool once = true;
  for (unsigned i = 0; i < player->deliveries->len; i++)
    once = once && ((Delivery *)player->deliveries->pdata[i])->settled == 1;
  if (player->account != NULL)
    haul_account_free(player->account);
  haul_cancel_free(player->cancel);
  g_ptr_array_unref(player->deliveries);
  g_ptr_array_unref(player->receipts);
  forget_visits(player);
  g_free(player);
  return once;
}
