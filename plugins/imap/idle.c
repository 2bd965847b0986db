/*
 * Waiting for changes. See idle.h.
 *
 * IDLE (RFC 2177) has the server tell; where it is not offered, NOOP asks now and then.
 */
#include "idle.h"

#include "extensions.h"
#include "visit.h"
#include "writer.h"

enum {
  IDLE_S =
      28 * 60, /* after which it is begun anew: servers end it after 30 minutes (RFC 2177 §3) */
  IDLE_LEAST_S = 1, /* what ends sooner by itself would have us ask all the time */
  NOOP_S = 60,      /* between two questions */
};

typedef struct {
  uint64_t n_messages; /* as the server last said */
  bool changed;
  int64_t until_us; /* on the monotonic clock */
} Wait;

static bool
take_change(ImapSession *session, ImapCommand *command, const ImapResponse *response,
            GError **error)
{
  Wait *wait = command->context;
  if (response->kind != IMAP_RESPONSE_DATA)
    return true;
  if (imap_span_is(&response->name, "EXISTS")) {
    wait->changed |= response->number != wait->n_messages; /* some say it again and again */
    wait->n_messages = response->number;
  } else if (imap_span_is(&response->name, "EXPUNGE") || imap_span_is(&response->name, "FETCH")
             || imap_span_is(&response->name, "VANISHED")) {
    wait->changed = true;
  }
  return true;
}

static int64_t
in_seconds(unsigned seconds)
{
  return g_get_monotonic_time() + seconds * (int64_t)G_USEC_PER_SEC;
}

/* Waits until something comes, until @limit_us at most, or the time is over. */
static bool
await(ImapSession *session, const Wait *wait, int64_t limit_us, bool *readable, GError **error)
{
  int64_t now_us = g_get_monotonic_time();
  int64_t end_us = MIN(wait->until_us, limit_us);
  unsigned left_ms = end_us > now_us ? (unsigned)((end_us - now_us + 999) / 1000) : 0;
  *readable = false;
  if (left_ms == 0) /* however much it says */
    return true;
  bool fine = haul_stream_wait(session->stream, left_ms, readable, error);
  session->dead |= !fine;
  return fine;
}

/* Lets the server tell, once. It may end that by itself. */
static bool
idle(ImapSession *session, Wait *wait, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "IDLE", .data = take_change, .reply = &reply, .context = wait };
  int64_t least_us = in_seconds(IDLE_LEAST_S), limit_us = in_seconds(IDLE_S);
  bool go_ahead;
  bool fine = imap_session_send(session, &command, error, "IDLE")
              && imap_session_await(session, session->n_tags, &go_ahead, error);
  bool readable = fine && go_ahead;
  while (fine && readable && !reply.finished && !wait->changed)
    fine = await(session, wait, limit_us, &readable, error)
           && (!readable || imap_session_step(session, error));
  bool at_once = reply.finished && !wait->changed && g_get_monotonic_time() < least_us;
  if (fine && !reply.finished)
    fine = imap_session_write(session, "DONE\r\n", 6, error)
           && imap_session_wait(session, &reply, error);
  imap_session_detach(session, wait);
  if (fine && reply.condition == IMAP_BAD)
    imap_extensions_forgo(session, IMAP_CAP_IDLE);
  else if (fine && (reply.condition != IMAP_OK || at_once))
    imap_extensions_drop(session, IMAP_CAP_IDLE);
  return fine;
}

/* Asks once; what comes by itself after that is heard by the next question, which it brings on. */
static bool
ask(ImapSession *session, Wait *wait, GError **error)
{
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "NOOP", .data = take_change, .reply = &reply, .context = wait };
  bool readable;
  bool fine =
      imap_session_send(session, &command, error, "NOOP")
      && imap_session_expect(session, &reply, "NOOP", HAUL_ERROR_CONNECTION, "closed", error);
  imap_session_detach(session, wait);
  return fine && (wait->changed || await(session, wait, in_seconds(NOOP_S), &readable, error));
}

bool
imap_wait(HaulStore *store, unsigned timeout_s, bool *changed, GError **error)
{
  ImapSession *session = store->session;
  ImapVisit *visit =
      imap_writer_pause(store, error) ? imap_visit_begin(store, false, NULL, error) : NULL;
  if (visit == NULL)
    return false;
  Wait wait = {
    .n_messages = visit->n_messages,
    .changed = visit->n_gone > 0 || visit->n_newest != visit->n_messages,
    .until_us = in_seconds(timeout_s),
  };
  bool fine = true;
  bool over = wait.changed;
  while (fine && !over) {
    fine = imap_session_can(session, IMAP_CAP_IDLE) && timeout_s > 0 ? idle(session, &wait, error)
                                                                     : ask(session, &wait, error);
    over = wait.changed || g_get_monotonic_time() >= wait.until_us;
  }
  *changed = wait.changed;
  if (!fine || wait.changed) /* what the visit knows of the folder holds no longer */
    imap_visit_end(store);
  return fine;
}
