/* Quota. See quota.h. */
#include "quota.h"

#include <mailhaul/message.h>

#include "extensions.h"
#include "writer.h"

/* Keeps the tightest of what is told: a root of the user's may lie beside one of a whole domain. */
static bool
take_quota(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  HaulStore *store = command->context;
  ImapQuota quota;
  ImapCursor rest = response->rest;
  if (response->kind != IMAP_RESPONSE_DATA || !imap_span_is(&response->name, "QUOTA")
      || !imap_parse_quota(&rest, &quota) || quota.limit_octets == HAUL_UNKNOWN)
    return true; /* what cannot be read is as if it had not been told */
  if (store->quota.limit_octets == HAUL_UNKNOWN
      || imap_quota_room(&quota) < imap_quota_room(&store->quota))
    store->quota = quota;
  return true;
}

static bool
quota_done(ImapSession *session, ImapCommand *command, const ImapResponse *response, GError **error)
{
  if (response->condition == IMAP_BAD)
    imap_extensions_forgo(session, IMAP_CAP_QUOTA);
  return true;
}

bool
imap_quota_request(HaulStore *store, GError **error)
{
  ImapCommand command = { .name = "GETQUOTAROOT",
                          .data = take_quota,
                          .done = quota_done,
                          .reply = &store->quota_reply,
                          .context = store };
  imap_reply_clear(&store->quota_reply);
  store->quota = (ImapQuota){ .used_octets = HAUL_UNKNOWN, .limit_octets = HAUL_UNKNOWN };
  store->quota_asked = true;
  if (imap_session_can(store->session, IMAP_CAP_QUOTA))
    return imap_session_send(store->session, &command, error, "GETQUOTAROOT \"INBOX\"");
  store->quota_reply.finished = true;
  return true;
}

bool
imap_quota(HaulStore *store, uint64_t *used_octets, uint64_t *limit_octets, GError **error)
{
  if ((!store->quota_asked
       && (!imap_writer_pause(store, error) || !imap_quota_request(store, error)))
      || !imap_session_wait(store->session, &store->quota_reply, error))
    return false;
  store->quota_asked = false;
  *used_octets = store->quota.used_octets;
  *limit_octets = store->quota.limit_octets;
  return true;
}
