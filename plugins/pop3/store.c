/* Sessions that come and go. See store.h. */
#include "store.h"

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "limits.h"

bool
pop3_store_connect(HaulStore *store, GError **error)
{
  if (store->session == NULL) {
    g_clear_pointer(&store->mailbox, pop3_mailbox_free);
    store->session = pop3_session_open(store->account, error);
  }
  return store->session != NULL;
}

void
pop3_store_drop(HaulStore *store)
{
  g_clear_pointer(&store->session, pop3_session_close);
  g_clear_pointer(&store->mailbox, pop3_mailbox_free);
}

bool
pop3_store_quit(HaulStore *store, GError **error)
{
  g_autoptr(GError) why = NULL;
  bool ok = pop3_session_quit(store->session, &why);
  pop3_store_drop(store);
  if (ok)
    return true;
  if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
  }
  /* "Some deleted messages not removed", it says, and not which (RFC 1939 §6). */
  haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "%s", why->message);
  return false;
}

bool
pop3_store_uses_top(const HaulStore *store)
{
  return pop3_session_can(store->session, POP3_CAN_TOP)
         && !haul_account_forgoes(store->account, "TOP");
}

bool
pop3_store_refused(HaulStore *store, const Pop3Status *status, const char *reason, const char *what,
                   GError **why, GError **error)
{
  GError *refusal =
      pop3_session_refusal_as(store->session, status, HAUL_ERROR_MESSAGE, reason, what);
  if (haul_error_reach(refusal) != HAUL_ERROR_MESSAGE) {
    g_propagate_error(error, refusal);
    return false;
  }
  if (why != NULL)
    *why = refusal;
  else
    g_error_free(refusal);
  return true;
}

bool
pop3_finish(HaulStore *store, GError **error)
{
  g_autoptr(GError) why = NULL;
  if (store->session == NULL)
    return true;
  pop3_session_hurry(store->session, POP3_FAREWELL_S);
  /* Whatever it answers: nothing hangs on it any more. */
  if (!pop3_store_quit(store, &why))
    haul_log(HAUL_LOG_DEBUG, "source: %s", why->message);
  return true;
}
