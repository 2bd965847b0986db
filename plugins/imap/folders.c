/*
 * The folders of an account: LIST with all that comes with it. Making them is orders.c's.
 *
 * Nothing here costs a round trip per folder: one LIST tells everything where LIST-EXTENDED and
 * LIST-STATUS are offered (RFC 5258, RFC 5819), and elsewhere a STATUS for each is pipelined. The
 * first LIST is sent while the account is opened, in the flight that learns the namespaces.
 */
#include "store.h"

#include <mailhaul/text.h>
#include <string.h>

#include "extensions.h"
#include "writer.h"

/* What adds items to STATUS. */
#define STATUS_EXTENSIONS                                                                          \
  (IMAP_CAP_APPENDLIMIT | IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC | IMAP_CAP_STATUS_SIZE)

void
imap_folder_free(gpointer data)
{
  ImapFolder *folder = data;
  g_free(folder->wire);
  g_free(folder->path);
  g_free(folder->object_id);
  g_free(folder->refused_keywords);
  g_clear_error(&folder->gone);
  g_free(folder);
}

static ImapFolder *
know(HaulStore *store, const char *wire, char separator)
{
  const char *name = haul_path_is_inbox(wire) ? "INBOX" : wire;
  ImapFolder *folder = g_hash_table_lookup(store->by_wire, name);
  if (folder == NULL) {
    folder = g_new0(ImapFolder, 1);
    folder->wire = g_strdup(name);
    folder->separator = separator;
    folder->n_messages = folder->n_octets = folder->mod_sequence = HAUL_UNKNOWN;
    folder->append_limit = HAUL_UNKNOWN;
    g_ptr_array_add(store->folders, folder);
    g_hash_table_insert(store->by_wire, folder->wire, folder);
  }
  return folder;
}

/* Gives a listed folder its path, another one where that is taken. */
static void
name_folder(HaulStore *store, ImapFolder *folder)
{
  if (folder->path != NULL)
    return;
  if (!imap_names_is_personal(&store->names, folder->wire)) {
    if (!store->left_out_told)
      haul_log(HAUL_LOG_INFO,
               "%s: folders of other users and shared ones are left out, such as \"%.80s\"",
               haul_account_side(store->account), folder->wire);
    store->left_out_told = true;
    return;
  }
  g_autofree char *path = imap_names_to_path(&store->names, folder->wire, folder->separator);
  if (*path == '\0') /* the prefix itself */
    return;
  if (g_hash_table_contains(store->by_path, path)) {
    g_autofree char *wanted = g_steal_pointer(&path);
    for (unsigned n = 2; path == NULL || g_hash_table_contains(store->by_path, path); n++) {
      g_free(path);
      path = g_strdup_printf("%s~%u", wanted, n);
    }
    haul_log(HAUL_LOG_WARNING, "%s folders \"%s\": two have this name; one is called \"%s\" here",
             haul_account_side(store->account), wanted, path);
  }
  folder->path = g_steal_pointer(&path);
  g_hash_table_insert(store->by_path, folder->path, folder);
}

/* Names what the finished LIST has listed. */
static void
name_folders(HaulStore *store)
{
  store->names.utf8 = store->session->utf8; /* ENABLE was answered before LIST */
  if (!store->names.known) {
    g_autoptr(GPtrArray) wires = g_ptr_array_new();
    char separator = '\0';
    for (guint i = 0; i < store->folders->len; i++) {
      ImapFolder *folder = g_ptr_array_index(store->folders, i);
      if (!folder->listed)
        continue;
      g_ptr_array_add(wires, folder->wire);
      separator = folder->separator != '\0' ? folder->separator : separator;
    }
    imap_names_guess(&store->names, (char **)wires->pdata, wires->len, separator);
  }
  bool any = false;
  for (guint i = 0; i < store->folders->len; i++)
    any |= ((ImapFolder *)g_ptr_array_index(store->folders, i))->listed;
  if (!any) { /* iCloud, for some accounts */
    haul_log(HAUL_LOG_WARNING, "%s: the server lists no folder; INBOX is taken as there",
             haul_account_side(store->account));
    know(store, "INBOX", '\0')->listed = true;
  }
  for (guint i = 0; i < store->folders->len; i++) {
    ImapFolder *folder = g_ptr_array_index(store->folders, i);
    if (store->names.separator == '\0')
      store->names.separator = folder->separator;
    if (folder->listed)
      name_folder(store, folder);
  }
}

static bool
take_list(HaulStore *store, ImapCursor rest, bool subscribed, bool xlist, GError **error)
{
  ImapListEntry entry;
  if (++store->n_entries > IMAP_FOLDERS_LIMIT)
    return imap_session_protocol_error(store->session, error, "more than %u folders",
                                       IMAP_FOLDERS_LIMIT);
  if (!imap_parse_list(&rest, &entry))
    return imap_session_protocol_error(store->session, error, "LIST");
  size_t size;
  g_autofree char *wire = imap_span_dup(&entry.name, &size);
  if (size == 0 || size > IMAP_NAME_LIMIT || strlen(wire) != size || entry.bad_separator) {
    if (store->n_left_alone++ < IMAP_TOLD_LIMIT)
      haul_log(HAUL_LOG_WARNING, "%s folder \"%.*s\": left alone, its %s cannot be used",
               haul_account_side(store->account), (int)MIN(size, 80), wire,
               entry.bad_separator ? "separator" : "name");
    return true;
  }
  ImapFolder *folder = know(store, xlist && entry.inbox ? "INBOX" : wire, entry.separator);
  if (subscribed) { /* LSUB also tells of folders that are no more */
    folder->attributes |= HAUL_FOLDER_SUBSCRIBED;
    return true;
  }
  folder->separator = entry.separator;
  folder->attributes |= entry.attributes;
  folder->listed |= !entry.nonexistent;
  return true;
}

static uint32_t
status_number(uint64_t number)
{
  return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* What cannot be read leaves its folder unknown: Mailutils does not quote a name with blanks in it. */
static void
take_status(HaulStore *store, ImapCursor rest)
{
  ImapStatusData status;
  if (!imap_parse_status(&rest, &status)) {
    haul_log(HAUL_LOG_DEBUG, "%s: a STATUS that cannot be read, left alone",
             haul_account_side(store->account));
    return;
  }
  g_autofree char *wire = imap_span_dup(&status.name, NULL);
  ImapFolder *folder =
      g_hash_table_lookup(store->by_wire, haul_path_is_inbox(wire) ? "INBOX" : wire);
  if (folder == NULL)
    return;
  folder->told = true;
  folder->n_messages = status.messages;
  folder->n_octets = status.size;
  if (status.append_limit != HAUL_UNKNOWN)
    folder->append_limit = status.append_limit;
  folder->mod_sequence = status.mod_sequence;
  folder->epoch = status_number(status.uid_validity);
  folder->next_id = status_number(status.uid_next);
  if (status.mailbox_id.at != NULL && folder->object_id == NULL)
    folder->object_id = imap_span_dup(&status.mailbox_id, NULL);
}

bool
imap_folders_take(ImapSession *session, ImapCommand *command, const ImapResponse *response,
                  GError **error)
{
  HaulStore *store = command->context;
  if (response->kind != IMAP_RESPONSE_DATA)
    return true;
  bool xlist = imap_span_is(&response->name, "XLIST");
  if (xlist || imap_span_is(&response->name, "LIST"))
    return take_list(store, response->rest, false, xlist, error);
  if (imap_span_is(&response->name, "LSUB"))
    return take_list(store, response->rest, true, false, error);
  if (imap_span_is(&response->name, "STATUS"))
    take_status(store, response->rest);
  return true;
}

static bool
list_done(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  HaulStore *store = command->context;
  if (response->condition == IMAP_OK)
    name_folders(store);
  return true;
}

char *
imap_status_items(const HaulStore *store)
{
  const ImapSession *session = store->session;
  GString *items = g_string_new("(MESSAGES UIDNEXT UIDVALIDITY");
  bool writes = (store->intent & HAUL_WRITE) != 0;
  if ((session->capabilities & (IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC)) != 0)
    g_string_append(items, " HIGHESTMODSEQ");
  /* What is to be copied is weighed; where it goes to nobody asks, and it may take a server long. */
  if (!writes && imap_session_can(session, IMAP_CAP_STATUS_SIZE))
    g_string_append(items, " SIZE");
  /* Told for all at once, "APPENDLIMIT=n", it need not be asked for (RFC 7889 §2). */
  if (writes && imap_session_can(session, IMAP_CAP_APPENDLIMIT)
      && session->append_limit == HAUL_UNKNOWN)
    g_string_append(items, " APPENDLIMIT");
  /* Not MAILBOXID, for which Cyrus 3.6 sends octets of its memory, line ends and all. SELECT tells it. */
  g_string_append_c(items, ')');
  return g_string_free(items, FALSE);
}

/* Whether Gmail's own LIST of old tells what folders are for, where nothing else does. */
static bool
lists_by_xlist(const ImapSession *session)
{
  const uint64_t better = IMAP_CAP_LIST_EXTENDED | IMAP_CAP_SPECIAL_USE;
  return imap_session_can(session, IMAP_CAP_XLIST) && (session->capabilities & better) == 0;
}

bool
imap_folders_request(HaulStore *store, GError **error)
{
  ImapSession *session = store->session;
  ImapCommand list = { .name = "LIST",
                       .data = imap_folders_take,
                       .done = list_done,
                       .reply = &store->list_reply,
                       .context = store };
  ImapCommand lsub = {
    .name = "LSUB", .data = imap_folders_take, .reply = &store->lsub_reply, .context = store
  };
  imap_reply_clear(&store->list_reply);
  imap_reply_clear(&store->lsub_reply);
  for (guint i = 0; i < store->folders->len; i++) {
    ImapFolder *folder = g_ptr_array_index(store->folders, i);
    folder->listed = folder->told = false;
    folder->attributes = 0;
  }
  store->n_entries = 0;
  store->listing = true;
  store->listing_told = false;
  /* Remembered, for what the server offers may change before the answer comes: ENABLE is under way. */
  store->listing_has_status =
      imap_session_can(session, IMAP_CAP_LIST_EXTENDED | IMAP_CAP_LIST_STATUS);
  if (imap_session_can(session, IMAP_CAP_LIST_EXTENDED)) {
    const char *special = imap_session_can(session, IMAP_CAP_SPECIAL_USE) ? " SPECIAL-USE" : "";
    g_autofree char *status_items = imap_status_items(store);
    g_autofree char *status =
        store->listing_has_status ? g_strconcat(" STATUS ", status_items, NULL) : NULL;
    if (!imap_session_send(session, &list, error, "LIST \"\" \"*\" RETURN (SUBSCRIBED%s%s)",
                           special, status != NULL ? status : ""))
      return false;
    store->lsub_reply.finished = true;
  } else if (!imap_session_send(session, &lsub, error, "LSUB \"\" \"*\"")
             || !imap_session_send(session, &list, error, "%s \"\" \"*\"",
                                   lists_by_xlist(session) ? "XLIST" : "LIST")) {
    return false;
  }
  store->listing_sent_at = session->n_tags;
  return true;
}

/* Returns what the LIST that was refused may do without; 0 for nothing. */
static uint64_t
to_blame(const HaulStore *store)
{
  const ImapReply *reply = &store->list_reply;
  if (reply->condition == IMAP_OK || imap_asks_for_patience(reply->code, reply->text))
    return 0;
  if (store->listing_has_status)
    return IMAP_CAP_LIST_STATUS;
  if (imap_session_can(store->session, IMAP_CAP_LIST_EXTENDED))
    return IMAP_CAP_LIST_EXTENDED;
  return lists_by_xlist(store->session) ? IMAP_CAP_XLIST : 0;
}

bool
imap_folders_await(HaulStore *store, GError **error)
{
  uint64_t dropped = 0;
  for (;;) {
    store->listing = false;
    if (!imap_session_wait(store->session, &store->lsub_reply, error)
        || !imap_session_wait(store->session, &store->list_reply, error))
      return false;
    uint64_t blamed = to_blame(store);
    if (blamed == 0)
      break;
    dropped |= blamed;
    imap_extensions_drop(store->session, blamed);
    if (!imap_folders_request(store, error))
      return false;
  }
  if (store->list_reply.condition == IMAP_OK)
    imap_extensions_forgo(store->session, dropped);
  return imap_session_expect(store->session, &store->list_reply, "folders cannot be listed",
                             HAUL_ERROR_ACCOUNT, "failed", error);
}

static bool
is_ours(const ImapFolder *folder)
{
  return folder->listed && folder->path != NULL;
}

/* A STATUS that is refused leaves its folder unknown, and is not worth more, unless the server wants to be
 * left alone for a while; [INUSE] is said of the folder. */
static bool
status_done(ImapSession *session, ImapCommand *command, const ImapResponse *response,
            GError **error)
{
  HaulStore *store = command->context;
  store->status_misunderstood |= response->condition == IMAP_BAD;
  if (response->condition == IMAP_OK || session->plea == NULL
      || imap_span_is(&response->code, "INUSE"))
    return true;
  g_propagate_error(error, g_error_copy(session->plea));
  session->dead = true;
  return false;
}

/* Asks for the STATUS of the folders that are not told. */
static bool
ask_status(HaulStore *store, GError **error)
{
  ImapCommand command = {
    .name = "STATUS", .data = imap_folders_take, .done = status_done, .context = store
  };
  g_autofree char *items = imap_status_items(store);
  g_autofree char *after = g_strconcat(" ", items, NULL);
  store->status_misunderstood = false;
  for (guint i = 0; i < store->folders->len; i++) {
    ImapFolder *folder = g_ptr_array_index(store->folders, i);
    if (!is_ours(folder) || folder->told || (folder->attributes & HAUL_FOLDER_NOSELECT) != 0)
      continue;
    while (g_queue_get_length(&store->session->commands)
           >= (imap_throttle_is_on(&store->session->throttle) ? 1 : IMAP_FOLDERS_FLIGHT)) {
      if (!imap_session_step(store->session, error))
        return false;
    }
    if (!imap_session_send_named(store->session, &command, "STATUS ", folder->wire,
                                 strlen(folder->wire), after, error))
      return false;
  }
  g_auto(ImapReply) reply = { 0 };
  ImapCommand last = {
    .name = "NOOP", .data = imap_folders_take, .context = store, .reply = &reply
  };
  return imap_session_send(store->session, &last, error, "NOOP")
         && imap_session_wait(store->session, &reply, error);
}

static guint
count_told(const HaulStore *store)
{
  guint n = 0;
  for (guint i = 0; i < store->folders->len; i++)
    n += ((const ImapFolder *)g_ptr_array_index(store->folders, i))->told;
  return n;
}

/* Asks for the STATUS of all folders, where LIST has not told it: with what extensions add to it, and
 * without where the server does not understand that. */
static bool
learn_status(HaulStore *store, GError **error)
{
  uint64_t extensions = store->session->capabilities & STATUS_EXTENSIONS;
  if (!ask_status(store, error))
    return false;
  if (!store->status_misunderstood || extensions == 0)
    return true;
  guint n_told = count_told(store);
  imap_extensions_drop(store->session, extensions);
  if (!ask_status(store, error))
    return false;
  if (count_told(store) > n_told)
    imap_extensions_forgo(store->session, extensions);
  else /* it was the folder */
    imap_extensions_restore(store->session, extensions);
  return true;
}

void
imap_folder_describe(const HaulStore *store, ImapFolder *folder, HaulFolder *out)
{
  *out = (HaulFolder){
    .path = folder->path,
    .native = folder->wire,
    .object_id = folder->object_id,
    .epoch = folder->epoch,
    .n_messages = folder->n_messages,
    .n_octets = folder->n_octets,
    .max_message_octets = MIN(store->session->append_limit, folder->append_limit),
    .attributes = folder->attributes | HAUL_FOLDER_UIDS
                  | (imap_session_can(store->session, IMAP_CAP_GMAIL) ? HAUL_FOLDER_LABEL : 0),
    .settable_flags = folder->flags_known ? folder->settable_flags : HAUL_ALL_FLAGS,
    .any_keyword = folder->flags_known ? folder->any_keyword : !folder->no_keywords,
  };
  if (folder->next_id != 0) {
    g_snprintf(folder->next_text, sizeof folder->next_text, "%" G_GUINT64_FORMAT, folder->next_id);
    out->next_id = folder->next_text;
  }
  if (folder->epoch != 0 && folder->next_id != 0 && folder->n_messages != HAUL_UNKNOWN
      && folder->mod_sequence != HAUL_UNKNOWN && folder->mod_sequence != 0) {
    g_snprintf(folder->token, sizeof folder->token,
               "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT
               "-%" G_GUINT64_FORMAT,
               folder->epoch, folder->next_id, folder->n_messages, folder->mod_sequence);
    out->change_token = folder->token;
  }
}

bool
imap_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error)
{
  /* Nothing was sent since: what the listing sent by open() says, or is about to, still holds. */
  bool fresh = !store->listing_told && store->listing_sent_at == store->session->n_tags;
  if (!imap_writer_pause(store, error) || (!fresh && !imap_folders_request(store, error))
      || !imap_folders_await(store, error)
      || (!store->listing_has_status && !learn_status(store, error)))
    return false;
  store->listing_told = true;
  for (guint i = 0; i < store->folders->len; i++) {
    ImapFolder *folder = g_ptr_array_index(store->folders, i);
    HaulFolder described;
    if (!is_ours(folder))
      continue;
    imap_folder_describe(store, folder, &described);
    if (!each(&described, data))
      return false;
  }
  return true;
}

ImapFolder *
imap_folder_find(HaulStore *store, const char *path, GError **error)
{
  if (haul_path_is_inbox(path))
    path = "INBOX";
  ImapFolder *folder = g_hash_table_lookup(store->by_path, path);
  if (folder == NULL && store->listing) {
    if (!imap_folders_await(store, error))
      return NULL;
    folder = g_hash_table_lookup(store->by_path, path);
  }
  if (folder == NULL) {
    g_autofree char *wire = imap_names_to_wire(&store->names, path);
    folder = know(store, wire, store->names.separator);
    if (folder->path == NULL) {
      folder->path = g_strdup(path);
      g_hash_table_insert(store->by_path, folder->path, folder);
    }
  }
  return folder;
}
