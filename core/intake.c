/* The intake: waits for room, lets a body be filled, and hands the sealed message to its owner. */
#include "intake.h"

#include <mailhaul/error.h>

struct HaulIntake {
  const char *spool;  /* borrowed */
  HaulQueue *queue;   /* borrowed, or NULL */
  HaulCancel *cancel; /* borrowed, or NULL */
  HaulIntakeDeliver deliver;
  HaulIntakeSkip skip;
  void *data;
};

HaulIntake *
haul_intake_new(const char *spool, HaulQueue *queue, HaulCancel *cancel, HaulIntakeDeliver deliver,
                HaulIntakeSkip skip, void *data)
{
  HaulIntake *intake = g_new0(HaulIntake, 1);
  *intake = (HaulIntake){ spool, queue, cancel, deliver, skip, data };
  return intake;
}

void
haul_intake_free(HaulIntake *intake)
{
  g_free(intake);
}

static bool
may_go_on(const HaulIntake *intake, GError **error)
{
  if (intake->cancel == NULL || !haul_cancel_is_set(intake->cancel))
    return true;
  haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled", "asked to stop");
  return false;
}

HaulBodyWriter *
haul_intake_begin(HaulIntake *intake, uint64_t size, GError **error)
{
  if (!may_go_on(intake, error))
    return NULL;
  uint64_t room = haul_message_room(size);
  if (intake->queue != NULL && !haul_queue_reserve(intake->queue, room)) {
    haul_set_error(error, HAUL_ERROR_CANCELLED, "cancelled",
                   "the other end of the lane has stopped");
    return NULL;
  }
  return haul_body_writer_new(intake->spool, intake->queue, size, error);
}

bool
haul_intake_commit(HaulIntake *intake, HaulBodyWriter *body, const HaulItem *item, GError **error)
{
  HaulMessage *message = haul_body_writer_seal(body, item, error);
  return message != NULL && intake->deliver(message, intake->data, error);
}

void
haul_intake_skip(HaulIntake *intake, const char *id, const GError *why)
{
  intake->skip(id, why, intake->data);
}
