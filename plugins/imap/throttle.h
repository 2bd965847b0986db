/*
 * The governor of a session: how long to pause between commands while a server says "[THROTTLED]" with
 * its answers (Gmail does). Pure; the clock is the caller's.
 */
#ifndef IMAP_THROTTLE_H
#define IMAP_THROTTLE_H

#include <glib.h>
#include <stdbool.h>

#define IMAP_THROTTLE_FIRST_MS 100u
#define IMAP_THROTTLE_LIMIT_MS 10000u /* beyond it a session would look dead */
#define IMAP_THROTTLE_LEAST_MS 20u    /* less is no pause */

/* All zero at first. */
typedef struct {
  unsigned pause_ms;
} ImapThrottle;

/* Takes an answer into account: one that is @throttled doubles the pause, another takes a quarter off. */
void imap_throttle_answer(ImapThrottle *throttle, bool throttled);

/* Whether to pause between commands: then one is under way at a time, for nobody reads in a pause. */
static inline bool
imap_throttle_is_on(const ImapThrottle *throttle)
{
  return throttle->pause_ms > 0;
}

/* Returns how long the next command has to wait. @sent_us: when the last one was sent, on the clock of
 * @now_us. */
unsigned imap_throttle_wait_ms(const ImapThrottle *throttle, gint64 sent_us, gint64 now_us);

#endif /* IMAP_THROTTLE_H */
