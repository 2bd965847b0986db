/*
 * Matcher "header": two messages are the same if a field of their headers, which the user names, is.
 *
 * All fields of that name count, in their order. It has no key for a message that has none, or only
 * empty ones.
 */
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#define NAME_LIMIT 200u

/* RFC 5322 §2.2: printable, without the colon; and nothing that a chain, or a list of IMAP, ends at. */
static bool
is_field_name(const char *name)
{
  for (const char *at = name; *at != '\0'; at++)
    if (*at <= ' ' || *at > '~' || strchr(":,+()\"\\{", *at) != NULL)
      return false;
  return *name != '\0' && strlen(name) <= NAME_LIMIT;
}

static bool
header_configure(const char *value, HaulNeedFunc needs, void *data, GError **error)
{
  if (!is_field_name(value)) {
    g_autofree char *shown = haul_text_display(value, strlen(value));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--match: header takes the name of a field, such as header:X-Number, not \"%s\"",
                   shown);
    return false;
  }
  needs(value, data);
  return true;
}

typedef struct {
  const char *field;
  HaulDigest *digest;
  bool any;
} Search;

static bool
is_blank(const uint8_t *value, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (value[i] > ' ')
      return false;
  return true;
}

static bool
take_each(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  Search *search = data;
  if (name_size != strlen(search->field) || g_ascii_strncasecmp(name, search->field, name_size) != 0
      || is_blank(value, value_size))
    return true;
  haul_digest_header(search->digest, search->field, value, value_size);
  search->any = true;
  return true;
}

static bool
header_key_by(const char *value, const HaulItem *item, const HaulMessage *message,
              HaulDigest *digest)
{
  Search search = { value, digest, false };
  haul_header_each(item->header, item->header_size, take_each, &search);
  return search.any;
}

static const HaulSetting settings[] = {
  { "field", 's', NULL, "The field, behind a colon in the chain: header:X-Number." },
  { NULL, 0, NULL, NULL },
};

static const HaulMatcherOps ops = {
  .struct_size = sizeof ops,
  .configure = header_configure,
  .key_by = header_key_by,
};

HAUL_PLUGIN(header) = {
  HAUL_PLUGIN_HEAD,        .name = "header",
  .version = HAUL_VERSION, .summary = "The same value of a header field that is named.",
  .settings = settings,    .matcher = &ops,
};
