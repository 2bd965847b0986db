/* Changes of messages, asked for by the user. See transform.h. */
#include "transform.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "pipe.h"
#include "repair.h"
#include "rewrite.h"

/* What is larger is not looked at: it lies on disk, and an expression wants it in one piece. */
#define LARGEST (32u << 20)
/* How long a command may take over a message. */
#define COMMAND_MS 60000u
#define RECEIPT "Disposition-Notification-To:"

struct HaulTransform {
  bool disarms;        /* requests for receipts */
  GPtrArray *rewrites; /* owned; of HaulRewrite */
  GPtrArray *commands; /* owned; of char **, owned: words */
  const HaulCancel *cancel;
};

static bool
add_commands(HaulTransform *transform, const char *const *text, GError **error)
{
  for (; text != NULL && *text != NULL; text++) {
    char **words;
    g_autoptr(GError) why = NULL;
    if (!g_shell_parse_argv(*text, NULL, &words, &why)) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--pipemess takes a command: %s",
                     why->message);
      return false;
    }
    g_ptr_array_add(transform->commands, words);
  }
  return true;
}

bool
haul_transform_new(const HaulPolicy *policy, const HaulCancel *cancel, HaulTransform **transform,
                   GError **error)
{
  *transform = NULL;
  if (!policy->disarm_receipts && policy->message_rewrites == NULL
      && policy->message_commands == NULL)
    return true;
  g_autoptr(HaulTransform) made = g_new0(HaulTransform, 1);
  made->disarms = policy->disarm_receipts;
  made->rewrites = g_ptr_array_new_with_free_func((GDestroyNotify)haul_rewrite_free);
  made->commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
  made->cancel = cancel;
  if (!add_commands(made, policy->message_commands, error))
    return false;
  const char *const *text = policy->message_rewrites;
  for (; text != NULL && *text != NULL; text++) {
    HaulRewrite *rewrite = haul_rewrite_parse_octets(*text, error);
    if (rewrite == NULL)
      return false;
    g_ptr_array_add(made->rewrites, rewrite);
  }
  *transform = g_steal_pointer(&made);
  return true;
}

void
haul_transform_free(HaulTransform *transform)
{
  if (transform == NULL)
    return;
  if (transform->rewrites != NULL)
    g_ptr_array_unref(transform->rewrites);
  if (transform->commands != NULL)
    g_ptr_array_unref(transform->commands);
  g_free(transform);
}

/* The whole body in one piece; NULL if the spool cannot be read. */
static GByteArray *
read_whole(const HaulMessage *message)
{
  uint64_t total = haul_message_item(message)->size;
  g_autoptr(GByteArray) whole = g_byte_array_sized_new((guint)total);
  for (uint64_t at = 0; at < total;) {
    size_t size;
    const uint8_t *octets = haul_message_window(message, at, &size);
    if (octets == NULL)
      return NULL;
    g_byte_array_append(whole, octets, (guint)size);
    at += size;
  }
  return g_steal_pointer(&whole);
}

/* Puts "X-" before each field of the header that asks for a receipt. */
static void
disarm(GByteArray **octets)
{
  const GByteArray *old = *octets;
  size_t size = haul_header_end(old->data, old->len), length = strlen(RECEIPT);
  GByteArray *made = g_byte_array_sized_new(old->len + 64);
  size_t copied = 0;
  for (size_t at = 0; at + length <= size;) {
    if (g_ascii_strncasecmp((const char *)old->data + at, RECEIPT, length) == 0) {
      g_byte_array_append(made, old->data + copied, (guint)(at - copied));
      g_byte_array_append(made, (const uint8_t *)"X-", 2);
      copied = at;
    }
    const uint8_t *end = memchr(old->data + at, '\n', size - at);
    if (end == NULL)
      break;
    at = (size_t)(end - old->data) + 1;
  }
  if (old->len > copied)
    g_byte_array_append(made, old->data + copied, (guint)(old->len - copied));
  g_byte_array_unref(*octets);
  *octets = made;
}

static bool
rewrite(const HaulTransform *transform, GByteArray **octets, GError **error)
{
  size_t limit = (size_t)(*octets)->len * 2 + (1u << 20);
  for (guint i = 0; i < transform->rewrites->len; i++) {
    GByteArray *made = haul_rewrite_apply_octets(transform->rewrites->pdata[i], (*octets)->data,
                                                 (*octets)->len, limit, error);
    if (made == NULL)
      return false;
    g_byte_array_unref(*octets);
    *octets = made;
  }
  return true;
}

static bool
run_commands(const HaulTransform *transform, GByteArray **octets, GError **error)
{
  size_t limit = (size_t)(*octets)->len * 2 + (1u << 20);
  for (guint i = 0; i < transform->commands->len; i++) {
    GByteArray *made = haul_pipe_run(transform->commands->pdata[i], *octets, COMMAND_MS, limit,
                                     transform->cancel, error);
    if (made == NULL)
      return false;
    g_byte_array_unref(*octets);
    *octets = made;
  }
  return true;
}

static bool
is_same(const HaulMessage *message, const GByteArray *octets)
{
  size_t size;
  if (haul_message_item(message)->size != octets->len)
    return false;
  for (size_t at = 0; at < octets->len; at += size) {
    const uint8_t *window = haul_message_window(message, at, &size);
    if (window == NULL || memcmp(window, octets->data + at, size) != 0)
      return false;
  }
  return true;
}

/* Lines end in CRLF, also those that the user's expressions have made. */
static GByteArray *
mend_lines(const GByteArray *octets)
{
  GByteArray *made = g_byte_array_sized_new(octets->len + 64);
  g_autoptr(HaulRepairer) repairer = haul_repairer_new(1u << HAUL_REPAIR_BARE);
  haul_repairer_feed(repairer, octets->data, octets->len, made);
  haul_repairer_end(repairer, made);
  return made;
}

static HaulMessage *
make_message(const HaulItem *item, const GByteArray *octets, const char *spool, HaulQueue *queue,
             GError **error)
{
  if (queue != NULL)
    haul_queue_overdraw(queue, haul_message_room(octets->len));
  g_autoptr(HaulBodyWriter) body = haul_body_writer_new(spool, queue, octets->len, error);
  if (body == NULL)
    return NULL;
  for (size_t at = 0, room; at < octets->len; at += room) {
    void *buffer = haul_body_writer_reserve(body, octets->len - at, &room, error);
    if (buffer == NULL)
      return NULL;
    memcpy(buffer, octets->data + at, room);
    haul_body_writer_advance(body, room);
  }
  return haul_body_writer_seal(g_steal_pointer(&body), item, error);
}

HaulMessage *
haul_transform_apply(const HaulTransform *transform, const HaulMessage *message, const char *spool,
                     HaulQueue *queue, GError **error)
{
  const HaulItem *item = haul_message_item(message);
  if (item->size > LARGEST) {
    haul_set_error(error, HAUL_ERROR_MESSAGE, "usage", "no message beyond %u MiB is changed",
                   LARGEST >> 20);
    return NULL;
  }
  g_autoptr(GByteArray) octets = read_whole(message);
  if (octets == NULL) {
    haul_set_error(error, HAUL_ERROR_MESSAGE, "spool", "the spooled message cannot be read");
    return NULL;
  }
  if (transform->disarms)
    disarm(&octets);
  if (!rewrite(transform, &octets, error) || !run_commands(transform, &octets, error)
      || is_same(message, octets))
    return NULL;
  g_autoptr(GByteArray) mended = mend_lines(octets);
  if (mended->len == 0) {
    haul_set_error(error, HAUL_ERROR_MESSAGE, "usage", "--regexmess leaves nothing of it");
    return NULL;
  }
  return make_message(item, mended, spool, queue, error);
}
