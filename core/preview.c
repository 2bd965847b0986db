/* A plan, told instead of carried out. See preview.h. */
#include "preview.h"

#include <inttypes.h>

#include "mirror.h"
#include "removal.h"
#include "sessions.h"

static const char *
describe_action(const HaulAction *action, GString *text)
{
  g_string_truncate(text, 0);
  if (action->deed == HAUL_DO_FLAGS) {
    HaulIdBuffer buffer;
    g_string_printf(text, "change flags of message %s", haul_id_text(action->flags.id2, &buffer));
    return "flags";
  }
  HaulIdBuffer first, last;
  if (action->deed == HAUL_DO_LINK) {
    g_string_printf(text, "copy message %s within the destination",
                    haul_id_text(action->link.id1, &first));
    return "link";
  }
  if (action->deed == HAUL_DO_COPY_ALL)
    g_string_append(text, "copy all");
  else if (action->copy.first == action->copy.last)
    g_string_printf(text, "copy message %s", haul_id_text(action->copy.first, &first));
  else
    g_string_printf(text, "copy messages %s to %s", haul_id_text(action->copy.first, &first),
                    haul_id_text(action->copy.last, &last));
  if (action->copy.n != HAUL_UNKNOWN)
    g_string_append_printf(text, ", %" PRIu64 " in number", action->copy.n);
  if (action->copy.octets != HAUL_UNKNOWN)
    g_string_append_printf(text, ", %" PRIu64 " octets", action->copy.octets);
  return "copy";
}

/* Reckons with an action: adds to @forecast what it would come to. */
static void
reckon(const HaulAction *action, HaulForecast *forecast)
{
  switch (action->deed) {
  case HAUL_DO_COPY_ALL:
  case HAUL_DO_COPY:
    forecast->n_copied += action->copy.n != HAUL_UNKNOWN ? action->copy.n : 0;
    forecast->octets += action->copy.octets != HAUL_UNKNOWN ? action->copy.octets : 0;
    break;
  case HAUL_DO_LINK:
    forecast->n_copied++;
    forecast->n_linked++;
    break;
  case HAUL_DO_FLAGS:
    forecast->n_flags++;
    break;
  }
}

/* Shows what would be removed at the source; what is still to be copied would be, too, unless it has to
 * grow older. */
static bool
show_removal(const HaulContext *context, const HaulFolderWork *work, HaulPreviewFunc show,
             void *data, GString *text, HaulForecast *forecast, GError **error)
{
  guint n;
  if (!haul_removal_count(context, work, &n, error))
    return false;
  bool more = context->policy->delete1_after_days == 0 && work->n_actions > 0;
  forecast->n_deleted1 = n + (more ? forecast->n_copied : 0);
  if (n == 0 && !more)
    return true;
  if (n == 0)
    g_string_assign(text, "delete at the source what is copied");
  else
    g_string_printf(text, "delete %u messages at the source%s", n,
                    more ? ", and what is copied" : "");
  show(work->plan.folder1->path, work->plan.path2, "delete1", text->str, data);
  return true;
}

/* Shows what would be removed at the destination, or why nothing would be. */
static bool
show_mirror(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
            const HaulFolderWork *work, HaulPreviewFunc show, void *data, GString *text,
            HaulForecast *forecast, GError **error)
{
  g_autoptr(HaulIds) ids = haul_ids_new();
  g_auto(HaulMirrorPlan) plan = { 0 };
  if (!haul_mirror_foresee(context, pass, list1, work, ids, &plan, error))
    return false;
  g_autofree char *refusal = haul_mirror_refusal(&plan);
  forecast->n_deleted2 = refusal == NULL ? plan.victims->len : 0;
  if (refusal != NULL) {
    g_string_assign(text, refusal);
    haul_mirror_refuse(context, work, refusal); /* as the run will */
  } else {
    g_string_printf(text, "delete %u messages at the destination", plan.victims->len);
  }
  if (plan.victims->len > 0)
    show(work->plan.folder1->path, work->plan.path2, refusal != NULL ? "refuse" : "delete2",
         text->str, data);
  return true;
}

/* Shows what is not copied, and why. */
static void
show_left_out(const HaulFolderWork *work, HaulPreviewFunc show, void *data, GString *text)
{
  for (unsigned verdict = HAUL_VERDICT_SELECTED + 1; verdict < HAUL_N_VERDICTS; verdict++) {
    uint64_t n = work->tally->n_left_out[verdict];
    const char *reason = haul_verdict_reason((HaulVerdict)verdict);
    g_string_printf(text, "leave out %" PRIu64 " messages: %s", n, haul_reason_find(reason)->what);
    if (n > 0)
      show(work->plan.folder1->path, work->plan.path2, reason, text->str, data);
  }
}

bool
haul_preview(const HaulContext *context, const HaulPass *pass, const HaulFolderList *list1,
             HaulPreviewFunc show, void *data, GError **error)
{
  g_autoptr(GString) text = g_string_new(NULL);
  if (context->policy->delete2 && !haul_mirror_report_vanished(context, list1, error))
    return false;
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    const HaulFolderPlan *plan = &work->plan;
    HaulForecast forecast = { .create = plan->create, .subscribe = plan->subscribe };
    g_string_printf(text, "mapped by: %s%s", plan->rule,
                    haul_sessions_are_needed(plan->folder1)
                        ? "; the source shows a part of it at a time, and this is the first"
                        : "");
    show(plan->folder1->path, plan->path2, "map", text->str, data);
    if (plan->create)
      show(plan->folder1->path, plan->path2, "create", "create the folder", data);
    if (plan->subscribe)
      show(plan->folder1->path, plan->path2, "subscribe", "subscribe to it", data);
    for (guint k = 0; k < work->n_actions; k++) {
      const HaulAction *action = &g_array_index(pass->actions, HaulAction, work->first_action + k);
      const char *deed = describe_action(action, text);
      show(plan->folder1->path, plan->path2, deed, text->str, data);
      reckon(action, &forecast);
    }
    show_left_out(work, show, data, text);
    if (context->policy->delete2
        && !show_mirror(context, pass, list1, work, show, data, text, &forecast, error))
      return false;
    if (context->policy->delete1
        && !show_removal(context, work, show, data, text, &forecast, error))
      return false;
    haul_report_foretell(work->tally, &forecast);
  }
  return true;
}
