/* How long to pause between commands. See throttle.h. */
#include "throttle.h"

void
imap_throttle_answer(ImapThrottle *throttle, bool throttled)
{
  if (throttled) {
    throttle->pause_ms =
        CLAMP(throttle->pause_ms * 2, IMAP_THROTTLE_FIRST_MS, IMAP_THROTTLE_LIMIT_MS);
    return;
  }
  throttle->pause_ms -= (throttle->pause_ms + 3) / 4;
  if (throttle->pause_ms < IMAP_THROTTLE_LEAST_MS)
    throttle->pause_ms = 0;
}

unsigned
imap_throttle_wait_ms(const ImapThrottle *throttle, gint64 sent_us, gint64 now_us)
{
  gint64 since_ms = MAX((now_us - sent_us) / 1000, 0);
  return since_ms >= throttle->pause_ms ? 0 : throttle->pause_ms - (unsigned)since_ms;
}
