/*
 * Messages: a body is filled by one thread, sealed, then read by any. Small bodies are one block of
 * memory; large ones lie in an unlinked file, whose space is allocated before it is written or
 * mapped (a full disk is an error then, never a SIGBUS), and are seen through a window.
 */
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

/* A spooled body holds two windows of memory: the writer's buffer, later the mapped one. */
#define SPOOLED_ROOM (2u * HAUL_MESSAGE_MEMORY_LIMIT)
/* Space on disk is taken in steps. */
#define SPOOL_STEP (16u << 20)
/* What a message costs besides its octets; it counts so that tiny ones are bounded, too. */
#define MESSAGE_OVERHEAD 512u
#define UNKNOWN_SIZE_GUESS (16u << 10)
/* How much of a body is looked at for header fields: one octet more than those who read them take, so
 * that they see where a field was cut. */
#define HEADER_LIMIT ((256u << 10) + 1)

struct HaulBodyWriter {
  const char *spool; /* borrowed; folder */
  HaulQueue *queue;  /* referenced, or NULL */
  uint64_t room;     /* octets held in the queue */
  uint8_t *buffer;   /* owned; the whole body, or what is not yet in the file */
  size_t capacity, filled;
  int fd;           /* -1 while in memory */
  uint64_t spooled; /* octets in the file */
  uint64_t allocated;
};

struct HaulMessage {
  gatomicrefcount references;
  HaulItem item;
  void *item_block; /* owned; what item points into */
  HaulQueue *queue; /* referenced, or NULL */
  uint64_t room;
  uint8_t *octets; /* owned; the body, if it is in memory */
  int fd;          /* else its file */
  uint8_t *window; /* mapped; page aligned */
  uint64_t window_offset;
  size_t window_size;
};

uint64_t
haul_message_room(uint64_t size)
{
  if (size == HAUL_UNKNOWN)
    size = UNKNOWN_SIZE_GUESS;
  return MESSAGE_OVERHEAD + (size > HAUL_MESSAGE_MEMORY_LIMIT ? SPOOLED_ROOM : size);
}

static void
no_space(GError **error, const char *spool, int saved_errno)
{
  haul_set_error(error, HAUL_ERROR_MESSAGE, "spool",
                 "cannot spool a large message in %s: %s; free some space or choose another "
                 "folder with --state",
                 spool, g_strerror(saved_errno));
}

static void
hold(HaulBodyWriter *writer, uint64_t room)
{
  if (writer->queue != NULL && room > writer->room) {
    haul_queue_overdraw(writer->queue, room - writer->room);
    writer->room = room;
  }
}

static bool
spool_allocate(HaulBodyWriter *writer, uint64_t octets, GError **error)
{
  if (octets <= writer->allocated)
    return true;
  int failure = posix_fallocate(writer->fd, 0, (off_t)octets);
  if (failure != 0) {
    no_space(error, writer->spool, failure);
    return false;
  }
  writer->allocated = octets;
  return true;
}

/* Refuses at once what cannot fit. It is allocated in steps all the same: a server may announce any
 * size, and send little. */
static bool
spool_check_room(const HaulBodyWriter *writer, uint64_t octets, GError **error)
{
  struct statvfs info;
  if (fstatvfs(writer->fd, &info) != 0 || (uint64_t)info.f_bavail * info.f_frsize >= octets)
    return true;
  no_space(error, writer->spool, ENOSPC);
  return false;
}

static bool
spool_open(HaulBodyWriter *writer, GError **error)
{
  writer->fd = open(writer->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (writer->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
    g_autofree char *name = g_build_filename(writer->spool, "spool-XXXXXX", NULL);
    writer->fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (writer->fd >= 0)
      unlink(name);
  }
  if (writer->fd < 0)
    no_space(error, writer->spool, errno);
  return writer->fd >= 0;
}

static bool
spool_drain(HaulBodyWriter *writer, GError **error)
{
  uint64_t end = writer->spooled + writer->filled;
  if (end > writer->allocated && !spool_allocate(writer, end + SPOOL_STEP, NULL)
      && !spool_allocate(writer, end, error))
    return false;
  for (size_t done = 0; done < writer->filled;) {
    ssize_t n = pwrite(writer->fd, writer->buffer + done, writer->filled - done,
                       (off_t)(writer->spooled + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      no_space(error, writer->spool, n < 0 ? errno : ENOSPC);
      return false;
    }
    done += (size_t)n;
  }
  writer->spooled = end;
  writer->filled = 0;
  return true;
}

HaulBodyWriter *
haul_body_writer_new(const char *spool, HaulQueue *queue, uint64_t size, GError **error)
{
  HaulBodyWriter *writer = g_new0(HaulBodyWriter, 1);
  writer->spool = spool;
  writer->fd = -1;
  if (queue != NULL) {
    writer->queue = haul_queue_ref(queue);
    writer->room = haul_message_room(size);
  }
  bool large = size != HAUL_UNKNOWN && size > HAUL_MESSAGE_MEMORY_LIMIT;
  if (size == HAUL_UNKNOWN)
    writer->capacity = UNKNOWN_SIZE_GUESS;
  else
    writer->capacity = large ? HAUL_MESSAGE_MEMORY_LIMIT : MAX(size, 1);
  if (large && (!spool_open(writer, error) || !spool_check_room(writer, size, error))) {
    haul_body_writer_free(writer);
    return NULL;
  }
  writer->buffer = g_malloc(writer->capacity);
  return writer;
}

void *
haul_body_writer_reserve(HaulBodyWriter *body, size_t want, size_t *got, GError **error)
{
  if (body->filled == body->capacity) {
    if (body->capacity < HAUL_MESSAGE_MEMORY_LIMIT) {
      body->capacity = MIN(MAX(body->capacity * 2, 4096), HAUL_MESSAGE_MEMORY_LIMIT);
      body->buffer = g_realloc(body->buffer, body->capacity);
      hold(body, haul_message_room(body->capacity));
    } else {
      if (body->fd < 0 && !spool_open(body, error))
        return NULL;
      hold(body, haul_message_room(HAUL_MESSAGE_MEMORY_LIMIT + 1ull));
      if (!spool_drain(body, error))
        return NULL;
    }
  }
  *got = MIN(want, body->capacity - body->filled);
  return body->buffer + body->filled;
}

void
haul_body_writer_advance(HaulBodyWriter *body, size_t filled)
{
  g_assert(filled <= body->capacity - body->filled);
  body->filled += filled;
}

void
haul_body_writer_free(HaulBodyWriter *body)
{
  if (body == NULL)
    return;
  if (body->fd >= 0)
    close(body->fd);
  g_free(body->buffer);
  if (body->queue != NULL) {
    haul_queue_release(body->queue, body->room);
    haul_queue_unref(body->queue);
  }
  g_free(body);
}

static size_t
list_octets(const char *const *list, size_t *n_entries)
{
  size_t octets = 0;
  *n_entries = 0;
  for (; list != NULL && list[*n_entries] != NULL; ++*n_entries)
    octets += strlen(list[*n_entries]) + 1;
  return octets;
}

static const char *
put_text(char **at, const char *text)
{
  if (text == NULL)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = memcpy(*at, text, size);
  *at += size;
  return copy;
}

static const char *const *
put_list(const char ***slots, char **at, const char *const *list)
{
  if (list == NULL || list[0] == NULL)
    return NULL;
  const char **copy = *slots;
  size_t n = 0;
  for (; list[n] != NULL; n++)
    copy[n] = put_text(at, list[n]);
  copy[n] = NULL;
  *slots += n + 1;
  return copy;
}

/* Copies @item into one block; header fields are not kept: the body has them. */
static void
copy_item(HaulMessage *message, const HaulItem *item)
{
  size_t n_keywords, n_labels;
  size_t octets = list_octets(item->keywords, &n_keywords) + list_octets(item->labels, &n_labels)
                  + (item->id != NULL ? strlen(item->id) + 1 : 0)
                  + (item->object_id != NULL ? strlen(item->object_id) + 1 : 0);
  const char **slots = g_malloc((n_keywords + n_labels + 2) * sizeof *slots + octets);
  char *at = (char *)(slots + n_keywords + n_labels + 2);
  message->item_block = slots;
  message->item = *item;
  message->item.keywords = put_list(&slots, &at, item->keywords);
  message->item.labels = put_list(&slots, &at, item->labels);
  message->item.id = put_text(&at, item->id);
  message->item.object_id = put_text(&at, item->object_id);
  message->item.header = NULL;
  message->item.header_size = 0;
}

HaulMessage *
haul_body_writer_seal(HaulBodyWriter *writer, const HaulItem *item, GError **error)
{
  if (writer->fd >= 0 && !spool_drain(writer, error)) {
    haul_body_writer_free(writer);
    return NULL;
  }
  HaulMessage *message = g_new0(HaulMessage, 1);
  g_atomic_ref_count_init(&message->references);
  copy_item(message, item);
  message->fd = writer->fd;
  message->item.size = writer->fd >= 0 ? writer->spooled : writer->filled;
  if (writer->fd < 0)
    message->octets = g_steal_pointer(&writer->buffer);
  message->queue = g_steal_pointer(&writer->queue);
  message->room = writer->room;
  writer->fd = -1;
  haul_body_writer_free(writer);
  return message;
}

HaulMessage *
haul_message_new(const HaulItem *item, const void *octets, size_t size)
{
  g_assert(size <= HAUL_MESSAGE_MEMORY_LIMIT);
  HaulBodyWriter *writer = haul_body_writer_new(NULL, NULL, size, NULL);
  if (size > 0)
    memcpy(writer->buffer, octets, size);
  writer->filled = size;
  return haul_body_writer_seal(writer, item, NULL);
}

void
haul_message_set_date(HaulMessage *message, int64_t date, int32_t zone)
{
  message->item.date = date;
  message->item.date_zone = zone;
}

void
haul_message_add_keywords(HaulMessage *message, const char *const *keywords)
{
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  const char *const *lists[] = { message->item.keywords, keywords };
  for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
    for (size_t k = 0; lists[i] != NULL && lists[i][k] != NULL; k++)
      g_ptr_array_add(all, (gpointer)lists[i][k]);
  g_ptr_array_add(all, NULL);
  g_autofree void *old G_GNUC_UNUSED = message->item_block;
  HaulItem item = message->item;
  item.keywords = (const char *const *)all->pdata;
  copy_item(message, &item);
}

const HaulItem *
haul_message_item(const HaulMessage *message)
{
  return &message->item;
}

const uint8_t *
haul_message_window(const HaulMessage *message, uint64_t offset, size_t *size)
{
  *size = 0;
  uint64_t total = message->item.size;
  if (offset >= total)
    return NULL;
  if (message->octets != NULL) {
    *size = total - offset;
    return message->octets + offset;
  }
  HaulMessage *self = (HaulMessage *)message; /* the window is a cache; the body does not change */
  if (self->window != NULL
      && (offset < self->window_offset || offset >= self->window_offset + self->window_size)) {
    munmap(self->window, self->window_size);
    self->window = NULL;
  }
  if (self->window == NULL) {
    self->window_offset = offset & ~(uint64_t)(HAUL_MESSAGE_MEMORY_LIMIT - 1);
    self->window_size = MIN(HAUL_MESSAGE_MEMORY_LIMIT, total - self->window_offset);
    void *window =
        mmap(NULL, self->window_size, PROT_READ, MAP_SHARED, self->fd, (off_t)self->window_offset);
    if (window == MAP_FAILED)
      return NULL;
    self->window = window;
  }
  *size = self->window_size - (offset - self->window_offset);
  return self->window + (offset - self->window_offset);
}

const uint8_t *
haul_message_header(const HaulMessage *message, size_t *size)
{
  const uint8_t *octets = haul_message_window(message, 0, size);
  if (octets != NULL)
    *size = haul_header_end(octets, MIN(*size, HEADER_LIMIT));
  return octets;
}

HaulMessage *
haul_message_ref(HaulMessage *message)
{
  g_atomic_ref_count_inc(&message->references);
  return message;
}

void
haul_message_unref(HaulMessage *message)
{
  if (message == NULL || !g_atomic_ref_count_dec(&message->references))
    return;
  if (message->window != NULL)
    munmap(message->window, message->window_size);
  if (message->fd >= 0)
    close(message->fd);
  g_free(message->octets);
  g_free(message->item_block);
  if (message->queue != NULL) {
    haul_queue_release(message->queue, message->room);
    haul_queue_unref(message->queue);
  }
  g_free(message);
}
