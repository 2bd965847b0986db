/* How long to wait, and when to give up. See patience.h. */
#include "patience.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

/* Passes in a row that may come to nothing, and how long to wait between them: four times as long each
 * time. */
typedef struct {
  HaulError reach;
  unsigned n_passes, first_wait_ms, longest_wait_ms;
} Patience;

static const Patience patience[] = {
  { HAUL_ERROR_CONNECTION, 5, 250, 60 * 1000 },
  { HAUL_ERROR_BUSY, 30, 5 * 1000, 5 * 60 * 1000 },
};

bool
haul_patience_has(const GError *why, unsigned n_failed, double chance, unsigned *wait_ms)
{
  const Patience *ours = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(patience); i++)
    if (patience[i].reach == haul_error_reach(why))
      ours = &patience[i];
  if (ours == NULL || n_failed >= ours->n_passes)
    return false;
  unsigned asked_ms = haul_error_wait_ms(why);
  if (asked_ms > 0) { /* and a little, for its clock is not ours */
    *wait_ms = MIN(asked_ms, HAUL_PATIENCE_LIMIT_MS);
    *wait_ms += (unsigned)(chance * (*wait_ms / 10.0));
    return true;
  }
  *wait_ms = MIN(ours->first_wait_ms << MIN(n_failed * 2, 12u), ours->longest_wait_ms);
  *wait_ms += (unsigned)(chance * (*wait_ms / 2.0));
  return true;
}

bool
haul_patience_sees_progress(HaulProgress *progress, uint64_t n_copied, uint64_t n_given_up)
{
  bool copied = n_copied > progress->n_copied, gave_up = n_given_up > progress->n_given_up;
  progress->n_copied = n_copied;
  progress->n_given_up = n_given_up;
  progress->n_in_vain = copied ? 0 : progress->n_in_vain + 1;
  return copied || (gave_up && progress->n_in_vain <= HAUL_PATIENCE_IN_VAIN);
}

char *
haul_patience_text(unsigned milliseconds)
{
  unsigned seconds = milliseconds / 1000;
  if (seconds == 0)
    return g_strdup_printf("%ums", milliseconds);
  if (seconds < 60)
    return g_strdup_printf("%us", seconds);
  if (seconds < 60 * 60)
    return g_strdup_printf("%um%us", seconds / 60, seconds % 60);
  return g_strdup_printf("%uh%um", seconds / 3600, seconds / 60 % 60);
}

void
haul_patience_wait(const GError *why, unsigned wait_ms, const HaulCancel *cancel)
{
  unsigned asked_ms = MIN(haul_error_wait_ms(why), HAUL_PATIENCE_LIMIT_MS);
  const char *colon = strchr(why->message, ':');
  if (asked_ms > 0 && colon != NULL) { /* the doorman has put the side in front */
    g_autofree char *text = haul_patience_text(asked_ms);
    haul_log(HAUL_LOG_WARNING, "%.*s: asked to wait %s; waiting%s", (int)(colon - why->message),
             why->message, text, colon);
  } else {
    haul_log(HAUL_LOG_WARNING, "%s; trying again in %.1f s", why->message, wait_ms / 1000.0);
  }
  haul_cancel_wait(cancel, NULL, 0, g_get_monotonic_time() + wait_ms * INT64_C(1000));
}
