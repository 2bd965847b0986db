/* Which folders are complete. See completion.h. */
#include "completion.h"

#include <string.h>

/* Whether others were given ids besides the @n that we know of, as far as ids tell. */
static bool
others_came(const char *next_before, const char *next_after, uint64_t n)
{
  uint64_t before = next_before != NULL ? g_ascii_strtoull(next_before, NULL, 10) : 0;
  uint64_t after = next_after != NULL ? g_ascii_strtoull(next_after, NULL, 10) : 0;
  return before != 0 && after != 0 && after != before + n;
}

/* Lets @sum count what all folders did that go to its place. */
static void
add_sharers(const HaulPass *pass, HaulFolderWork *sum)
{
  sum->n_put = sum->n_removed2 = 0;
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (strcmp(work->plan.path2, sum->plan.path2) != 0)
      continue;
    sum->n_put += work->n_put;
    sum->n_removed2 += work->n_removed2;
    sum->wrote |= work->wrote;
  }
}

/*
 * The token under which a folder of the destination is known to be complete: what the server says
 * after our deliveries, if the numbers show that nobody else changed anything; else NULL, and the next
 * run looks. That as many messages are there as should be is not enough: one may have gone, and another
 * come, of which nobody would tell who is asked what changed since.
 */
static const char *
final_token2(const HaulPass *pass, const HaulFolderWork *one, const HaulFolderList *after)
{
  HaulFolderWork sum = *one;
  const HaulFolderWork *work = &sum;
  if (one->sharers != NULL)
    add_sharers(pass, &sum);
  if (!work->wrote && !work->plan.create)
    return work->plan.folder2->token;
  const HaulPlanFolder *folder =
      after != NULL ? haul_folder_list_find(after, work->plan.path2) : NULL;
  if (folder == NULL || work->n_before2 == HAUL_UNKNOWN
      || folder->n_messages + work->n_removed2 != work->n_before2 + work->n_put
      || others_came(work->next_id2, folder->next_id, work->n_put)
      || (work->epoch2 != 0 && folder->epoch != work->epoch2))
    return NULL;
  return folder->token;
}

bool
haul_adds_up(const HaulPass *pass, const HaulFolderList *after)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    const HaulPlanFolder *folder =
        work->wrote ? haul_folder_list_find(after, work->plan.path2) : NULL;
    if (folder != NULL && folder->token != NULL && final_token2(pass, work, after) == NULL)
      return false;
  }
  return true;
}

static bool
is_complete(const HaulFolderWork *work)
{
  return !work->unusable && !work->incomplete && work->n_left_out == 0
         && haul_tally_is_complete(work->tally);
}

/* Whether all folders that are labels are complete: else one may have left messages to another in vain. */
static bool
labels_are_complete(const HaulPass *pass)
{
  for (guint i = 0; i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if ((work->plan.folder1->attributes & HAUL_FOLDER_LABEL) != 0 && !is_complete(work))
      return false;
  }
  return true;
}

bool
haul_note_complete(const HaulContext *context, const HaulPass *pass, const HaulFolderList *after,
                   GError **error)
{
  HaulJournal *journal = context->journal;
  if (!haul_journal_begin(journal, error))
    return false;
  /* Where flags are only ever added, what is agreed on may be more than what the source has. */
  bool has_flags1 = context->policy->flags_mode != HAUL_FLAGS_ADD;
  bool labels_done = labels_are_complete(pass), going = true;
  for (guint i = 0; going && i < pass->folders->len; i++) {
    const HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    if (work->plan.look == HAUL_LOOK_NONE || work->incomplete || work->n_left_out > 0
        || !haul_tally_is_complete(work->tally)
        || (!labels_done && work->tally->n[HAUL_STATE_DUPLICATE] > 0)
        || context->policy->flags_mode == HAUL_FLAGS_NONE)
      continue;
    bool subscribed = work->plan.is_sent_elsewhere
                      || (work->plan.folder1->attributes & HAUL_FOLDER_SUBSCRIBED) != 0;
    const char *token2 = final_token2(pass, work, after);
    const HaulPlanFolder *folder2 =
        after != NULL ? haul_folder_list_find(after, work->plan.path2) : work->plan.folder2;
    if (token2 != NULL && folder2 != NULL && work->epoch2 == 0)
      going = haul_journal_set_epoch2(journal, work->number, folder2->epoch, error);
    going = going
            && haul_journal_end_folder(journal, work->number, work->plan.folder1->token, token2,
                                       work->n_gone, subscribed, has_flags1, error);
  }
  return haul_journal_commit_after(journal, going, error);
}
