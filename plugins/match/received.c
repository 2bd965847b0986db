/*
 * Matcher "received": two messages are the same if they came the same way.
 *
 * All Received fields count, in their order: a mailing list gives each member's copy another first
 * one. It has no key for a message that was never sent.
 */
#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

static const char *const fields[] = { "Received", NULL };

typedef struct {
  HaulDigest *digest;
  bool any;
} Trace;

static bool
take_each(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  Trace *trace = data;
  if (name_size == strlen(fields[0]) && g_ascii_strncasecmp(name, fields[0], name_size) == 0) {
    haul_digest_header(trace->digest, fields[0], value, value_size);
    trace->any = true;
  }
  return true;
}

static bool
received_key(const HaulItem *item, const HaulMessage *message, HaulDigest *digest)
{
  Trace trace = { digest, false };
  haul_header_each(item->header, item->header_size, take_each, &trace);
  return trace.any;
}

static const HaulMatcherOps ops = {
  .struct_size = sizeof ops,
  .header_fields = fields,
  .key = received_key,
};

HAUL_PLUGIN(received) = {
  HAUL_PLUGIN_HEAD,        .name = "received",
  .version = HAUL_VERSION, .summary = "The same Received fields in the same order.",
  .matcher = &ops,
};
