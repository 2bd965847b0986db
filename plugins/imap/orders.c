/*
 * Making folders and subscribing to them: CREATE and SUBSCRIBE, many at a time, so that none costs a
 * round trip of its own.
 */
#include "store.h"

#include <string.h>

#include "extensions.h"
#include "quota.h"
#include "writer.h"

/* What became of CREATE or SUBSCRIBE for one folder. */
typedef struct {
  ImapFolder *folder; /* borrowed; NULL: nothing was asked */
  const char *use;    /* of CREATE: the special use asked for, or NULL */
  ImapReply reply, status;
} ImapOrder;

static void
order_clear(gpointer data)
{
  ImapOrder *order = data;
  imap_reply_clear(&order->reply);
  imap_reply_clear(&order->status);
}

typedef bool (*ImapOrderFunc)(HaulStore *store, ImapOrder *order, const HaulFolder *wanted,
                              GError **error);
typedef bool (*ImapOrderJudge)(HaulStore *store, ImapOrder *order, GError **error);

/* Sends an order for each folder, a flight at a time, and reports what became of them. */
static bool
give_orders(HaulStore *store, const HaulFolder *folders, size_t n_folders, ImapOrderFunc send,
            ImapOrderJudge judge, HaulFolderResultFunc each, void *data, GError **error)
{
  if (!imap_writer_pause(store, error))
    return false;
  for (size_t first = 0; first < n_folders; first += IMAP_FOLDERS_FLIGHT) {
    size_t n = MIN(n_folders - first, (size_t)IMAP_FOLDERS_FLIGHT);
    g_autofree ImapOrder *orders = g_new0(ImapOrder, n);
    bool fine = true;
    for (size_t i = 0; i < n && fine; i++) {
      /* What only holds folders comes into being with them. */
      if ((folders[first + i].attributes & HAUL_FOLDER_NOSELECT) != 0)
        continue;
      orders[i].folder = imap_folder_find(store, folders[first + i].path, error);
      fine = orders[i].folder != NULL && send(store, &orders[i], &folders[first + i], error);
    }
    for (size_t i = 0; i < n && fine; i++) {
      g_autoptr(GError) why = NULL;
      fine = orders[i].folder == NULL || judge(store, &orders[i], &why);
      if (fine || haul_error_reach(why) == HAUL_ERROR_FOLDER) {
        each(folders[first + i].path, why, data);
        fine = true;
      } else {
        g_propagate_error(error, g_steal_pointer(&why));
      }
    }
    if (!fine) {
      for (GList *link = store->session->commands.head; link != NULL; link = link->next)
        ((ImapCommand *)link->data)->reply = NULL;
    }
    for (size_t i = 0; i < n; i++)
      order_clear(&orders[i]);
    if (!fine)
      return false;
  }
  return true;
}

static const struct {
  HaulFolderAttributes attribute;
  const char *use;
} uses[] = {
  { HAUL_FOLDER_ARCHIVE, "\\Archive" }, { HAUL_FOLDER_DRAFTS, "\\Drafts" },
  { HAUL_FOLDER_JUNK, "\\Junk" },       { HAUL_FOLDER_SENT, "\\Sent" },
  { HAUL_FOLDER_TRASH, "\\Trash" },
};

/* Returns what @wanted is to be for, unless another folder is for that: of two, programs would take
 * either (RFC 6154 §3). NULL for nothing. */
static const char *
free_use(HaulStore *store, const HaulFolder *wanted)
{
  if (!imap_session_can(store->session, IMAP_CAP_CREATE_SPECIAL_USE))
    return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(uses); i++) {
    uint32_t attribute = uses[i].attribute;
    bool taken = (wanted->attributes & attribute) == 0;
    for (guint k = 0; !taken && k < store->folders->len; k++)
      taken =
          (((const ImapFolder *)g_ptr_array_index(store->folders, k))->attributes & attribute) != 0;
    if (!taken)
      return uses[i].use;
  }
  return NULL;
}

/* A STATUS behind the CREATE tells whether the folder is there, whatever the server calls an error,
 * and which UIDVALIDITY and UIDNEXT it has, which writing to it wants to know. */
static bool
create(HaulStore *store, ImapOrder *order, GError **error)
{
  ImapFolder *folder = order->folder;
  ImapCommand create = { .name = "CREATE", .reply = &order->reply };
  ImapCommand status = {
    .name = "STATUS", .reply = &order->status, .data = imap_folders_take, .context = store
  };
  g_autofree char *items = imap_status_items(store);
  g_autofree char *after = g_strconcat(" ", items, NULL);
  g_autofree char *use =
      order->use != NULL ? g_strdup_printf(" (USE (%s))", order->use) : g_strdup("");
  return imap_session_send_named(store->session, &create, "CREATE ", folder->wire,
                                 strlen(folder->wire), use, error)
         && imap_session_send_named(store->session, &status, "STATUS ", folder->wire,
                                    strlen(folder->wire), after, error);
}

static bool
send_create(HaulStore *store, ImapOrder *order, const HaulFolder *wanted, GError **error)
{
  ImapFolder *folder = order->folder;
  if (folder->listed && (folder->attributes & HAUL_FOLDER_NOSELECT) == 0) {
    order->reply.finished = order->status.finished = true;
    return true;
  }
  order->use = free_use(store, wanted);
  for (size_t i = 0; order->use != NULL && i < G_N_ELEMENTS(uses); i++)
    if (order->use == uses[i].use)
      folder->attributes |= uses[i].attribute; /* taken, for those that follow */
  return create(store, order, error);
}

/* Makes a folder that could not be made for a special use without one. */
static bool
create_plain(HaulStore *store, ImapOrder *order, GError **error)
{
  bool misunderstood = order->reply.condition == IMAP_BAD;
  if (misunderstood)
    imap_extensions_forgo(store->session, IMAP_CAP_CREATE_SPECIAL_USE);
  else
    haul_log(HAUL_LOG_WARNING, "%s folder \"%s\": cannot be marked as %s (%s)",
             haul_account_side(store->account), order->folder->path, order->use, order->reply.text);
  order->use = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(uses); i++)
    order->folder->attributes &= ~(uint32_t)uses[i].attribute;
  imap_reply_clear(&order->reply);
  imap_reply_clear(&order->status);
  return create(store, order, error) && imap_session_wait(store->session, &order->reply, error)
         && imap_session_wait(store->session, &order->status, error);
}

static bool
judge_create(HaulStore *store, ImapOrder *order, GError **error)
{
  ImapFolder *folder = order->folder;
  if (!imap_session_wait(store->session, &order->reply, error)
      || !imap_session_wait(store->session, &order->status, error))
    return false;
  if (order->use != NULL && order->reply.condition != IMAP_OK && order->status.condition != IMAP_OK
      && !imap_asks_for_patience(order->reply.code, order->reply.text)
      && !create_plain(store, order, error))
    return false;
  if (order->reply.condition == IMAP_OK || order->status.condition == IMAP_OK) {
    folder->listed = true;
    folder->attributes &= ~(uint32_t)HAUL_FOLDER_NOSELECT;
    return true;
  }
  /* LIMIT is said of the number of mailboxes here, which patience does not cure. */
  bool limited = g_strcmp0(order->reply.code, "LIMIT") == 0;
  imap_set_refusal(error, HAUL_ERROR_FOLDER, "create", "cannot be made",
                   limited ? NULL : order->reply.code, order->reply.text);
  return false;
}

bool
imap_create(HaulStore *store, const HaulFolder *folders, size_t n_folders,
            HaulFolderResultFunc each, void *data, GError **error)
{
  /* Who makes folders is about to fill them, and asks for the quota next. */
  if (!imap_writer_pause(store, error)
      || (!store->quota_asked && !imap_quota_request(store, error)))
    return false;
  return give_orders(store, folders, n_folders, send_create, judge_create, each, data, error);
}

static bool
send_subscribe(HaulStore *store, ImapOrder *order, const HaulFolder *wanted, GError **error)
{
  ImapCommand command = { .name = "SUBSCRIBE", .reply = &order->reply };
  return imap_session_send_named(store->session, &command, "SUBSCRIBE ", order->folder->wire,
                                 strlen(order->folder->wire), "", error);
}

static bool
judge_subscribe(HaulStore *store, ImapOrder *order, GError **error)
{
  if (!imap_session_expect(store->session, &order->reply, "cannot be subscribed to",
                           HAUL_ERROR_FOLDER, "create", error))
    return false;
  order->folder->attributes |= HAUL_FOLDER_SUBSCRIBED;
  return true;
}

bool
imap_subscribe(HaulStore *store, const HaulFolder *folders, size_t n_folders,
               HaulFolderResultFunc each, void *data, GError **error)
{
  return give_orders(store, folders, n_folders, send_subscribe, judge_subscribe, each, data, error);
}
