/*
 * The `pop3` backend: a mailbox on a POP3 server (RFC 1939), as a source.
 *
 * This file is its face: settings, opening, closing. login.c begins a session, auth.c tells who we are,
 * session.c carries commands and answers; wire.c, capability.c and refusal.c know the octets and do no
 * I/O. What lies in the mailbox mailbox.c knows; lister.c, reader.c and remover.c do what is asked of it.
 */
#include <string.h>

#include <mailhaul/sasl.h>

#include "store.h"

static void
pop3_close(HaulStore *store)
{
  if (store == NULL)
    return;
  pop3_store_drop(store);
  g_free(store);
}

static bool
check_settings(const HaulAccount *account, GError **error)
{
  static const char *const wishes[] = { "auto", "yes", "no", NULL };
  if (g_strv_contains(wishes, haul_account_string(account, "batches")))
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "the setting \"batches\" of the %s is auto, yes or no",
                 haul_account_side(account));
  return false;
}

static HaulStore *
pop3_open(const HaulAccount *account, HaulIntent intent, GError **error)
{
  if (!check_settings(account, error))
    return NULL;
  Pop3Session *session = pop3_session_open(account, error);
  if (session == NULL)
    return NULL;
  HaulStore *store = g_new0(HaulStore, 1);
  store->account = account;
  store->session = session;
  store->marks_seen = haul_account_bool(account, "seen");
  const char *batches = haul_account_string(account, "batches");
  store->hides_read =
      strcmp(batches, "yes") == 0 || (strcmp(batches, "auto") == 0 && session->shows_parts);
  return store;
}

static char *
pop3_identity(HaulStore *store)
{
  const char *authuser = haul_account_string(store->account, "authuser");
  bool delegated = authuser != NULL && *authuser != '\0';
  const char *tunnel = haul_account_string(store->account, "tunnel");
  const char *user = haul_account_string(store->account, "user");
  /* A tunnel may lead to anywhere, whatever host its certificates are for. */
  bool tunnelled = tunnel != NULL && *tunnel != '\0';
  g_autofree char *where = tunnelled
                               ? g_strdup(tunnel)
                               : g_ascii_strdown(haul_account_string(store->account, "host"), -1);
  return g_strconcat(tunnelled ? "pop3-tunnel:" : "pop3:", where, "/", user, delegated ? "/" : NULL,
                     authuser, NULL);
}

static const HaulSetting settings[] = {
  HAUL_STREAM_SETTINGS,
  HAUL_SASL_SETTINGS,
  { "seen", 'b', "false", "Whether all messages count as seen." },
  { "batches", 's', "auto",
    "Whether the server shows its mail a part at a time: auto, yes or no." },
  { NULL, 0, NULL, NULL },
};

static const HaulStoreOps ops = {
  .struct_size = sizeof ops,
  .open = pop3_open,
  .close = pop3_close,
  .folders = pop3_folders,
  .select = pop3_select,
  .list = pop3_list,
  .fetch = pop3_fetch,
  .expunge = pop3_expunge,
  .identity = pop3_identity,
  .finish = pop3_finish,
};

HAUL_PLUGIN(pop3) = {
  HAUL_PLUGIN_HEAD,        .name = "pop3",
  .version = HAUL_VERSION, .summary = "A mailbox on a POP3 server.",
  .settings = settings,    .store = &ops,
};
