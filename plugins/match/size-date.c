/*
 * Matcher "size-date": two messages are the same if they are equally long and equally dated.
 *
 * The date is that of the Date field as it is written or, without one, that of arrival. It has no
 * key for a message whose size nobody knows.
 */
#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

static const char *const fields[] = { "Date", NULL };

static bool
is_empty(const uint8_t *value, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (value[i] > ' ')
      return false;
  return true;
}

static bool
take_first(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  HaulDigest **digest = data;
  if (name_size != strlen(fields[0]) || g_ascii_strncasecmp(name, fields[0], name_size) != 0
      || is_empty(value, value_size))
    return true;
  haul_digest_header(*digest, fields[0], value, value_size);
  *digest = NULL;
  return false;
}

/* Feeds a number in one way for all machines. */
static void
feed_number(HaulDigest *digest, const char *name, uint64_t number)
{
  uint64_t octets = GUINT64_TO_LE(number);
  haul_digest_field(digest, name, (const uint8_t *)&octets, sizeof octets);
}

static bool
size_date_key(const HaulItem *item, const HaulMessage *message, HaulDigest *digest)
{
  uint64_t size = item->size;
  if (size == HAUL_UNKNOWN && message != NULL)
    size = haul_message_item(message)->size;
  if (size == HAUL_UNKNOWN)
    return false;
  feed_number(digest, "size", size);

  HaulDigest *waiting = digest; /* becomes NULL once it has got its value */
  haul_header_each(item->header, item->header_size, take_first, &waiting);
  if (waiting != NULL && item->date != HAUL_NO_DATE)
    feed_number(digest, "arrival", (uint64_t)item->date);
  return true;
}

static const HaulMatcherOps ops = {
  .struct_size = sizeof ops,
  .header_fields = fields,
  .key = size_date_key,
};

HAUL_PLUGIN(size_date) = {
  HAUL_PLUGIN_HEAD,
  .name = "size-date",
  .version = HAUL_VERSION,
  .summary = "The same size and the same Date field (the same arrival where there is none).",
  .matcher = &ops,
};
