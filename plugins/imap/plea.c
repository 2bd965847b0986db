/* Pleas for patience. See plea.h. */
#include "plea.h"

#include <mailhaul/log.h>

void
imap_plea_note(ImapSession *session, const ImapResponse *response)
{
  bool throttled = imap_says_throttled(response->text.at, response->text.size)
                   || imap_span_is(&response->code, "THROTTLED");
  imap_throttle_answer(&session->throttle, throttled);
  g_clear_error(&session->plea);
  if (response->condition == IMAP_OK || !session->logged_in)
    return;
  g_autofree char *text = imap_span_dup(&response->text, NULL);
  g_autofree char *code = response->code.at != NULL ? imap_span_dup(&response->code, NULL) : NULL;
  if (imap_asks_for_patience(code, text))
    imap_set_refusal(&session->plea, HAUL_ERROR_BUSY, "busy", "server asks for patience", code,
                     text);
}

bool
imap_plea_pause(ImapSession *session, GError **error)
{
  if (session->throttle.pause_ms == 0)
    return true;
  gint64 now_us = g_get_monotonic_time();
  unsigned wait_ms = imap_throttle_wait_ms(&session->throttle, session->sent_us, now_us);
  session->sent_us = now_us + wait_ms * G_GINT64_CONSTANT(1000);
  if (wait_ms == 0)
    return true;
  haul_log(HAUL_LOG_DEBUG, "%s: throttled, pausing %u ms", haul_account_side(session->account),
           wait_ms);
  bool paused = haul_stream_pause(session->stream, wait_ms, error);
  session->dead |= !paused;
  return paused;
}

bool
imap_plea_heed(const ImapSession *session, GError *why, GError **error)
{
  if (session->plea != NULL && why != NULL && haul_error_reach(why) == HAUL_ERROR_CONNECTION) {
    haul_log(HAUL_LOG_DEBUG, "%s: %s", haul_account_side(session->account), why->message);
    g_error_free(why);
    why = g_error_copy(session->plea);
  }
  if (why != NULL) /* else the caller's own callback ended the call */
    g_propagate_error(error, why);
  return false;
}
