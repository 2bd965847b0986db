/* Messages that are none. See pseudo.h. */
#include "pseudo.h"

#include <string.h>

#include <mailhaul/text.h>

#include "message.h"

static const char subject[] = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA";

typedef struct {
  bool has_base, has_subject;
} Traces;

static bool
is_named(const char *name, size_t size, const char *wanted)
{
  return size == strlen(wanted) && g_ascii_strncasecmp(name, wanted, size) == 0;
}

static bool
take_field(const char *name, size_t name_size, const uint8_t *value, size_t size, void *data)
{
  Traces *traces = data;
  while (size > 0 && (*value == ' ' || *value == '\t')) {
    value++;
    size--;
  }
  traces->has_base |=
      is_named(name, name_size, "X-IMAP") || is_named(name, name_size, "X-IMAPbase");
  traces->has_subject |= is_named(name, name_size, "Subject") && size >= strlen(subject)
                         && memcmp(value, subject, strlen(subject)) == 0;
  return !traces->has_base || !traces->has_subject;
}

bool
haul_message_is_pseudo(const HaulMessage *message)
{
  size_t size;
  Traces traces = { false, false };
  const uint8_t *header = haul_message_header(message, &size);
  if (header != NULL)
    haul_header_each(header, size, take_field, &traces);
  return traces.has_base && traces.has_subject;
}
