/* What a message is like. See likeness.h. */
#include "likeness.h"

#include <string.h>

#include <mailhaul/text.h>

#include "match.h"
#include "message.h"

enum { DATE, MESSAGE_ID, SUBJECT, FROM, TO, CC, RECEIVED, N_FIELDS };
static const char *const names[N_FIELDS + 1] = { "Date", "Message-Id", "Subject",  "From",
                                                 "To",   "Cc",         "Received", NULL };

/* The first fields of these names that are not empty, but the last Received; borrowed from the header. */
typedef struct {
  const uint8_t *values[N_FIELDS];
  size_t sizes[N_FIELDS];
} Fields;

static bool
is_blank(const uint8_t *value, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (value[i] > ' ')
      return false;
  return true;
}

static bool
take_field(const char *name, size_t name_size, const uint8_t *value, size_t value_size, void *data)
{
  Fields *fields = data;
  for (size_t i = 0; i < N_FIELDS; i++)
    if ((fields->values[i] == NULL || i == RECEIVED) && name_size == strlen(names[i])
        && g_ascii_strncasecmp(name, names[i], name_size) == 0 && !is_blank(value, value_size)) {
      fields->values[i] = value;
      fields->sizes[i] = value_size;
    }
  return true;
}

static void
feed_field(HaulDigest *digest, const Fields *fields, size_t which)
{
  if (fields->values[which] != NULL)
    haul_digest_header(digest, names[which], fields->values[which], fields->sizes[which]);
}

/* As a time if it is one, for servers write it anew in their own way. */
static void
feed_date(HaulDigest *digest, const Fields *fields)
{
  int64_t seconds;
  if (!haul_date_parse((const char *)fields->values[DATE], fields->sizes[DATE], &seconds, NULL)) {
    feed_field(digest, fields, DATE);
    return;
  }
  uint64_t octets = GUINT64_TO_LE((uint64_t)seconds);
  haul_digest_field(digest, "date", (const uint8_t *)&octets, sizeof octets);
}

const char *const *
haul_likeness_fields(void)
{
  static const char *const listed[] = { "Date", "Message-Id", "Subject", NULL };
  return listed;
}

void
haul_likeness_of_item(HaulDigest *digest, const HaulItem *item, bool by_id, HaulKey *likeness)
{
  Fields fields = { { NULL }, { 0 } };
  *likeness = (HaulKey){ { 0 } };
  haul_header_each(item->header, item->header_size, take_field, &fields);
  bool has_id = by_id && fields.values[MESSAGE_ID] != NULL;
  if (fields.values[DATE] == NULL && fields.values[SUBJECT] == NULL && !has_id)
    return;
  haul_digest_reset(digest);
  if (has_id)
    feed_field(digest, &fields, MESSAGE_ID);
  if (fields.values[DATE] != NULL)
    feed_date(digest, &fields);
  else
    feed_field(digest, &fields, SUBJECT);
  haul_digest_finish(digest, likeness);
}

bool
haul_traits_of_message(HaulDigest *digest, const HaulMessage *message, HaulKey *traits)
{
  Fields fields = { { NULL }, { 0 } };
  HaulKey content;
  if (!haul_content_of_message(message, &content))
    return false;
  size_t size;
  const uint8_t *header = haul_message_header(message, &size);
  if (header != NULL)
    haul_header_each(header, size, take_field, &fields);
  haul_digest_reset(digest);
  feed_field(digest, &fields, SUBJECT);
  feed_field(digest, &fields, FROM);
  feed_field(digest, &fields, TO); /* a letter to many is one for each, of the same second */
  feed_field(digest, &fields, CC);
  haul_digest_field(digest, "text", content.octets, sizeof content.octets);
  haul_digest_finish(digest, traits);
  feed_field(digest, &fields, RECEIVED);
  HaulKey origin = { { 0 } };
  if (fields.values[RECEIVED] != NULL)
    haul_digest_finish(digest, &origin);
  memcpy(traits->octets + HAUL_TRAITS_TEXT, origin.octets,
         sizeof traits->octets - HAUL_TRAITS_TEXT);
  return true;
}
