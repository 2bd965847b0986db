/* Extensions of one session. See extensions.h. */
#include "extensions.h"

#include <mailhaul/message.h>
#include <string.h>

void
imap_extensions_begin(ImapSession *session)
{
  const char *list = haul_account_string(session->account, "no-ext");
  uint64_t limit;
  session->append_limit = HAUL_UNKNOWN;
  if (list != NULL)
    session->ignored = imap_parse_capabilities((ImapCursor){ list, list + strlen(list) }, &limit);
}

/* Returns those of @capabilities that have failed at this server. */
static uint64_t
forgone(const ImapSession *session, uint64_t capabilities)
{
  uint64_t found = 0;
  while (capabilities != 0) {
    uint64_t one = capabilities & -capabilities;
    const char *name = imap_capability_name(one);
    if (name != NULL && haul_account_forgoes(session->account, name))
      found |= one;
    capabilities &= ~one;
  }
  return found;
}

static bool
is_rev2_enabled(const ImapSession *session)
{
  return (session->enabled & IMAP_CAP_IMAP4REV2) != 0;
}

static void
apply(ImapSession *session)
{
  uint64_t without = session->ignored | session->dropped;
  uint64_t capabilities =
      imap_capabilities_imply(session->offered, without, is_rev2_enabled(session));
  session->capabilities = capabilities & ~forgone(session, capabilities);
  /* Without rev1 there is nothing to be turned on. */
  bool only_rev2 = (session->offered & (IMAP_CAP_IMAP4 | IMAP_CAP_IMAP4REV2)) == IMAP_CAP_IMAP4REV2;
  session->utf8 = only_rev2 || (session->enabled & (IMAP_CAP_IMAP4REV2 | IMAP_CAP_UTF8)) != 0;
}

void
imap_extensions_take(ImapSession *session, ImapCursor list)
{
  session->append_limit = HAUL_UNKNOWN;
  session->offered = imap_parse_capabilities(list, &session->append_limit);
  session->mechanisms = imap_parse_mechanisms(list);
  session->is_cyrus = session->is_cyrus || imap_are_of_cyrus(list);
  session->capabilities_known = true;
  if ((session->ignored & IMAP_CAP_APPENDLIMIT) != 0)
    session->append_limit = HAUL_UNKNOWN;
  apply(session);
}

void
imap_extensions_reset(ImapSession *session)
{
  session->offered = session->capabilities = 0;
  session->mechanisms = 0;
  session->capabilities_known = session->is_cyrus = false;
  session->append_limit = HAUL_UNKNOWN;
}

void
imap_extensions_drop(ImapSession *session, uint64_t capabilities)
{
  session->dropped |= capabilities;
  apply(session);
}

void
imap_extensions_restore(ImapSession *session, uint64_t capabilities)
{
  session->dropped &= ~capabilities;
  apply(session);
}

void
imap_extensions_regain(ImapSession *session, uint64_t capabilities)
{
  session->dropped &= ~capabilities;
  apply(session);
}

void
imap_extensions_forgo(ImapSession *session, uint64_t capabilities)
{
  imap_extensions_drop(session, capabilities);
  while (capabilities != 0) {
    uint64_t one = capabilities & -capabilities;
    haul_account_forgo(session->account, imap_capability_name(one));
    capabilities &= ~one;
  }
}

void
imap_extensions_forgo_literals(ImapSession *session)
{
  uint64_t offered = imap_capabilities_imply(session->offered, 0, is_rev2_enabled(session));
  imap_extensions_forgo(session, offered & IMAP_CAP_LITERALS);
}

static bool
take_enabled(ImapSession *session, ImapCommand *command, const ImapResponse *response,
             GError **error)
{
  uint64_t limit;
  if (response->kind != IMAP_RESPONSE_DATA || !imap_span_is(&response->name, "ENABLED"))
    return true;
  session->enabled |= imap_parse_capabilities(response->rest, &limit);
  apply(session);
  return true;
}

static bool
enable_done(ImapSession *session, ImapCommand *command, const ImapResponse *response,
            GError **error)
{
  if (response->condition == IMAP_BAD)
    imap_extensions_forgo(session, IMAP_CAP_IMAP4REV2 & session->capabilities);
  return true;
}

static bool
qresync_done(ImapSession *session, ImapCommand *command, const ImapResponse *response,
             GError **error)
{
  if (response->condition == IMAP_BAD)
    imap_extensions_forgo(session, IMAP_CAP_QRESYNC);
  return true;
}

/* Apart from the rest, so that a refusal tells what of. It has to come before any folder is opened
 * (RFC 7162 §3.2.3). */
static bool
enable_qresync(ImapSession *session, GError **error)
{
  ImapCommand command = { .name = "ENABLE", .data = take_enabled, .done = qresync_done };
  return !imap_session_can(session, IMAP_CAP_ENABLE | IMAP_CAP_QRESYNC)
         || imap_session_send(session, &command, error, "ENABLE QRESYNC");
}

bool
imap_extensions_enable(ImapSession *session, GError **error)
{
  const uint64_t both = IMAP_CAP_IMAP4 | IMAP_CAP_IMAP4REV2;
  const char *what = NULL;
  /* UTF8=ACCEPT alone would change the names of folders and nothing that we want; UTF8=ONLY demands
   * it (RFC 6855 §3, §6). */
  if (imap_session_can(session, both))
    what = "ENABLE IMAP4rev2";
  else if (imap_session_can(session, IMAP_CAP_UTF8_ONLY))
    what = "ENABLE UTF8=ACCEPT";
  ImapCommand command = { .name = "ENABLE", .data = take_enabled, .done = enable_done };
  return (what == NULL || imap_session_send(session, &command, error, "%s", what))
         && enable_qresync(session, error);
}
