/*
 * expunge(): DELE, and QUIT, without which nothing is deleted (RFC 1939 §6).
 *
 * What is deleted is what the UIDLs of this very session name. An error in between drops the session
 * without a QUIT, and nothing is gone.
 */
#include <mailhaul/error.h>

#include "flight.h"
#include "ids.h"
#include "naming.h"
#include "store.h"

typedef struct {
  guint n_refused;
  GError *why; /* owned; of the first */
} Removal;

static void
removal_clear(Removal *removal)
{
  g_clear_error(&removal->why);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Removal, removal_clear)

static bool
take(HaulStore *store, guint index, const Pop3Status *status, void *data, GError **error)
{
  Removal *removal = data;
  if (status->ok)
    return true;
  return pop3_store_refused(store, status, "refused", "DELE",
                            removal->n_refused++ == 0 ? &removal->why : NULL, error);
}

static int
compare_indices(gconstpointer a, gconstpointer b)
{
  guint x = *(const guint *)a, y = *(const guint *)b;
  return (x > y) - (x < y);
}

/* Whether that message and no other can be meant: of what has no UIDL, equal ones may be several. */
static bool
is_certain(const Pop3Mailbox *mailbox, const char *id)
{
  return !pop3_ids_is_made(id) || pop3_mailbox_n_alike(mailbox, id) == 1;
}

/* Returns the indices of the messages to be deleted, ascending. @removal: counts those that must stay. */
static GArray *
look_up(const Pop3Mailbox *mailbox, const char *const *ids, size_t n_ids, Removal *removal)
{
  GArray *found = g_array_new(FALSE, FALSE, sizeof(guint));
  for (size_t i = 0; i < n_ids; i++) {
    guint index = pop3_mailbox_find(mailbox, ids[i]);
    if (index == mailbox->entries->len)
      continue; /* gone already */
    if (is_certain(mailbox, ids[i]))
      g_array_append_val(found, index);
    else if (removal->n_refused++ == 0)
      haul_set_error(&removal->why, HAUL_ERROR_MESSAGE, "unsupported",
                     "no UIDL tells it from equal ones");
  }
  g_array_sort(found, compare_indices);
  guint kept = 0;
  for (guint i = 0; i < found->len; i++)
    if (i == 0 || g_array_index(found, guint, i) != g_array_index(found, guint, kept - 1))
      g_array_index(found, guint, kept++) = g_array_index(found, guint, i);
  g_array_set_size(found, kept);
  return found;
}

static bool
any_made(const char *const *ids, size_t n_ids)
{
  for (size_t i = 0; i < n_ids; i++)
    if (pop3_ids_is_made(ids[i]))
      return true;
  return false;
}

/* Says which of the messages are still there, now that the others are gone. */
static bool
tell_refused(Removal *removal, GError **error)
{
  if (removal->n_refused == 0)
    return true;
  haul_set_error(error, HAUL_ERROR_MESSAGE, haul_error_reason(removal->why),
                 "%u messages were not deleted; the first: %s", removal->n_refused,
                 removal->why->message);
  return false;
}

bool
pop3_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error)
{
  if (n_ids == 0)
    return true;
  bool made = any_made(ids, n_ids);
  if (!pop3_mailbox_look(store, made ? POP3_LOOK_ALL : POP3_LOOK_UIDLS, error))
    return false;
  if (!store->mailbox->has_uidls && store->mailbox->entries->len > 0) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "unsupported",
                   "the server has no UIDL, so that nothing names a message for certain; nothing "
                   "is deleted");
    return false;
  }
  if (made && !pop3_name_messages(store, false, error))
    return false;
  g_auto(Removal) removal = { 0 };
  g_autoptr(GArray) found = look_up(store->mailbox, ids, n_ids, &removal);
  if (found->len == 0)
    return tell_refused(&removal, error);
  Pop3Flight flight = { "DELE", "", false, take, &removal, false };
  return pop3_flight(store, &flight, found, error) && pop3_store_quit(store, error)
         && tell_refused(&removal, error);
}
