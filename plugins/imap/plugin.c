/*
 * The `imap` backend: IMAP4rev1 and later (RFC 3501, RFC 9051), source and destination both.
 *
 * This file is its face: settings, opening, closing. login.c begins a session, compress.c makes it
 * smaller, session.c carries commands and responses, folders.c lists and makes folders, visit.c opens them, reader.c reads,
 * writer.c appends, flags.c changes flags, copier.c copies within the account; wire.c, set.c, date.c, response.c, fetch.c and names.c
 * know the octets and do no I/O.
 */
#include <mailhaul/sasl.h>

#include "changes.h"
#include "compress.h"
#include "copier.h"
#include "expunge.h"
#include "extensions.h"
#include "keywords.h"
#include "flags.h"
#include "idle.h"
#include "login.h"
#include "quota.h"
#include "reader.h"
#include "search.h"
#include "visit.h"
#include "writer.h"

static void
imap_close(HaulStore *store)
{
  if (store == NULL)
    return;
  imap_writer_free(store->writer);
  imap_keywords_tell(store);
  imap_visits_free(store->visits);
  imap_session_close(store->session);
  imap_reply_clear(&store->list_reply);
  imap_reply_clear(&store->lsub_reply);
  imap_reply_clear(&store->quota_reply);
  imap_names_free(&store->names);
  g_hash_table_unref(store->by_path);
  g_hash_table_unref(store->by_wire);
  g_ptr_array_unref(store->folders);
  g_free(store);
}

static bool
take_namespace(ImapSession *session, ImapCommand *command, const ImapResponse *response,
               GError **error)
{
  HaulStore *store = command->context;
  ImapCursor rest = response->rest;
  if (response->kind != IMAP_RESPONSE_DATA || !imap_span_is(&response->name, "NAMESPACE"))
    return true;
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  if (imap_parse_namespaces(&rest, entries)) /* else as if it had told none */
    imap_names_set(&store->names, entries);
  return true;
}

/* Learns where the mail is, and that it can be reached: Exchange lets in accounts that it then has
 * no mail for. The listing goes out with the rest, and need not be waited for. */
static bool
reach(HaulStore *store, GError **error)
{
  ImapSession *session = store->session;
  g_auto(ImapReply) reply = { 0 };
  ImapCommand namespace = {
    .name = "NAMESPACE", .data = take_namespace, .context = store, .reply = &reply
  };
  bool has_namespaces = imap_session_can(session, IMAP_CAP_NAMESPACE);
  if ((imap_session_can(session, IMAP_CAP_ID) && !imap_identify(session, NULL, error))
      || !imap_extensions_enable(session, error)
      || (has_namespaces && !imap_session_send(session, &namespace, error, "NAMESPACE"))
      || !imap_folders_request(store, error))
    return false;
  /* Where NAMESPACE is not offered, or offered but broken, the listing is the proof. */
  bool fine = !has_namespaces || imap_session_wait(session, &reply, error);
  if (fine && (!has_namespaces || reply.condition != IMAP_OK)) {
    GError *why = NULL;
    fine = imap_folders_await(store, &why);
    if (!fine && haul_error_reach(why) == HAUL_ERROR_ACCOUNT)
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                     "logged in, but the mail cannot be reached: %s", why->message);
    else if (!fine)
      g_propagate_error(error, g_steal_pointer(&why));
    g_clear_error(&why);
    if (fine && has_namespaces && !imap_asks_for_patience(reply.code, reply.text))
      imap_extensions_forgo(session, IMAP_CAP_NAMESPACE);
  }
  session->dead |= !fine;
  return fine;
}

static bool
check_settings(const HaulAccount *account, GError **error)
{
  static const char *const wishes[] = { "auto", "yes", "no", NULL };
  if (g_strv_contains(wishes, haul_account_string(account, "compress")))
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "the setting \"compress\" of the %s is auto, yes or no",
                 haul_account_side(account));
  return false;
}

static HaulStore *
imap_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  if (!check_settings(account, error))
    return NULL;
  ImapSession *session = imap_login(account, error);
  if (session == NULL)
    return NULL;
  HaulStore *store = g_new0(HaulStore, 1);
  store->account = account;
  store->intent = intent;
  store->session = session;
  store->folders = g_ptr_array_new_with_free_func(imap_folder_free);
  store->by_wire = g_hash_table_new(g_str_hash, g_str_equal);
  store->by_path = g_hash_table_new(g_str_hash, g_str_equal);
  store->visits = imap_visits_new();
  store->writer = imap_writer_new();
  imap_names_init(&store->names);
  if (imap_compress(session, error) && reach(store, error))
    return store;
  imap_close(store);
  return NULL;
}

static char *
imap_identity(HaulStore *store)
{
  const char *authuser = haul_account_string(store->account, "authuser");
  bool delegated = authuser != NULL && *authuser != '\0';
  const char *host = haul_account_string(store->account, "host");
  const char *user = haul_account_string(store->account, "user");
  /* A tunnel may lead to anywhere, whatever host its certificates are for. */
  bool tunnelled = haul_stream_is_tunnel(store->session->stream);
  g_autofree char *where = tunnelled ? g_strdup(haul_account_string(store->account, "tunnel"))
                                     : g_ascii_strdown(host, -1);
  return g_strconcat(tunnelled ? "imap-tunnel:" : "imap:", where, "/", user == NULL ? "" : user,
                     delegated ? "/" : NULL, authuser, NULL);
}

static const HaulSetting settings[] = {
  HAUL_STREAM_SETTINGS,
  HAUL_SASL_SETTINGS,
  { "proxyauth", 'b', "false", "Whether authuser becomes user by the command PROXYAUTH." },
  { "compress", 's', "auto", "Compression: auto (where the link is slow), yes or no." },
  { "no-ext", 's', "", "Extensions to do without, such as MULTIAPPEND,UIDPLUS." },
  { NULL, 0, NULL, NULL },
};

static const HaulStoreOps ops = {
  .struct_size = sizeof ops,
  .open = imap_open,
  .close = imap_close,
  .folders = imap_folders,
  .create = imap_create,
  .subscribe = imap_subscribe,
  .rename = imap_rename,
  .remove = imap_remove,
  .ahead = imap_ahead,
  .select = imap_select,
  .list = imap_list,
  .changes = imap_changes,
  .fetch = imap_fetch,
  .put = imap_put,
  .flush = imap_flush,
  .set_flags = imap_set_flags,
  .copy = imap_copy,
  .search = imap_search,
  .expunge = imap_expunge,
  .quota = imap_quota,
  .wait = imap_wait,
  .identity = imap_identity,
};

HAUL_PLUGIN(imap) = {
  HAUL_PLUGIN_HEAD,        .name = "imap",
  .version = HAUL_VERSION, .summary = "Mailboxes on an IMAP server.",
  .settings = settings,    .store = &ops,
};
