/*
 * Matcher "message-id": two messages are the same if they have the same Message-Id.
 *
 * It has no key for a message without one, nor for an empty "<>", which many share.
 */
#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#define VALUE_LIMIT ((size_t)64 << 10)

static const char *const fields[] = { "Message-Id", NULL };

/* Whether @value holds anything but blanks and an empty pair of brackets. */
static bool
holds_an_id(const uint8_t *value, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (value[i] > ' ' && strchr("<>", value[i]) == NULL)
      return true;
  return false;
}

static bool
take_first(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  HaulDigest **digest = data;
  if (name_size != strlen(fields[0]) || g_ascii_strncasecmp(name, fields[0], name_size) != 0
      || !holds_an_id(value, value_size))
    return true;
  haul_digest_header(*digest, fields[0], value, MIN(value_size, VALUE_LIMIT));
  *digest = NULL;
  return false;
}

static bool
message_id_key(const HaulItem *item, const HaulMessage *message, HaulDigest *digest)
{
  HaulDigest *waiting = digest; /* becomes NULL once it has got its value */
  haul_header_each(item->header, item->header_size, take_first, &waiting);
  return waiting == NULL;
}

static const HaulMatcherOps ops = {
  .struct_size = sizeof ops,
  .header_fields = fields,
  .key = message_id_key,
};

HAUL_PLUGIN(message_id) = {
  HAUL_PLUGIN_HEAD,        .name = "message-id",
  .version = HAUL_VERSION, .summary = "The same Message-Id.",
  .matcher = &ops,
};
