/* Messages made anew, window by window. See mend.h. */
#include "mend.h"

#include <string.h>

#include <mailhaul/error.h>

/* So much of a message is looked at before what became of it is moved on. */
#define STEP 65536u

static bool
move(HaulBodyWriter *body, GByteArray *octets, GError **error)
{
  for (size_t at = 0; at < octets->len;) {
    size_t room;
    void *buffer = haul_body_writer_reserve(body, octets->len - at, &room, error);
    if (buffer == NULL)
      return false;
    memcpy(buffer, octets->data + at, room);
    haul_body_writer_advance(body, room);
    at += room;
  }
  g_byte_array_set_size(octets, 0);
  return true;
}

static bool
repair(const HaulMessage *message, HaulRepairer *repairer, HaulBodyWriter *body, unsigned *done,
       GError **error)
{
  g_autoptr(GByteArray) out = g_byte_array_new();
  uint64_t total = haul_message_item(message)->size;
  for (uint64_t at = 0; at < total;) {
    size_t size;
    const uint8_t *octets = haul_message_window(message, at, &size);
    if (octets == NULL) {
      haul_set_error(error, HAUL_ERROR_MESSAGE, "spool", "the spooled message cannot be read");
      return false;
    }
    size = MIN(size, STEP);
    haul_repairer_feed(repairer, octets, size, out);
    at += size;
    if (!move(body, out, error))
      return false;
  }
  *done = haul_repairer_end(repairer, out);
  return move(body, out, error);
}

HaulMessage *
haul_mend(HaulMessage *message, HaulMending *mending, const char *spool, HaulQueue *queue,
          GError **error)
{
  while (mending->next < HAUL_N_REPAIRS) {
    g_autoptr(HaulRepairer) repairer =
        haul_repairer_new(haul_repair_up_to((HaulRepair)mending->next++));
    uint64_t size = haul_message_item(message)->size;
    unsigned done;
    if (queue != NULL)
      haul_queue_overdraw(queue, haul_message_room(size));
    g_autoptr(HaulBodyWriter) body = haul_body_writer_new(spool, queue, size, error);
    if (body == NULL || !repair(message, repairer, body, &done, error))
      return NULL;
    if (done == mending->done)
      continue;
    mending->done = done;
    return haul_body_writer_seal(g_steal_pointer(&body), haul_message_item(message), error);
  }
  return NULL;
}
