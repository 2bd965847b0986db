/* When a message came, by its header. See arrival.h. */
#include "arrival.h"

#include <string.h>

#include <mailhaul/text.h>

#include "message.h"

/* Dates before mail had them, or beyond what servers take for one, are slips of some clock. */
#define EARLIEST INT64_C(0)
#define LATEST ((int64_t)UINT32_MAX)

typedef struct {
  bool received, dated; /* which of them was found */
  int64_t seconds;
  int32_t zone;
} Arrival;

static bool
is_named(const char *name, size_t size, const char *wanted)
{
  return size == strlen(wanted) && g_ascii_strncasecmp(name, wanted, size) == 0;
}

/* Where the date of a Received field begins: behind its last semicolon. */
static const char *
date_of_received(const char *value, size_t size)
{
  for (const char *at = value + size; at > value; at--)
    if (at[-1] == ';')
      return at;
  return value + size;
}

static bool
take_date(Arrival *arrival, const char *text, const char *end)
{
  return haul_date_parse(text, (size_t)(end - text), &arrival->seconds, &arrival->zone)
         && arrival->seconds >= EARLIEST && arrival->seconds <= LATEST;
}

static bool
take_field(const char *name, size_t name_size, const uint8_t *octets, size_t size, void *data)
{
  Arrival *arrival = data;
  const char *value = (const char *)octets, *end = value + size;
  if (is_named(name, name_size, "Received")) {
    Arrival received = *arrival; /* what Date said stays, if this one says nothing */
    received.received = take_date(&received, date_of_received(value, size), end);
    if (received.received)
      *arrival = received;
  } else if (!arrival->dated && is_named(name, name_size, "Date")) {
    arrival->dated = take_date(arrival, value, end);
  }
  return !arrival->received;
}

bool
haul_arrival_by_header(const uint8_t *header, size_t size, int64_t *seconds, int32_t *zone)
{
  Arrival arrival = { false, false, 0, 0 };
  haul_header_each(header, size, take_field, &arrival);
  *seconds = arrival.seconds;
  *zone = arrival.zone;
  return arrival.received || arrival.dated;
}

bool
haul_arrival_supply(HaulMessage *message)
{
  int64_t date;
  int32_t zone;
  size_t size;
  if (haul_message_item(message)->date != HAUL_NO_DATE)
    return false;
  const uint8_t *header = haul_message_header(message, &size);
  if (header == NULL || !haul_arrival_by_header(header, size, &date, &zone))
    return false;
  haul_message_set_date(message, date, zone);
  return true;
}
