/* Which messages of a folder a run is about. See selecting.h. */
#include "selecting.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "arrival.h"
#include "intake.h"

/* ---- the selection ---- */

static bool
parse_key(const char *text, unsigned side, HaulSearchKey **key, GError **error)
{
  if (text == NULL)
    return true;
  g_autoptr(GError) why = NULL;
  *key = haul_search_key_parse(text, &why);
  if (*key == NULL)
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--search%u: %s", side, why->message);
  return *key != NULL;
}

bool
haul_selection_new(const HaulPolicy *policy, int64_t now, HaulSelection **selection, GError **error)
{
  g_autoptr(HaulSelection) made = g_new0(HaulSelection, 1);
  made->measures = (HaulMeasures){
    .min_octets = policy->min_octets,
    .max_octets = policy->max_octets,
    .min_age_s = policy->min_age_s,
    .max_age_s = policy->max_age_s,
    .now = now,
  };
  made->texts[0] = policy->search1;
  made->texts[1] = policy->search2;
  *selection = NULL;
  for (unsigned i = 0; i < 2; i++)
    if (!parse_key(made->texts[i], i + 1, &made->keys[i], error))
      return false;
  if (haul_selection_concerns(made, 1) || haul_selection_concerns(made, 2))
    *selection = g_steal_pointer(&made);
  return true;
}

void
haul_selection_free(HaulSelection *selection)
{
  if (selection == NULL)
    return;
  haul_search_key_free(selection->keys[0]);
  haul_search_key_free(selection->keys[1]);
  g_free(selection);
}

bool
haul_selection_concerns(const HaulSelection *selection, unsigned side)
{
  return selection != NULL
         && (selection->keys[side - 1] != NULL
             || (side == 1
                 && (haul_measures_sizes(&selection->measures)
                     || haul_measures_ages(&selection->measures))));
}

/* ---- a folder ---- */

typedef struct {
  const HaulSelection *selection;
  HaulMeasures measures;    /* nothing for the destination */
  const HaulSearchKey *key; /* NULL: there is none */
  GHashTable *found;        /* owned; ids as numbers; NULL: we look at the messages */
  HaulIds *ids;             /* owned; of @found */
  uint32_t needs;           /* HaulSearchNeeds of the key, if it is us who look */
  GPtrArray *fields;        /* owned; the same of header fields; NULL-terminated */
  GPtrArray
      *undated;      /* owned; ids of messages whose date their header has to tell; NULL: not now */
  GPtrArray *unread; /* owned; ids of those that have to be read */
  HaulVerdictFunc each;
  void *data;
} Selecting;

static void
selecting_clear(Selecting *selecting)
{
  g_clear_pointer(&selecting->found, g_hash_table_unref);
  haul_ids_free(selecting->ids);
  g_ptr_array_unref(selecting->fields);
  g_clear_pointer(&selecting->undated, g_ptr_array_unref);
  g_ptr_array_unref(selecting->unread);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Selecting, selecting_clear)

static const uint8_t *
window_of(void *message, uint64_t offset, size_t *size)
{
  return haul_message_window(message, offset, size);
}

/* Tells of one message. @message: NULL, or as it was read. */
static void
judge(Selecting *selecting, const HaulItem *item, HaulMessage *message)
{
  HaulVerdict verdict = haul_measures_judge(&selecting->measures, item->size, item->date);
  HaulSearchSubject subject = { item, window_of, message, selecting->selection->measures.now };
  if (verdict == HAUL_VERDICT_SELECTED && selecting->key != NULL) {
    bool reads = selecting->found == NULL && (selecting->needs & HAUL_SEARCH_NEEDS_OCTETS) != 0;
    if (reads && message == NULL) {
      g_ptr_array_add(selecting->unread, g_strdup(item->id));
      return;
    }
    HaulId id = selecting->found != NULL ? haul_id_intern(selecting->ids, item->id) : 0;
    bool holds = selecting->found != NULL
                     ? g_hash_table_contains(selecting->found, GSIZE_TO_POINTER(id))
                     : haul_search_key_holds(selecting->key, &subject);
    verdict = holds ? HAUL_VERDICT_SELECTED : HAUL_VERDICT_SEARCH;
  }
  selecting->each(item, verdict, selecting->data);
}

static bool
wants_dates(const Selecting *selecting)
{
  return haul_measures_ages(&selecting->measures)
         || (selecting->needs & HAUL_SEARCH_NEEDS_DATE) != 0;
}

static bool
take_item(const HaulItem *item, void *data)
{
  Selecting *selecting = data;
  HaulItem dated = *item;
  if (item->date == HAUL_NO_DATE && wants_dates(selecting)) {
    if (selecting->undated != NULL) {
      g_ptr_array_add(selecting->undated, g_strdup(item->id));
      return true;
    }
    int64_t date;
    if (item->header != NULL
        && haul_arrival_by_header(item->header, item->header_size, &date, &dated.date_zone))
      dated.date = date;
  }
  judge(selecting, &dated, NULL);
  return true;
}

static bool
list(Selecting *selecting, HaulOpenStore *store, const HaulRange *ranges, size_t n_ranges,
     GError **error)
{
  uint32_t want = HAUL_WANT_SIZE | (wants_dates(selecting) ? HAUL_WANT_DATE : 0);
  bool has_fields = selecting->fields->len > 1;
  return haul_store_list(store, ranges, n_ranges, want,
                         has_fields ? (const char *const *)selecting->fields->pdata : NULL,
                         take_item, selecting, error);
}

/* A range for each id. To be freed. */
static GArray *
ranges_of(const GPtrArray *ids)
{
  GArray *ranges = g_array_sized_new(FALSE, FALSE, sizeof(HaulRange), ids->len);
  for (guint i = 0; i < ids->len; i++) {
    HaulRange one = { ids->pdata[i], ids->pdata[i] };
    g_array_append_val(ranges, one);
  }
  return ranges;
}

/* Lists those once more of which nobody says when they came, with the fields that may. */
static bool
list_undated(Selecting *selecting, HaulOpenStore *store, GError **error)
{
  g_autoptr(GPtrArray) ids = g_steal_pointer(&selecting->undated);
  if (ids->len == 0)
    return true;
  g_ptr_array_insert(selecting->fields, 0, (gpointer) "Received");
  g_ptr_array_insert(selecting->fields, 0, (gpointer) "Date");
  g_autoptr(GArray) ranges = ranges_of(ids);
  return list(selecting, store, (const HaulRange *)(void *)ranges->data, ranges->len, error);
}

static bool
take_message(HaulMessage *message, void *data, GError **error)
{
  Selecting *selecting = data;
  size_t size;
  haul_arrival_supply(message);
  HaulItem item = *haul_message_item(message);
  item.header = haul_message_header(message, &size);
  item.header_size = item.header != NULL ? size : 0;
  judge(selecting, &item, message);
  haul_message_unref(message);
  return true;
}

/* What cannot be read is not left out: the copy will meet it, and the report will name it. */
static void
skip_message(const char *id, const GError *why, void *data)
{
  Selecting *selecting = data;
  HaulItem item = { .id = id, .size = HAUL_UNKNOWN, .date = HAUL_NO_DATE };
  haul_log(HAUL_LOG_DEBUG, "message %s cannot be searched: %s", id, why->message);
  selecting->each(&item, HAUL_VERDICT_SELECTED, selecting->data);
}

static bool
read_messages(Selecting *selecting, const HaulContext *context, HaulOpenStore *store,
              GError **error)
{
  if (selecting->unread->len == 0)
    return true;
  g_autoptr(GArray) ranges = ranges_of(selecting->unread);
  g_autoptr(HaulIntake) intake =
      haul_intake_new(context->spool, NULL, context->cancel, take_message, skip_message, selecting);
  return haul_store_fetch(store, (const HaulRange *)(void *)ranges->data, ranges->len, intake,
                          error);
}

static bool
take_found(const HaulItem *item, void *data)
{
  Selecting *selecting = data;
  HaulId id = haul_id_intern(selecting->ids, item->id);
  g_hash_table_add(selecting->found, GSIZE_TO_POINTER(id));
  return true;
}

/* Has the store search; where it does not, we shall look ourselves. */
static bool
search(Selecting *selecting, HaulOpenStore *store, unsigned side, GError **error)
{
  const char *text = selecting->selection->texts[side - 1];
  g_autoptr(GError) why = NULL;
  bool asks = selecting->key != NULL && haul_store_can_search(store) && g_str_is_ascii(text);
  selecting->ids = haul_ids_new();
  selecting->found = g_hash_table_new(NULL, NULL);
  if (asks && haul_store_search(store, text, take_found, selecting, &why))
    return true;
  g_clear_pointer(&selecting->found, g_hash_table_unref);
  if (why != NULL && haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  if (why != NULL)
    haul_log(HAUL_LOG_INFO, "%s; its messages are looked at", why->message);
  const char *opaque = selecting->key != NULL ? haul_search_key_opaque(selecting->key) : NULL;
  if (opaque == NULL)
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "unsupported",
                 "--search%u: only a server knows what %s is, and this one does not%s%s", side,
                 opaque, why != NULL ? ": " : "", why != NULL ? why->message : "");
  return false;
}

bool
haul_select_messages(const HaulContext *context, HaulOpenStore *store, unsigned side,
                     const GArray *ranges, HaulVerdictFunc each, void *data, bool *found_any,
                     GError **error)
{
  g_auto(Selecting) selecting = {
    .selection = context->selection,
    .key = context->selection->keys[side - 1],
    .fields = g_ptr_array_new(),
    .undated = g_ptr_array_new_with_free_func(g_free),
    .unread = g_ptr_array_new_with_free_func(g_free),
    .each = each,
    .data = data,
  };
  if (side == 1)
    selecting.measures = context->selection->measures;
  *found_any = true;
  if (!search(&selecting, store, side, error))
    return false;
  if (selecting.found != NULL)
    *found_any = g_hash_table_size(selecting.found) > 0;
  else if (selecting.key != NULL)
    selecting.needs = haul_search_key_needs(selecting.key, selecting.fields);
  g_ptr_array_add(selecting.fields, NULL);
  return list(&selecting, store, (const HaulRange *)(void *)ranges->data, ranges->len, error)
         && list_undated(&selecting, store, error)
         && read_messages(&selecting, context, store, error);
}
