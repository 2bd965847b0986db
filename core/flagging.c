/* Carrying out the planned changes of flags. */
#include "flagging.h"

#include <string.h>

#include <mailhaul/error.h>

static int
compare_changes(const void *a, const void *b)
{
  const HaulAction *x = *(const HaulAction *const *)a, *y = *(const HaulAction *const *)b;
  const uint32_t left[] = { x->flags.add, x->flags.remove, x->flags.add_keywords,
                            x->flags.remove_keywords };
  const uint32_t right[] = { y->flags.add, y->flags.remove, y->flags.add_keywords,
                             y->flags.remove_keywords };
  return memcmp(left, right, sizeof left);
}

/* Notes the flags that both sides have agreed on by @actions. */
static bool
note_agreed(HaulJournal *journal, int64_t folder, HaulAction *const *actions, guint n,
            GError **error)
{
  if (!haul_journal_begin(journal, error))
    return false;
  bool going = true;
  for (guint i = 0; going && i < n; i++) {
    HaulIdBuffer buffer;
    going = haul_journal_set_agreed(journal, folder, haul_id_text(actions[i]->flags.id1, &buffer),
                                    actions[i]->flags.flags, actions[i]->flags.keywords, error);
  }
  return haul_journal_commit_after(journal, going, error);
}

/* Makes one change to many messages, and notes what is agreed on now. */
static bool
change_flags(const HaulContext *context, HaulOpenStore *store2, HaulFolderWork *work,
             HaulAction *const *actions, guint n, GError **error)
{
  const HaulAction *first = actions[0];
  g_autofree HaulIdBuffer *buffers = g_new(HaulIdBuffer, n);
  g_autofree const char **ids = g_new(const char *, n);
  for (guint i = 0; i < n; i++)
    ids[i] = haul_id_text(actions[i]->flags.id2, &buffers[i]);
  HaulFlagChange change = {
    .add = first->flags.add,
    .remove = first->flags.remove,
    .add_keywords = haul_keywords_names(context->keywords, first->flags.add_keywords),
    .remove_keywords = haul_keywords_names(context->keywords, first->flags.remove_keywords),
  };
  if (!haul_store_set_flags(store2, ids, n, &change, error))
    return false;
  work->wrote = true;
  haul_report_flags(context->report, work->tally, n);
  return note_agreed(context->journal, work->number, actions, n, error);
}

bool
haul_change_flags(const HaulContext *context, const HaulPass *pass, HaulOpenStore *store2,
                  HaulFolderWork *work, GError **error)
{
  g_autoptr(GPtrArray) actions = g_ptr_array_new();
  for (guint i = 0; i < work->n_actions; i++) {
    HaulAction *action = &g_array_index(pass->actions, HaulAction, work->first_action + i);
    if (action->deed == HAUL_DO_FLAGS)
      g_ptr_array_add(actions, action);
  }
  g_ptr_array_sort(actions, compare_changes);
  for (guint i = 0; i < actions->len;) {
    guint end = i + 1;
    while (end < actions->len && compare_changes(&actions->pdata[i], &actions->pdata[end]) == 0)
      end++;
    GError *why = NULL;
    if (!change_flags(context, store2, work, (HaulAction **)&actions->pdata[i], end - i, &why)) {
      if (haul_error_reach(why) > HAUL_ERROR_FOLDER) {
        g_propagate_error(error, why);
        return false;
      }
      work->incomplete = true;
      g_autoptr(GError) flags_error = NULL;
      haul_set_error(&flags_error, HAUL_ERROR_FOLDER, "flags", "%u messages: %s", end - i,
                     why->message);
      haul_report_folder_failed(context->report, work->tally, flags_error);
      g_error_free(why);
    }
    i = end;
  }
  return true;
}
