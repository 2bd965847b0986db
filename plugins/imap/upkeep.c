/*
 * Renaming and removing folders. Making them is orders.c's, finding them folders.c's.
 */
#include <mailhaul/text.h>
#include <string.h>

#include "store.h"
#include "visit.h"
#include "writer.h"

static bool
is_below(const ImapFolder *folder, const ImapFolder *top)
{
  size_t size = strlen(top->wire);
  return strncmp(folder->wire, top->wire, size) == 0
         && (folder->wire[size] == '\0'
             || (top->separator != '\0' && folder->wire[size] == top->separator));
}

/* Forgets what was known of @folder, and of those below it if @all: the next listing tells. */
static void
forget(HaulStore *store, const ImapFolder *top, bool all)
{
  for (guint i = 0; i < store->folders->len; i++) {
    ImapFolder *folder = g_ptr_array_index(store->folders, i);
    if (folder != top && !(all && is_below(folder, top)))
      continue;
    folder->listed = folder->told = folder->flags_known = false;
    folder->epoch = folder->next_id = 0;
    folder->n_messages = folder->n_octets = folder->mod_sequence = HAUL_UNKNOWN;
    g_clear_pointer(&folder->object_id, g_free);
  }
}

/* Ends whatever goes on in @folder, and leaves it: some servers remove no folder that is open. */
static bool
leave(HaulStore *store, ImapFolder *folder, GError **error)
{
  if (!imap_writer_pause(store, error) || !imap_visit_leave(store, folder, error))
    return false;
  if (store->current == folder)
    store->current = NULL;
  return true;
}

bool
imap_rename(HaulStore *store, const char *from, const char *to, GError **error)
{
  ImapFolder *old = imap_folder_find(store, from, error);
  ImapFolder *new = old != NULL ? imap_folder_find(store, to, error) : NULL;
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "RENAME", .reply = &reply };
  unsigned tag;
  bool go_ahead;
  if (new == NULL)
    return false;
  if (haul_path_is_inbox(from) || haul_path_is_inbox(to)) { /* which would move its messages */
    haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported", "INBOX keeps its name");
    return false;
  }
  if (!leave(store, old, error)
      || !imap_session_begin_named(store->session, &command, "RENAME ", old->wire,
                                   strlen(old->wire), &tag, error))
    return false;
  if (tag != 0
      && (!imap_session_write(store->session, " ", 1, error)
          || !imap_session_write_name(store->session, tag, new->wire, strlen(new->wire), &go_ahead,
                                      error)
          || (go_ahead && !imap_session_write(store->session, "\r\n", 2, error))))
    return false;
  if (!imap_session_expect(store->session, &reply, "cannot be renamed", HAUL_ERROR_FOLDER, "create",
                           error))
    return false;
  forget(store, old, true);
  forget(store, new, false);
  new->listed = true;
  return true;
}

bool
imap_remove(HaulStore *store, const char *path, GError **error)
{
  ImapFolder *folder = imap_folder_find(store, path, error);
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "DELETE", .reply = &reply };
  if (folder == NULL || !leave(store, folder, error)
      || !imap_session_send_named(store->session, &command, "DELETE ", folder->wire,
                                  strlen(folder->wire), "", error)
      || !imap_session_expect(store->session, &reply, "cannot be removed", HAUL_ERROR_FOLDER,
                              "refused", error))
    return false;
  forget(store, folder, false);
  return true;
}
