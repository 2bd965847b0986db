/* The chain of matchers. */
#include "match.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "message.h"
#include "plugin.h"

/* A matcher as a link names it. */
typedef struct {
  const HaulMatcherOps *matcher; /* borrowed */
  char *value;                   /* owned; of its setting, or NULL */
} Part;

/* Matchers joined by '+'. */
typedef struct {
  char *name;    /* owned; as written: part of the key */
  GArray *parts; /* owned; of Part */
} Link;

struct HaulChain {
  bool is_auto;      /* the Date field is part of every key, arrival of none */
  GArray *links;     /* owned; of Link */
  GPtrArray *fields; /* owned; NULL-terminated; of char, owned */
};

static void
part_clear(Part *part)
{
  g_free(part->value);
}

static void
link_clear(Link *link)
{
  g_free(link->name);
  g_array_unref(link->parts);
}

static void
add_field(const char *name, void *data)
{
  HaulChain *chain = data;
  for (guint i = 0; i < chain->fields->len; i++)
    if (g_ascii_strcasecmp(chain->fields->pdata[i], name) == 0)
      return;
  g_ptr_array_add(chain->fields, g_strdup(name));
}

static void
add_fields(HaulChain *chain, const char *const *fields)
{
  for (; fields != NULL && *fields != NULL; fields++)
    add_field(*fields, chain);
}

/* Gives the part the value behind its name, and lets the matcher check it. */
static bool
configure_part(HaulChain *chain, const char *name, const char *value, const HaulPlugin *plugin,
               Part *part, GError **error)
{
  const HaulMatcherOps *matcher = part->matcher;
  if (matcher->configure == NULL || matcher->key_by == NULL) {
    if (value == NULL)
      return true;
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--match: %s takes nothing behind a ':'",
                   name);
    return false;
  }
  const HaulSetting *setting = plugin->settings;
  if (value == NULL && setting != NULL && setting->key != NULL)
    value = setting->fallback;
  if (value == NULL || *value == '\0') {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--match: %s needs a setting behind a ':'; see mailhaul plugins -v", name);
    return false;
  }
  part->value = g_strdup(value);
  return matcher->configure(value, add_field, chain, error);
}

/* Adds the matcher of @text, "NAME" or "NAME:VALUE", to the link. */
static bool
parse_part(HaulChain *chain, const char *text, GArray *parts, GError **error)
{
  g_auto(GStrv) words = g_strsplit(text, ":", 2);
  const char *name = words[0];
  if (name == NULL || *name == '\0') {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--match: a matcher's name is missing beside ',' or '+'");
    return false;
  }
  const HaulPlugin *plugin = haul_plugin_load(name, error);
  if (plugin == NULL)
    return false;
  if (plugin->matcher == NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--match: \"%s\" is not a matcher; see mailhaul plugins", name);
    return false;
  }
  Part part = { plugin->matcher, NULL };
  g_array_append_val(parts, part);
  add_fields(chain, plugin->matcher->header_fields);
  return configure_part(chain, name, words[1], plugin, &g_array_index(parts, Part, parts->len - 1),
                        error);
}

static bool
parse_link(HaulChain *chain, const char *text, GError **error)
{
  Link link = { g_strdup(text), g_array_new(FALSE, FALSE, sizeof(Part)) };
  g_array_set_clear_func(link.parts, (GDestroyNotify)part_clear);
  g_array_append_val(chain->links, link);
  g_auto(GStrv) parts = g_strsplit(text, "+", -1);
  if (parts[0] == NULL)
    return parse_part(chain, "", link.parts, error);
  for (size_t i = 0; parts[i] != NULL; i++)
    if (!parse_part(chain, parts[i], link.parts, error))
      return false;
  return true;
}

HaulChain *
haul_chain_parse(const char *text, GError **error)
{
  g_autoptr(HaulChain) chain = g_new0(HaulChain, 1);
  chain->links = g_array_new(FALSE, FALSE, sizeof(Link));
  g_array_set_clear_func(chain->links, (GDestroyNotify)link_clear);
  chain->fields = g_ptr_array_new_with_free_func(g_free);
  chain->is_auto = strcmp(text, "auto") == 0;
  g_auto(GStrv) links = g_strsplit(chain->is_auto ? HAUL_CHAIN_AUTO : text, ",", -1);
  for (size_t i = 0; links[i] != NULL; i++)
    if (!parse_link(chain, g_strstrip(links[i]), error))
      return NULL;
  if (chain->links->len == 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--match names no matcher");
    return NULL;
  }
  static const char *const date[] = { "Date", NULL };
  if (chain->is_auto)
    add_fields(chain, date);
  g_ptr_array_add(chain->fields, NULL);
  return g_steal_pointer(&chain);
}

char *
haul_chain_text(const char *match, const char *const *headers, GError **error)
{
  if (headers == NULL)
    return g_strdup(match);
  if (strcmp(match, "auto") != 0) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--useheader says what --match says in another way: header:%s; give one of them",
                   headers[0]);
    return NULL;
  }
  /* A message may lack any of them: "A+B+C,B+C,C". */
  GString *text = g_string_new(NULL);
  for (; *headers != NULL; headers++) {
    if (g_ascii_strcasecmp(*headers, "ALL")
        == 0) /* the whole header, where imapsync reads no body */
      continue;
    for (const char *const *name = headers; *name != NULL; name++)
      if (g_ascii_strcasecmp(*name, "ALL") != 0)
        g_string_append_printf(text, "%sheader:%s", name == headers ? "" : "+", *name);
    g_string_append_c(text, ',');
  }
  g_string_append(text, "content");
  return g_string_free(text, FALSE);
}

void
haul_chain_free(HaulChain *chain)
{
  if (chain == NULL)
    return;
  g_array_unref(chain->links);
  g_ptr_array_unref(chain->fields);
  g_free(chain);
}

bool
haul_chain_is_auto(const HaulChain *chain)
{
  return chain->is_auto;
}

const char *const *
haul_chain_header_fields(const HaulChain *chain)
{
  return (const char *const *)chain->fields->pdata;
}

struct HaulKeyMaker {
  const HaulChain *chain; /* borrowed */
  HaulDigest *digest;     /* owned */
  GByteArray *header;     /* owned; the fields of the message at hand */
};

HaulKeyMaker *
haul_key_maker_new(const HaulChain *chain)
{
  HaulKeyMaker *maker = g_new0(HaulKeyMaker, 1);
  maker->chain = chain;
  maker->digest = haul_digest_new();
  maker->header = g_byte_array_new();
  return maker;
}

void
haul_key_maker_free(HaulKeyMaker *maker)
{
  if (maker == NULL)
    return;
  haul_digest_free(maker->digest);
  g_byte_array_unref(maker->header);
  g_free(maker);
}

/* Feeds the first Date field: as a time if it is one, for servers write it anew in their own way. */
static bool
feed_date(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  HaulDigest *digest = data;
  if (name_size != strlen("Date") || g_ascii_strncasecmp(name, "Date", name_size) != 0)
    return true;
  int64_t seconds;
  if (haul_date_parse((const char *)value, value_size, &seconds, NULL))
    haul_digest_field(digest, "date", (const uint8_t *)&seconds, sizeof seconds);
  else
    haul_digest_header(digest, "date", value, value_size);
  return false;
}

static bool
feed_part(const Part *part, const HaulItem *item, const HaulMessage *message, HaulDigest *digest)
{
  return part->value != NULL ? part->matcher->key_by(part->value, item, message, digest)
                             : part->matcher->key(item, message, digest);
}

/* Feeds the parts of one link. */
static HaulKeyResult
feed_link(HaulKeyMaker *maker, const Link *link, const HaulItem *item, const HaulMessage *message)
{
  haul_digest_reset(maker->digest);
  haul_digest_field(maker->digest, "link", (const uint8_t *)link->name, strlen(link->name));
  for (guint i = 0; i < link->parts->len; i++) {
    const Part *part = &g_array_index(link->parts, Part, i);
    if (part->matcher->reads_body && message == NULL)
      return HAUL_KEY_NEEDS_BODY;
    if (feed_part(part, item, message, maker->digest))
      continue;
    /* It may want the size, which the whole message will tell, and then feed what it did not now. */
    if (message == NULL && item->size == HAUL_UNKNOWN)
      return HAUL_KEY_NEEDS_BODY;
    if (i == 0)
      return HAUL_KEY_NONE;
  }
  return HAUL_KEY_FOUND;
}

static HaulKeyResult
make_key(HaulKeyMaker *maker, const HaulItem *item, const HaulMessage *message, HaulKey *key)
{
  *key = (HaulKey){ { 0 } };
  HaulItem shown = *item;
  if (maker->chain->is_auto)
    shown.date = HAUL_NO_DATE;
  for (guint i = 0; i < maker->chain->links->len; i++) {
    HaulKeyResult result =
        feed_link(maker, &g_array_index(maker->chain->links, Link, i), &shown, message);
    if (result == HAUL_KEY_NONE)
      continue;
    if (result == HAUL_KEY_FOUND && maker->chain->is_auto)
      haul_header_each(item->header, item->header_size, feed_date, maker->digest);
    if (result == HAUL_KEY_FOUND)
      haul_digest_finish(maker->digest, key);
    return result;
  }
  return HAUL_KEY_NONE;
}

HaulKeyResult
haul_key_of_item(HaulKeyMaker *maker, const HaulItem *item, HaulKey *key)
{
  return make_key(maker, item, NULL, key);
}

bool
haul_key_of_message(HaulKeyMaker *maker, const HaulMessage *message, HaulKey *key,
                    uint8_t sha256[HAUL_SHA256_SIZE])
{
  size_t size;
  const uint8_t *header = haul_message_header(message, &size);
  g_byte_array_set_size(maker->header, 0);
  if (header != NULL)
    haul_header_select(header, size, haul_chain_header_fields(maker->chain), maker->header);
  HaulItem item = *haul_message_item(message);
  item.header = maker->header->data;
  item.header_size = maker->header->len;
  make_key(maker, &item, message, key);
  return haul_digest_sha256(maker->digest, message, sha256);
}

/* Where a body ends, empty lines left out; no farther back than one window. */
static uint64_t
end_of_text(const HaulMessage *message, uint64_t start)
{
  uint64_t end = haul_message_item(message)->size, floor = start;
  if (end - start > 4096)
    floor = end - 4096;
  while (end > floor) {
    size_t size;
    const uint8_t *last = haul_message_window(message, end - 1, &size);
    if (last == NULL || (*last != '\r' && *last != '\n'))
      break;
    end--;
  }
  return end;
}

/* Line ends count as LF: a bare one may have become CRLF, or the reverse. Dovecot gives 0x80 for NUL. */
static void
update_leniently(GChecksum *sum, const uint8_t *octets, size_t size)
{
  uint8_t seen[4096];
  size_t n = 0;
  for (size_t i = 0; i < size; i++) {
    if (octets[i] != '\r')
      seen[n++] = octets[i] != '\0' ? octets[i] : 0x80;
    if (n == sizeof seen || i + 1 == size) {
      g_checksum_update(sum, seen, (gssize)n);
      n = 0;
    }
  }
}

bool
haul_content_of_message(const HaulMessage *message, HaulKey *content)
{
  size_t size;
  uint64_t start = 0;
  if (haul_message_header(message, &size) != NULL)
    start = size;
  uint64_t end = end_of_text(message, start);
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (uint64_t at = start; at < end; at += size) {
    const uint8_t *octets = haul_message_window(message, at, &size);
    if (octets == NULL)
      return false;
    size = MIN(size, end - at);
    update_leniently(sum, octets, size);
  }
  uint8_t whole[HAUL_SHA256_SIZE];
  gsize whole_size = sizeof whole;
  g_checksum_get_digest(sum, whole, &whole_size);
  memcpy(content, whole, sizeof *content);
  return true;
}
