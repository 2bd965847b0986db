/* Tests message.c and intake.c: bodies as they passed, in memory and in the spool, and their room. */
#include "suite.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "intake.h"
#include "message.h"
#include "queue.h"

static char *spool; /* of all cases */

static uint8_t
octet_at(uint64_t place)
{
  return (uint8_t)(place * 31 + (place >> 12));
}

/* Writes a body of @size octets, at most @step at a time, that was announced with @hint. */
static HaulMessage *
write_body(HaulQueue *queue, uint64_t size, uint64_t hint, size_t step)
{
  if (queue != NULL)
    CU_ASSERT(haul_queue_reserve(queue, haul_message_room(hint)));
  HaulBodyWriter *body = haul_body_writer_new(spool, queue, hint, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(body);
  for (uint64_t done = 0; done < size;) {
    size_t room = 0;
    uint8_t *buffer = haul_body_writer_reserve(body, MIN(step, size - done), &room, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(buffer);
    CU_ASSERT_FATAL(room > 0 && room <= MIN(step, size - done));
    for (size_t i = 0; i < room; i++)
      buffer[i] = octet_at(done + i);
    haul_body_writer_advance(body, room);
    done += room;
  }
  HaulItem item = { .id = "7", .size = 12345, .date = 5, .flags = HAUL_SEEN };
  return haul_body_writer_seal(body, &item, NULL);
}

static bool
holds_what_was_written(const HaulMessage *message, uint64_t size)
{
  bool right = haul_message_item(message)->size == size;
  uint64_t done = 0;
  while (done < size) {
    size_t n;
    const uint8_t *window = haul_message_window(message, done, &n);
    if (window == NULL || n == 0 || n > HAUL_MESSAGE_MEMORY_LIMIT)
      return false;
    for (size_t i = 0; i < n; i++)
      right &= window[i] == octet_at(done + i);
    done += n;
  }
  size_t rest = 1;
  return right && haul_message_window(message, size, &rest) == NULL && rest == 0;
}

static void
a_body_is_what_was_written_whatever_its_size_and_hint(void)
{
  static const uint64_t sizes[] = {
    0, 1, 100, 16384, 16385, 1048575, 1048576, 1048577, 2097152, 3000001,
  };
  static const uint64_t hints[] = { 0, 1, 16384, 1048576, 1048577, 5000000, HAUL_UNKNOWN };
  static const size_t steps[] = { 1000, 1 << 20, SIZE_MAX };
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(hints); k++)
      for (size_t m = 0; m < G_N_ELEMENTS(steps); m++) {
        g_autoptr(HaulMessage) message = write_body(NULL, sizes[i], hints[k], steps[m]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CU_ASSERT(holds_what_was_written(message, sizes[i]));
      }
}

static void
a_window_may_begin_anywhere(void)
{
  const uint64_t size = 3500000;
  g_autoptr(HaulMessage) message = write_body(NULL, size, size, SIZE_MAX);
  uint32_t seed = 17;
  bool right = true;
  for (unsigned i = 0; i < 200; i++) { /* to and fro */
    uint64_t offset = next_random(&seed) % size;
    size_t n;
    const uint8_t *window = haul_message_window(message, offset, &n);
    right &= window != NULL && n > 0 && offset + n <= size && window[0] == octet_at(offset)
             && window[n - 1] == octet_at(offset + n - 1);
  }
  CU_ASSERT(right);
}

static void
an_item_is_copied_whole(void)
{
  char id[] = "id", object[] = "object", one[] = "one", two[] = "two", label[] = "Work/a";
  const char *keywords[] = { one, two, NULL }, *labels[] = { label, NULL };
  HaulItem item = { .id = id,
                    .object_id = object,
                    .size = 1,
                    .date = -5,
                    .date_zone = -3600,
                    .flags = HAUL_DRAFT,
                    .keywords = keywords,
                    .labels = labels,
                    .header = (const uint8_t *)"x",
                    .header_size = 1 };
  g_autoptr(HaulMessage) message = haul_message_new(&item, "body", 4);
  id[0] = object[0] = one[0] = two[0] = label[0] = '!';
  const HaulItem *copy = haul_message_item(message);
  CU_ASSERT_STRING_EQUAL(copy->id, "id");
  CU_ASSERT_STRING_EQUAL(copy->object_id, "object");
  CU_ASSERT_STRING_EQUAL(copy->keywords[0], "one");
  CU_ASSERT_STRING_EQUAL(copy->keywords[1], "two");
  CU_ASSERT_PTR_NULL(copy->keywords[2]);
  CU_ASSERT_STRING_EQUAL(copy->labels[0], "Work/a");
  CU_ASSERT_EQUAL(copy->size, 4);
  CU_ASSERT_EQUAL(copy->date, -5);
  CU_ASSERT_EQUAL(copy->date_zone, -3600);
  CU_ASSERT_EQUAL(copy->flags, HAUL_DRAFT);
  CU_ASSERT_PTR_NULL(copy->header);

  HaulItem bare = { 0 };
  g_autoptr(HaulMessage) empty = haul_message_new(&bare, NULL, 0);
  CU_ASSERT_PTR_NULL(haul_message_item(empty)->id);
  CU_ASSERT_PTR_NULL(haul_message_item(empty)->keywords);
}

static void
the_header_ends_at_the_empty_line(void)
{
  static const struct {
    const char *body;
    size_t size;
  } table[] = {
    { "A: b\r\n\r\nbody", 8 },
    { "A: b\n\nbody", 6 },
    { "\r\nbody", 2 },
    { "A: b\r\n", 6 },
    { "", 0 },
  };
  HaulItem item = { .id = "1" };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulMessage) message = haul_message_new(&item, table[i].body, strlen(table[i].body));
    size_t size = 99;
    haul_message_header(message, &size);
    CU_ASSERT_EQUAL(size, table[i].size);
  }
}

/* ---- room ---- */

static void
room_is_held_until_the_last_reference_goes(void)
{
  static const struct {
    uint64_t size, hint;
  } table[] = {
    { 10, 10 },      { 100000, 10 },       { 100000, HAUL_UNKNOWN },  { 10, 100000 },
    { 3000000, 10 }, { 3000000, 3000000 }, { 3000000, HAUL_UNKNOWN }, { 0, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    /* Exactly enough for it: what is reserved beside it would have to wait, were it held. */
    HaulQueue *queue = haul_queue_new(UINT64_MAX);
    HaulMessage *message = write_body(queue, table[i].size, table[i].hint, SIZE_MAX);
    haul_message_ref(message);
    haul_message_unref(message);
    haul_message_unref(message);
    haul_queue_unref(queue); /* asserts in release() tell of room given back twice */
  }
  CU_ASSERT(haul_message_room(UINT64_C(1) << 40) < (4u << 20)); /* whatever its size */
  CU_ASSERT(haul_message_room(0) > 0);
}

static void
a_body_that_is_dropped_gives_its_room_back(void)
{
  HaulQueue *queue = haul_queue_new(1000000);
  for (unsigned i = 0; i < 3; i++) {
    CU_ASSERT(haul_queue_reserve(queue, haul_message_room(900000)));
    HaulBodyWriter *body = haul_body_writer_new(spool, queue, 900000, NULL);
    size_t room;
    CU_ASSERT_PTR_NOT_NULL(haul_body_writer_reserve(body, 10, &room, NULL));
    haul_body_writer_free(body);
  }
  haul_body_writer_free(NULL);
  haul_message_unref(NULL);
  haul_queue_unref(queue);
}

/* ---- the spool ---- */

static unsigned
n_files(void)
{
  g_autoptr(GDir) dir = g_dir_open(spool, 0, NULL);
  unsigned n = 0;
  while (g_dir_read_name(dir) != NULL)
    n++;
  return n;
}

static void
nothing_is_left_in_the_spool(void)
{
  g_autoptr(HaulMessage) message = write_body(NULL, 2000000, 2000000, SIZE_MAX);
  CU_ASSERT_PTR_NOT_NULL(message);
  CU_ASSERT_EQUAL(n_files(), 0); /* not even while it is there */
}

static void
a_spool_that_is_not_there_fails_the_message_alone(void)
{
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_body_writer_new("/nonexistent/spool", NULL, 2000000, &error));
  CHECK_ERROR(error, HAUL_ERROR_MESSAGE, "spool", "--state");
  g_clear_error(&error);
  g_autoptr(HaulBodyWriter) body = haul_body_writer_new("/nonexistent/spool", NULL, 10, &error);
  CU_ASSERT_PTR_NOT_NULL_FATAL(body); /* small ones need none */
  void *buffer = (void *)body;
  for (unsigned i = 0; buffer != NULL && i < 3000; i++) {
    size_t room = 0;
    buffer = haul_body_writer_reserve(body, 1000, &room, &error);
    if (buffer != NULL) {
      memset(buffer, 'x', room);
      haul_body_writer_advance(body, room);
    }
  }
  CU_ASSERT_PTR_NULL(buffer); /* but those that grow do */
  CHECK_ERROR(error, HAUL_ERROR_MESSAGE, "spool", NULL);
}

static void
a_full_spool_is_an_error_and_no_signal(void)
{
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = { 3000000, 3000000 };
    setrlimit(RLIMIT_FSIZE, &limit);
    g_autoptr(GError) error = NULL;
    bool right = true;
    HaulBodyWriter *body = haul_body_writer_new(spool, NULL, HAUL_UNKNOWN, NULL);
    for (unsigned i = 0; i < 5000; i++) {
      size_t room = 0;
      void *buffer = haul_body_writer_reserve(body, 1000, &room, &error);
      if (buffer == NULL)
        break;
      memset(buffer, 'x', room);
      haul_body_writer_advance(body, room);
    }
    right = error != NULL && haul_error_reach(error) == HAUL_ERROR_MESSAGE
            && strcmp(haul_error_reason(error), "spool") == 0;
    haul_body_writer_free(body);
    _exit(right ? 0 : 1);
  }
  int status;
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- the intake ---- */

typedef struct {
  unsigned n_delivered, n_skipped;
  HaulMessage *last; /* owned */
  bool refuses;
} Receiver;

static bool
deliver(HaulMessage *message, void *data, GError **error)
{
  Receiver *receiver = data;
  haul_message_unref(receiver->last);
  receiver->last = message;
  receiver->n_delivered++;
  if (receiver->refuses)
    haul_set_error(error, HAUL_ERROR_CONNECTION, "closed", "enough");
  return !receiver->refuses;
}

static void
skip(const char *id, const GError *why, void *data)
{
  Receiver *receiver = data;
  receiver->n_skipped++;
  CU_ASSERT_STRING_EQUAL(id, "9");
  CHECK_ERROR(why, HAUL_ERROR_MESSAGE, "unfetchable", "damaged");
}

static void
the_intake_hands_on_what_it_gets(void)
{
  Receiver receiver = { 0 };
  HaulCancel *cancel = haul_cancel_new();
  HaulQueue *queue = haul_queue_new(1000000);
  g_autoptr(HaulIntake) intake = haul_intake_new(spool, queue, cancel, deliver, skip, &receiver);
  HaulItem item = { .id = "8" };
  g_autoptr(GError) error = NULL;
  HaulBodyWriter *body = haul_intake_begin(intake, 5, NULL);
  size_t room;
  memcpy(haul_body_writer_reserve(body, 5, &room, NULL), "hello", 5);
  haul_body_writer_advance(body, 5);
  CU_ASSERT(haul_intake_commit(intake, body, &item, &error));
  CU_ASSERT_EQUAL(receiver.n_delivered, 1);
  CU_ASSERT_STRING_EQUAL(haul_message_item(receiver.last)->id, "8");
  CU_ASSERT_EQUAL(haul_message_item(receiver.last)->size, 5);

  haul_set_error(&error, HAUL_ERROR_MESSAGE, "unfetchable", "it is damaged");
  haul_intake_skip(intake, "9", error);
  CU_ASSERT_EQUAL(receiver.n_skipped, 1);
  g_clear_error(&error);

  receiver.refuses = true;
  body = haul_intake_begin(intake, 0, NULL);
  CU_ASSERT(!haul_intake_commit(intake, body, &item, &error));
  CHECK_ERROR(error, HAUL_ERROR_CONNECTION, "closed", NULL);
  g_clear_error(&error);

  haul_cancel_set(cancel);
  CU_ASSERT_PTR_NULL(haul_intake_begin(intake, 0, &error));
  CHECK_ERROR(error, HAUL_ERROR_CANCELLED, "cancelled", NULL);
  haul_message_unref(receiver.last);
  haul_queue_unref(queue);
  haul_cancel_free(cancel);
}

static void
a_broken_lane_ends_the_intake(void)
{
  Receiver receiver = { 0 };
  HaulQueue *queue = haul_queue_new(1000);
  g_autoptr(HaulIntake) intake = haul_intake_new(spool, queue, NULL, deliver, skip, &receiver);
  haul_queue_break(queue);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_intake_begin(intake, 5, &error));
  CHECK_ERROR(error, HAUL_ERROR_CANCELLED, "cancelled", NULL);
  haul_queue_unref(queue);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_body_is_what_was_written_whatever_its_size_and_hint),
    CASE(a_window_may_begin_anywhere),
    CASE(an_item_is_copied_whole),
    CASE(the_header_ends_at_the_empty_line),
    CASE(room_is_held_until_the_last_reference_goes),
    CASE(a_body_that_is_dropped_gives_its_room_back),
    CASE(nothing_is_left_in_the_spool),
    CASE(a_spool_that_is_not_there_fails_the_message_alone),
    CASE(a_full_spool_is_an_error_and_no_signal),
    CASE(the_intake_hands_on_what_it_gets),
    CASE(a_broken_lane_ends_the_intake),
  };
  spool = make_test_folder();
  int outcome = RUN_SUITE("message", cases);
  rmdir(spool);
  g_free(spool);
  return outcome;
}
