/*
 * The log, for plugins and core alike: one record is one line, and octets that came from outside
 * are escaped on the way in. Nothing secret may be handed to it.
 */
#ifndef MAILHAUL_LOG_H
#define MAILHAUL_LOG_H

#include <glib.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef enum {
  HAUL_LOG_ERROR,   /* something was not done                      */
  HAUL_LOG_WARNING, /* done, but the user should look at it        */
  HAUL_LOG_INFO,    /* what a user follows                         */
  HAUL_LOG_DEBUG,   /* what a developer follows: protocol lines    */
} HaulLogLevel;

/* Whether a record of @level would go anywhere: ask before composing an expensive one. */
HAUL_PUBLIC gboolean haul_log_wants(HaulLogLevel level);

/* Logs one record. Control octets in the result are escaped (haul_text_display). */
HAUL_PUBLIC void haul_log(HaulLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
#endif /* MAILHAUL_LOG_H */
