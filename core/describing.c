/* What is told of messages that were not copied. */
#include "describing.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

/* A Message-Id is for finding the message, not for keeping it. */
#define LONGEST_MESSAGE_ID 512u

static bool
take_message_id(const char *name, size_t name_size, const uint8_t *value, size_t value_size,
                void *data)
{
  char **message_id = data;
  if (name_size != strlen("message-id") || g_ascii_strncasecmp(name, "message-id", name_size) != 0)
    return true;
  *message_id = g_strstrip(g_strndup((const char *)value, MIN(value_size, LONGEST_MESSAGE_ID)));
  return false;
}

static bool
take_date(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  if (name_size != strlen("date") || g_ascii_strncasecmp(name, "date", name_size) != 0)
    return true;
  int64_t *date = data, seconds;
  if (haul_date_parse((const char *)value, value_size, &seconds, NULL))
    *date = seconds;
  return false;
}

/* @data: id -> HaulTrouble, both borrowed. */
static bool
take_item(const HaulItem *item, void *data)
{
  HaulTrouble *trouble = g_hash_table_lookup(data, item->id);
  if (trouble == NULL)
    return true;
  trouble->size = item->size;
  trouble->date = item->date;
  if (trouble->message_id == NULL)
    haul_header_each(item->header, item->header_size, take_message_id, &trouble->message_id);
  if (trouble->date == HAUL_NO_DATE)
    haul_header_each(item->header, item->header_size, take_date, &trouble->date);
  return true;
}

/* Whether the message is to be asked for: one that ended the connection may do so again. */
static bool
can_be_asked_for(const HaulTally *tally, const HaulTrouble *trouble)
{
  return trouble->id != NULL
         && (tally->given_up == NULL || !g_hash_table_contains(tally->given_up, trouble->id));
}

static bool
describe_folder(const HaulTally *tally, HaulOpenStore *store1, GError **error)
{
  static const char *const fields[] = { "Message-ID", "Date", NULL };
  g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HaulRange));
  for (guint i = 0; i < tally->troubles->len; i++) {
    HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, i);
    HaulRange one = { trouble->id, trouble->id };
    if (!can_be_asked_for(tally, trouble))
      continue;
    g_hash_table_insert(wanted, trouble->id, trouble);
    g_array_append_val(ranges, one);
  }
  if (ranges->len == 0)
    return true;
  HaulFolder folder = { .n_messages = HAUL_UNKNOWN };
  return haul_store_select(store1, tally->path1, HAUL_READ, &folder, error)
         && haul_store_list(store1, (const HaulRange *)(void *)ranges->data, ranges->len,
                            HAUL_WANT_SIZE | HAUL_WANT_DATE, fields, take_item, wanted, error);
}

void
haul_describe_troubles(HaulReport *report, HaulOpenStore *store1)
{
  GPtrArray *folders = haul_report_folders(report);
  for (guint i = 0; i < folders->len; i++) {
    g_autoptr(GError) why = NULL;
    if (describe_folder(folders->pdata[i], store1, &why))
      continue;
    haul_log(HAUL_LOG_DEBUG, "nothing more is known of messages that were not copied: %s",
             why->message);
    if (haul_error_reach(why) > HAUL_ERROR_FOLDER)
      return;
  }
}
