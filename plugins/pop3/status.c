/* Flags that a header tells. */
#include "status.h"

#include <glib.h>
#include <stdbool.h>
#include <mailhaul/message.h>
#include <mailhaul/text.h>

static bool
is_named(const char *name, size_t size, const char *wanted, size_t wanted_size)
{
  return size == wanted_size && g_ascii_strncasecmp(name, wanted, size) == 0;
}

static bool
take_field(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  uint32_t *flags = data;
  bool is_status = is_named(name, name_size, "Status", 6);
  if (!is_status && !is_named(name, name_size, "X-Status", 8))
    return true;
  for (size_t i = 0; i < value_size; i++)
    switch (value[i]) {
    case 'R':
      *flags |= is_status ? HAUL_SEEN : 0;
      break;
    case 'A':
      *flags |= is_status ? 0 : HAUL_ANSWERED;
      break;
    case 'F':
      *flags |= is_status ? 0 : HAUL_FLAGGED;
      break;
    case 'T':
      *flags |= is_status ? 0 : HAUL_DRAFT;
      break;
    default:
      break;
    }
  return true;
}

uint32_t
pop3_status_flags(const uint8_t *header, size_t size)
{
  uint32_t flags = 0;
  haul_header_each(header, size, take_field, &flags);
  return flags;
}
