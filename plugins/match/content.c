/*
 * Matcher "content": two messages are the same if every octet of them is, by SHA-256.
 *
 * It must see whole messages, so on first contact both sides are read in full.
 */
#include <mailhaul/plugin.h>

static bool
content_key(const HaulItem *item, const HaulMessage *message, HaulDigest *digest)
{
  return message != NULL && haul_digest_body(digest, message);
}

static const HaulMatcherOps ops = {
  .struct_size = sizeof ops,
  .reads_body = true,
  .key = content_key,
};

HAUL_PLUGIN(content) = {
  HAUL_PLUGIN_HEAD,        .name = "content",
  .version = HAUL_VERSION, .summary = "The same octets throughout.",
  .matcher = &ops,
};
