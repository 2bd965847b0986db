/* Labels as paths of folders. See labels.h. */
#include "labels.h"

#include <mailhaul/text.h>
#include <string.h>

/* What Gmail says in place of a name: its own words differ from those of LIST. */
static const ImapWord special_labels[] = {
  { "\\All", HAUL_FOLDER_ALL },         { "\\AllMail", HAUL_FOLDER_ALL },
  { "\\Archive", HAUL_FOLDER_ARCHIVE }, { "\\Draft", HAUL_FOLDER_DRAFTS },
  { "\\Drafts", HAUL_FOLDER_DRAFTS },   { "\\Flagged", HAUL_FOLDER_FLAGGED },
  { "\\Starred", HAUL_FOLDER_FLAGGED }, { "\\Junk", HAUL_FOLDER_JUNK },
  { "\\Spam", HAUL_FOLDER_JUNK },       { "\\Sent", HAUL_FOLDER_SENT },
  { "\\Trash", HAUL_FOLDER_TRASH },     { "\\Important", HAUL_FOLDER_IMPORTANT },
};

static const char *
special_path(const HaulStore *store, const ImapSpan *label, uint32_t *told)
{
  uint32_t use;
  if (imap_span_is(label, "\\Inbox"))
    return "INBOX";
  if (!imap_find_word(label, special_labels, G_N_ELEMENTS(special_labels), &use))
    return NULL;
  if ((*told & use) != 0) /* each walks over all folders; a message may name 10,000 */
    return NULL;
  *told |= use;
  for (guint i = 0; i < store->folders->len; i++) {
    const ImapFolder *folder = g_ptr_array_index(store->folders, i);
    if (folder->listed && (folder->attributes & use) != 0)
      return folder->path;
  }
  return NULL;
}

/* Returns the path of @label, to be freed, or NULL. @told: gets its special use (HaulFolderAttributes),
 * whose path is given once. */
static char *
path_of(HaulStore *store, const ImapSpan *label, uint32_t *told)
{
  size_t size;
  g_autofree char *wire = imap_span_dup(label, &size);
  if (size == 0 || size > IMAP_NAME_LIMIT || strlen(wire) != size)
    return NULL;
  if (*wire == '\\') {
    ImapSpan word = { wire, size, false };
    return g_strdup(special_path(store, &word, told));
  }
  const ImapFolder *folder =
      g_hash_table_lookup(store->by_wire, haul_path_is_inbox(wire) ? "INBOX" : wire);
  return folder != NULL ? g_strdup(folder->path) : NULL;
}

void
imap_labels_append_paths(HaulStore *store, const GArray *labels, GPtrArray *paths)
{
  uint32_t told = 0;
  for (guint i = 0; i < labels->len; i++) {
    char *path = path_of(store, &g_array_index(labels, ImapSpan, i), &told);
    if (path != NULL && strcmp(path, store->current->path) != 0)
      g_ptr_array_add(paths, path);
    else
      g_free(path);
  }
}
