/*
 * Errors: how far the damage of one reaches, and what kind of trouble it is.
 *
 * Every function of mailhaul that can fail takes a GError ** last. The code of a HAUL_ERROR says
 * what the caller may do next; its reason (core/reason.c has the table) says what happened, and
 * becomes the exit code and the advice of `mailhaul explain`; its message says it in the words of
 * whoever saw it. An error of another domain counts as HAUL_ERROR_ACCOUNT.
 */
#ifndef MAILHAUL_ERROR_H
#define MAILHAUL_ERROR_H

#include <glib.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef enum {
  HAUL_ERROR_MESSAGE,    /* this message: skip it and name it in the report    */
  HAUL_ERROR_FOLDER,     /* this folder: leave it and go on with the next      */
  HAUL_ERROR_CONNECTION, /* this connection: open another and resume           */
  HAUL_ERROR_BUSY,       /* the server asks for patience: wait, then resume    */
  HAUL_ERROR_ACCOUNT,    /* this account: stop, for trying again cannot help   */
  HAUL_ERROR_CANCELLED,  /* we were asked to stop                              */
} HaulError;

#define HAUL_ERROR haul_error_quark()
HAUL_PUBLIC GQuark haul_error_quark(void);

/*
 * Sets @error, if not NULL, to a HAUL_ERROR.
 *
 * @reason: a reason code of core/reason.c, such as "login" or "too-big"; a literal, not copied.
 *          One that the core does not know is reported as it is and counts as "failed".
 */
HAUL_PUBLIC void haul_set_error(GError **error, HaulError reach, const char *reason,
                                const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Returns how far @error reaches. */
HAUL_PUBLIC HaulError haul_error_reach(const GError *error);

/* Returns the reason code of @error; "failed" where it carries none. */
HAUL_PUBLIC const char *haul_error_reason(const GError *error);

/* Says for how long whoever caused @error, mostly a HAUL_ERROR_BUSY, asked to be left alone. */
HAUL_PUBLIC void haul_error_set_wait(GError *error, unsigned milliseconds);

/* Returns it; 0 where nobody said. */
HAUL_PUBLIC unsigned haul_error_wait_ms(const GError *error);

G_END_DECLS
#endif /* MAILHAUL_ERROR_H */
