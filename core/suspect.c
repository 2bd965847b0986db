/* What ends connections. See suspect.h. */
#include "suspect.h"

#include <string.h>

#include <mailhaul/error.h>

/* Losses at the same place: one may be anybody's. */
#define LOSSES 2u
/* How often a delivery is put off: a server that is busy is so for all of them. */
#define PUT_OFFS 3u

void
haul_suspect_clear(HaulSuspect *suspect)
{
  for (size_t i = 0; i < HAUL_N_OPENINGS; i++)
    g_clear_pointer(&suspect->closed[i], g_free);
  g_clear_pointer(&suspect->unsettled, g_free);
  g_clear_pointer(&suspect->words, g_free);
}

static bool
is_loss(const GError *why)
{
  return why != NULL && haul_error_reach(why) == HAUL_ERROR_CONNECTION;
}

bool
haul_suspect_opened(HaulSuspect *suspect, HaulOpening opening, bool crowded, const GError *why)
{
  if (why == NULL)
    suspect->n_lost[opening] = 0;
  if (crowded || !is_loss(why) || ++suspect->n_lost[opening] < LOSSES
      || suspect->closed[opening] != NULL)
    return false;
  suspect->closed[opening] = g_strdup(why->message);
  return true;
}

const char *
haul_suspect_is_closed(const HaulSuspect *suspect)
{
  const char *why = NULL;
  for (size_t i = 0; i < HAUL_N_OPENINGS && why == NULL; i++)
    why = suspect->closed[i];
  return why;
}

bool
haul_suspect_read(HaulSuspect *suspect, bool alone, const GError *why)
{
  bool gives_up = is_loss(why) && alone;
  suspect->reads_alone = is_loss(why) && !gives_up;
  return gives_up;
}

void
haul_suspect_lost_writing(HaulSuspect *suspect, bool crowded, const GError *why)
{
  bool put_off = why != NULL && haul_error_reach(why) == HAUL_ERROR_BUSY;
  if (!is_loss(why) && !put_off)
    return;
  if (put_off != suspect->put_off)
    g_clear_pointer(&suspect->unsettled, g_free); /* other trouble: from the beginning */
  suspect->put_off = put_off;
  suspect->lost_writing = true;
  suspect->crowded = crowded;
  g_free(suspect->words);
  suspect->words = g_strdup(why->message);
}

bool
haul_suspect_looked(HaulSuspect *suspect, const char *first)
{
  if (!suspect->lost_writing)
    return false;
  suspect->lost_writing = false;
  /* Only where they were answered one by one is the first one known to be it. */
  bool same = suspect->writes_singly && !suspect->crowded && first != NULL
              && suspect->unsettled != NULL && strcmp(first, suspect->unsettled) == 0;
  suspect->n_first = same ? suspect->n_first + 1 : 1;
  bool gives_up = same && suspect->n_first >= (suspect->put_off ? PUT_OFFS : LOSSES);
  suspect->writes_singly |= first != NULL;
  char *unsettled = gives_up ? NULL : g_strdup(first); /* which may be the old one */
  g_free(suspect->unsettled);
  suspect->unsettled = unsettled;
  return gives_up;
}
