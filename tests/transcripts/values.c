/* Flags, ranges, items and folders, as transcripts write them. */
#include "values.h"

#include <string.h>

#include "script.h"

static const struct {
  HaulFlags flag;
  const char *name;
} flag_names[] = {
  { HAUL_SEEN, "\\Seen" },       { HAUL_ANSWERED, "\\Answered" }, { HAUL_FLAGGED, "\\Flagged" },
  { HAUL_DELETED, "\\Deleted" }, { HAUL_DRAFT, "\\Draft" },
};

static void
show_flags(GString *out, uint32_t flags, const char *const *keywords)
{
  for (unsigned i = 0; i < G_N_ELEMENTS(flag_names); i++)
    if ((flags & flag_names[i].flag) != 0)
      g_string_append_printf(out, " %s", flag_names[i].name);
  for (; keywords != NULL && *keywords != NULL; keywords++)
    g_string_append_printf(out, " %s", *keywords);
}

uint32_t
parse_flags(const char *list, GPtrArray *keywords)
{
  uint32_t flags = 0;
  g_auto(GStrv) names = g_strsplit(list, ",", -1);
  for (char **name = names; *name != NULL; name++) {
    uint32_t flag = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(flag_names); i++)
      if (strcmp(*name, flag_names[i].name) == 0)
        flag = flag_names[i].flag;
    flags |= flag;
    if (flag == 0 && **name != '\0')
      g_ptr_array_add(keywords, g_strdup(*name));
  }
  g_ptr_array_add(keywords, NULL);
  return flags;
}

GArray *
parse_ranges(const char *text, GPtrArray *kept)
{
  GArray *ranges = g_array_new(FALSE, FALSE, sizeof(HaulRange));
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  for (char **part = parts; *part != NULL; part++) {
    char **ends = g_strsplit(*part, ":", 2);
    g_ptr_array_add(kept, ends);
    const char *first = ends[0], *last = ends[1] != NULL ? ends[1] : ends[0];
    HaulRange range = { strcmp(first, "*") == 0 ? NULL : first,
                        strcmp(last, "*") == 0 ? NULL : last };
    g_array_append_val(ranges, range);
  }
  return ranges;
}

static void
show_date(GString *out, int64_t date, int32_t zone)
{
  g_autoptr(GTimeZone) offset = g_time_zone_new_offset(zone);
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(date);
  g_autoptr(GDateTime) local = utc != NULL ? g_date_time_to_timezone(utc, offset) : NULL;
  g_autofree char *text = local != NULL ? g_date_time_format(local, "%Y-%m-%dT%H:%M:%S%z")
                                        : g_strdup_printf("%" G_GINT64_FORMAT, date);
  g_string_append_printf(out, " date %s", text);
}

char *
show_item(const char *kind, const HaulItem *item, const GString *body)
{
  GString *out = g_string_new(kind);
  g_string_append_printf(out, " %s", item->id);
  show_flags(out, item->flags, item->keywords);
  if (item->size != HAUL_UNKNOWN)
    g_string_append_printf(out, " size %" G_GUINT64_FORMAT, item->size);
  if (item->date != HAUL_NO_DATE)
    show_date(out, item->date, item->date_zone);
  if (item->object_id != NULL)
    g_string_append_printf(out, " object %s", item->object_id);
  for (unsigned i = 0; item->labels != NULL && item->labels[i] != NULL; i++) {
    g_string_append(out, i == 0 ? " labels \"" : "\",\"");
    script_show(out, item->labels[i], strlen(item->labels[i]));
    g_string_append(out, item->labels[i + 1] == NULL ? "\"" : "");
  }
  if (item->header != NULL) {
    g_string_append(out, " header \"");
    script_show(out, item->header, item->header_size);
    g_string_append_c(out, '"');
  }
  if (body != NULL) {
    g_string_append(out, " \"");
    script_show(out, body->str, MIN(body->len, 200));
    g_string_append(out, body->len > 200 ? "..." : "\"");
  }
  return g_string_free(out, FALSE);
}

/* In the order of HaulFolderAttributes. */
static const char *const attribute_names[] = { "noselect", "subscribed", "all",  "archive",
                                               "drafts",   "flagged",    "junk", "sent",
                                               "trash",    "important",  "label" };

uint32_t
parse_use(const char *word)
{
  for (unsigned i = 0; *word == '\\' && i < G_N_ELEMENTS(attribute_names); i++)
    if (g_ascii_strcasecmp(word + 1, attribute_names[i]) == 0)
      return 1u << i;
  return 0;
}

char *
show_folder(const HaulFolder *folder)
{
  GString *out = g_string_new("folder \"");
  script_show(out, folder->path, strlen(folder->path));
  g_string_append_printf(out, "\" epoch %" G_GUINT64_FORMAT, folder->epoch);
  if (folder->next_id != NULL)
    g_string_append_printf(out, " next %s", folder->next_id);
  if (folder->n_messages != HAUL_UNKNOWN)
    g_string_append_printf(out, " messages %" G_GUINT64_FORMAT, folder->n_messages);
  if (folder->n_octets != HAUL_UNKNOWN)
    g_string_append_printf(out, " octets %" G_GUINT64_FORMAT, folder->n_octets);
  if (folder->max_message_octets != HAUL_UNKNOWN)
    g_string_append_printf(out, " limit %" G_GUINT64_FORMAT, folder->max_message_octets);
  if (folder->object_id != NULL)
    g_string_append_printf(out, " object %s", folder->object_id);
  if (folder->change_token != NULL)
    g_string_append_printf(out, " token %s", folder->change_token);
  for (unsigned i = 0; i < G_N_ELEMENTS(attribute_names); i++)
    if ((folder->attributes >> i & 1) != 0)
      g_string_append_printf(out, " %s", attribute_names[i]);
  if (folder->settable_flags != 0 || folder->any_keyword) {
    g_string_append(out, " settable");
    show_flags(out, folder->settable_flags, NULL);
    g_string_append(out, folder->any_keyword ? " \\*" : "");
  }
  return g_string_free(out, FALSE);
}
