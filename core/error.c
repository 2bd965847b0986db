/* The error domain of mailhaul: a GLib error that carries its reason code and how long to wait, too. */
#include <mailhaul/error.h>

typedef struct {
  const char *reason; /* borrowed for ever: a literal */
  unsigned wait_ms;
} HaulErrorPrivate;

static void
haul_error_private_init(HaulErrorPrivate *private)
{
  private->reason = "failed";
  private->wait_ms = 0;
}

static void
haul_error_private_copy(const HaulErrorPrivate *from, HaulErrorPrivate *to)
{
  to->reason = from->reason;
  to->wait_ms = from->wait_ms;
}

static void
haul_error_private_clear(HaulErrorPrivate *private)
{
}

G_DEFINE_EXTENDED_ERROR(HaulError, haul_error)

void
haul_set_error(GError **error, HaulError reach, const char *reason, const char *format, ...)
{
  if (error == NULL)
    return;

  va_list arguments;
  va_start(arguments, format);
  GError *made = g_error_new_valist(HAUL_ERROR, (int)reach, format, arguments);
  va_end(arguments);
  haul_error_get_private(made)->reason = reason;
  g_propagate_error(error, made);
}

HaulError
haul_error_reach(const GError *error)
{
  return error->domain == HAUL_ERROR ? (HaulError)error->code : HAUL_ERROR_ACCOUNT;
}

const char *
haul_error_reason(const GError *error)
{
  return error->domain == HAUL_ERROR ? haul_error_get_private(error)->reason : "failed";
}

void
haul_error_set_wait(GError *error, unsigned milliseconds)
{
  if (error->domain == HAUL_ERROR)
    haul_error_get_private(error)->wait_ms = milliseconds;
}

unsigned
haul_error_wait_ms(const GError *error)
{
  return error->domain == HAUL_ERROR ? haul_error_get_private(error)->wait_ms : 0;
}
