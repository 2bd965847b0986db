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

static void
apply(ImapSession *session)
{
  uint64_t without = session->ignored | session->dropped;
  uint64_t capabilities = imap_capabilities_imply(session->offered, without, session->rev2_enabled);
  session->capabilities = capabilities & ~forgone(session, capabilities);
}

void
imap_extensions_take(ImapSession *session, ImapCursor list)
{
  session->append_limit = HAUL_UNKNOWN;
  session->offered = imap_parse_capabilities(list, &session->append_limit);
  session->mechanisms = imap_parse_mechanisms(list);
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
  session->capabilities_known = false;
  session->append_limit = HAUL_UNKNOWN;
}

void
imap_extensions_drop(ImapSession *session, uint64_t capabilities)
{
  session->dropped |= capabilities;
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
  uint64_t offered = imap_capabilities_imply(session->offered, 0, session->rev2_enabled);
  imap_extensions_forgo(session, offered & IMAP_CAP_LITERALS);
}
