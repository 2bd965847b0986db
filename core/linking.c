/* Messages that the destination copies itself: from labels, and of what moved. */
#include "linking.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "naming.h"
#include "plan-flags.h"

/* Links whose intent is noted at once, and which one call makes. */
#define BATCH_LINKS 512u

/* One message to be put into one more folder. */
typedef struct {
  HaulFolderWork *from, *to; /* borrowed; from: NULL if no copy is known */
  HaulId id1;                /* at the source, in the folder of `to` */
  HaulCopy copy;             /* owned; the one in `from`; its cargo has id1 */
  HaulDeparture *departure;  /* borrowed; of what moved, else NULL */
  bool changes_flags;        /* they are to be changed then, as `flags` says */
  HaulAction flags;
  bool is_made;
  char *new_id; /* owned; NULL where the store did not say */
} Link;

typedef struct {
  const HaulContext *context;
  HaulPass *pass;
  HaulOpenStore *store2;
  GArray *links;      /* owned; of Link */
  HaulNaming *naming; /* owned; what was made without an id */
} Linking;

static void
link_clear(Link *link)
{
  haul_copy_clear(&link->copy);
  g_free(link->new_id);
}

static void
linking_clear(Linking *linking)
{
  g_clear_pointer(&linking->links, g_array_unref);
  g_clear_pointer(&linking->naming, haul_naming_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Linking, linking_clear)

static Link *
link_at(const Linking *linking, guint i)
{
  return &g_array_index(linking->links, Link, i);
}

/* Finds the copy that a link can be made of: the first in the order of folders. */
static bool
find_copy(const Linking *linking, const char *object, Link *link, GError **error)
{
  g_autoptr(GArray) copies = g_array_new(FALSE, TRUE, sizeof(HaulCopy));
  g_array_set_clear_func(copies, (GDestroyNotify)haul_copy_clear);
  if (!haul_journal_find_copies(linking->context->journal, object, copies, error))
    return false;
  HaulCopy *best = NULL;
  for (guint i = 0; i < copies->len; i++) {
    HaulCopy *copy = &g_array_index(copies, HaulCopy, i);
    HaulFolderWork *from = haul_pass_find(linking->pass, copy->folder);
    if (from == NULL || from == link->to || from->unusable
        || (link->from != NULL && link->from <= from))
      continue;
    link->from = from;
    best = copy;
  }
  if (best != NULL) {
    link->copy = *best;
    *best = (HaulCopy){ 0 };
  }
  return true;
}

/* Takes the copy of a message that left another folder. What happened to its flags since both sides agreed
 * on them is carried over like any such change. */
static void
take_departed(const Linking *linking, HaulDeparture *departure, Link *link)
{
  const HaulCargo *cargo = &departure->copy.cargo;
  HaulKeywords *keywords = linking->context->keywords;
  bool flagless = (link->to->plan.folder1->attributes & HAUL_FOLDER_FLAGLESS) != 0;
  HaulFlagsMode mode = flagless ? HAUL_FLAGS_NONE : linking->context->policy->flags_mode;
  HaulEntry source = { .id = link->id1,
                       .flags = departure->flags1,
                       .keywords = departure->keywords1 };
  HaulEntry copy = { .flags = departure->flags2, .keywords = departure->keywords2 };
  HaulRebase agreed = { link->id1, cargo->flags, cargo->keywords };
  link->from = departure->from;
  link->departure = departure;
  link->copy = (HaulCopy){ *cargo, departure->copy.folder, g_strdup(departure->copy.id2) };
  link->copy.cargo.id1 = NULL;
  link->changes_flags = haul_plan_flags(mode, keywords, &source, &copy, &agreed, &link->flags);
  if (!link->changes_flags) {
    link->copy.cargo.flags = agreed.flags;
    link->copy.cargo.keywords = agreed.keywords;
  }
}

static bool
collect_links(Linking *linking, GError **error)
{
  for (guint i = 0; i < linking->pass->actions->len; i++) {
    const HaulAction *action = &g_array_index(linking->pass->actions, HaulAction, i);
    if (action->deed != HAUL_DO_LINK)
      continue;
    HaulFolderWork *to = &g_array_index(linking->pass->folders, HaulFolderWork, action->folder);
    if (to->unusable)
      continue;
    Link link = { .to = to, .id1 = action->link.id1 };
    if (action->link.object == 0)
      take_departed(
          linking, &g_array_index(linking->pass->departures, HaulDeparture, action->link.departure),
          &link);
    else if (!find_copy(linking, haul_objects_id(linking->pass->objects, action->link.object),
                        &link, error))
      return false;
    HaulIdBuffer buffer;
    g_free(link.copy.cargo.id1);
    link.copy.cargo.id1 = g_strdup(haul_id_text(link.id1, &buffer));
    g_array_append_val(linking->links, link);
  }
  return true;
}

static int
compare_texts(const char *a, const char *b)
{
  size_t x = strlen(a), y = strlen(b); /* so that numbers of UIDs ascend */
  return x != y ? (x > y) - (x < y) : strcmp(a, b);
}

/* By folder copied from, folder copied to, and id there. */
static int
compare_links(const void *a, const void *b)
{
  const Link *x = a, *y = b;
  if (x->from != y->from)
    return (x->from > y->from) - (x->from < y->from);
  if (x->to != y->to)
    return (x->to > y->to) - (x->to < y->to);
  return x->from == NULL ? 0 : compare_texts(x->copy.id2, y->copy.id2);
}

/* ---- one batch: links of the same two folders ---- */

typedef struct {
  Link *links; /* borrowed */
  guint n;
} Batch;

static bool
take_copied(const char *id, const char *new_id, void *data)
{
  Batch *batch = data;
  for (guint low = 0, high = batch->n; low < high;) {
    guint middle = low + (high - low) / 2;
    int order = compare_texts(batch->links[middle].copy.id2, id);
    if (order == 0) {
      /* Two messages may have one copy (a server that knows equal ones): each is served once. */
      while (middle > 0 && strcmp(batch->links[middle - 1].copy.id2, id) == 0)
        middle--;
      for (; middle < batch->n && strcmp(batch->links[middle].copy.id2, id) == 0; middle++) {
        Link *link = &batch->links[middle];
        g_free(link->new_id);
        link->new_id = g_strdup(new_id);
        link->is_made = true;
      }
      return true;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return true; /* nobody asked for it */
}

/* Lets the store copy. Returns false with *@why set: what was made before is marked all the same. */
static bool
copy_batch(const Linking *linking, Batch *batch, GError **why)
{
  HaulFolderWork *from = batch->links[0].from, *to = batch->links[0].to;
  HaulFolder folder = { 0 };
  if (!haul_store_select(linking->store2, from->plan.path2, HAUL_READ, &folder, why))
    return false;
  if (folder.epoch != 0 && from->epoch2 != 0 && folder.epoch != from->epoch2) {
    haul_set_error(why, HAUL_ERROR_FOLDER, "epoch", "destination: the folder was replaced");
    return false;
  }
  g_autofree const char **ids = g_new(const char *, batch->n);
  guint n_ids = 0;
  for (guint i = 0; i < batch->n; i++)
    if (i == 0 || strcmp(ids[n_ids - 1], batch->links[i].copy.id2) != 0)
      ids[n_ids++] = batch->links[i].copy.id2;
  return haul_store_copy(linking->store2, ids, n_ids, to->plan.path2, false, take_copied, batch,
                         why);
}

/* Finds out the epoch of a folder that was made in this run, now that it holds something. */
static void
learn_epoch(const Linking *linking, HaulFolderWork *to)
{
  HaulFolder folder = { 0 };
  g_autoptr(GError) why = NULL;
  if (to->epoch2 == 0
      && haul_store_select(linking->store2, to->plan.path2, HAUL_READ, &folder, &why))
    to->epoch2 = folder.epoch;
}

static void
add_receipt(const Linking *linking, const HaulIntentBatch *intent, guint index, const Link *link,
            GArray *receipts)
{
  HaulReceipt receipt = { .batch = intent,
                          .index = index,
                          .delivered = true,
                          .epoch2 = link->to->epoch2,
                          .id2 = g_strdup(link->new_id) };
  g_array_append_val(receipts, receipt);
  link->to->wrote = true;
  link->to->n_put++;
  haul_report_linked(linking->context->report, link->to->tally, link->departure != NULL);
  if (link->departure != NULL)
    link->departure->is_copied = true;
  if (link->new_id == NULL)
    haul_naming_add(linking->naming, link->to, &link->copy.cargo);
  if (link->new_id == NULL && link->changes_flags)
    link->to->incomplete = true; /* the next run knows which message it is */
}

/* Makes one batch of links. What is not made and was refused is left to be copied. */
static bool
make_batch(Linking *linking, Batch *batch, GError **error)
{
  HaulJournal *journal = linking->context->journal;
  HaulFolderWork *to = batch->links[0].to;
  g_autoptr(HaulIntentBatch) intent = haul_intent_batch_new(to->number, to->epoch2, to->next_id2);
  for (guint i = 0; i < batch->n; i++) {
    HaulCargo cargo = batch->links[i].copy.cargo;
    cargo.id1 = g_strdup(cargo.id1);
    g_array_append_val(intent->cargo, cargo);
  }
  if (!haul_journal_note(journal, NULL, NULL, intent, error))
    return false;

  g_autoptr(GError) why = NULL;
  bool copied = copy_batch(linking, batch, &why);
  bool is_known = copied || haul_error_reach(why) <= HAUL_ERROR_FOLDER;
  if (is_known)
    learn_epoch(linking, to);
  g_autoptr(GArray) receipts = g_array_new(FALSE, TRUE, sizeof(HaulReceipt));
  g_array_set_clear_func(receipts, (GDestroyNotify)haul_receipt_clear);
  g_autoptr(GPtrArray) settled = g_ptr_array_new();
  for (guint i = 0; i < batch->n; i++)
    if (batch->links[i].is_made)
      add_receipt(linking, intent, i, &batch->links[i], receipts);
  if (is_known)
    g_ptr_array_add(settled, intent);
  else
    to->incomplete = true; /* nobody knows: the next pass looks */
  if (!haul_journal_note(journal, receipts, settled, NULL, error))
    return false;
  if (!copied)
    haul_log(HAUL_LOG_INFO, "%s: %s; what is not there is copied from the source", to->plan.path2,
             why->message);
  if (is_known)
    return true;
  g_propagate_error(error, g_steal_pointer(&why));
  return false;
}

static bool
make_all(Linking *linking, GError **error)
{
  g_array_sort(linking->links, compare_links);
  for (guint i = 0; i < linking->links->len;) {
    Batch batch = { link_at(linking, i), 1 };
    while (i + batch.n < linking->links->len && batch.n < BATCH_LINKS
           && batch.links[batch.n].from == batch.links->from
           && batch.links[batch.n].to == batch.links->to)
      batch.n++;
    if (batch.links->from != NULL && !make_batch(linking, &batch, error))
      return false;
    i += batch.n;
  }
  return haul_naming_is_empty(linking->naming) || haul_naming_look(linking->naming, error);
}

/* ---- what is left ---- */

static int
compare_left(const void *left, const void *right)
{
  const HaulAction *x = left, *y = right;
  if (x->folder != y->folder)
    return (x->folder > y->folder) - (x->folder < y->folder);
  if (x->deed != y->deed)
    return (x->deed > y->deed) - (x->deed < y->deed);
  HaulId a = x->deed == HAUL_DO_FLAGS ? x->flags.id2 : x->copy.first;
  HaulId b = y->deed == HAUL_DO_FLAGS ? y->flags.id2 : y->copy.first;
  return (a > b) - (a < b);
}

/* The change of flags that is left to do of a link that was made. */
static HaulAction
flags_left(const Link *link, guint folder)
{
  HaulFolderWork *to = link->to;
  HaulAction action = link->flags;
  to->ids = to->ids != NULL ? to->ids : haul_ids_new();
  action.folder = folder;
  action.flags.id2 = haul_id_intern(to->ids, link->new_id);
  return action;
}

/* Replaces the actions of the pass, which are done, by what is left: copies of what could not be linked, and
 * flags of what was. */
static bool
leave_copies(Linking *linking)
{
  HaulPass *pass = linking->pass;
  HaulFolderWork *folders = (HaulFolderWork *)(void *)pass->folders->data;
  g_array_set_size(pass->actions, 0);
  for (guint i = 0; i < linking->links->len; i++) {
    const Link *link = link_at(linking, i);
    uint32_t folder = (uint32_t)(link->to - folders);
    if (link->is_made && !(link->changes_flags && link->new_id != NULL))
      continue;
    HaulAction action = {
      .deed = HAUL_DO_COPY,
      .folder = folder,
      .copy = { .first = link->id1, .last = link->id1, .n = 1, .octets = HAUL_UNKNOWN },
    };
    if (link->is_made)
      action = flags_left(link, folder);
    g_array_append_val(pass->actions, action);
  }
  g_array_sort(pass->actions, compare_left);
  for (guint i = 0; i < pass->folders->len; i++)
    folders[i].n_actions = 0;
  for (guint i = 0; i < pass->actions->len; i++) {
    HaulFolderWork *work = &folders[g_array_index(pass->actions, HaulAction, i).folder];
    if (work->n_actions++ == 0)
      work->first_action = i;
  }
  return pass->actions->len > 0;
}

bool
haul_make_links(const HaulContext *context, HaulPass *pass, HaulOpenStore *store2, bool *left,
                GError **error)
{
  *left = false;
  if (!pass->links)
    return true;
  g_auto(Linking) linking = { .context = context,
                              .pass = pass,
                              .store2 = store2,
                              .links = g_array_new(FALSE, TRUE, sizeof(Link)),
                              .naming = haul_naming_new(context, store2) };
  g_array_set_clear_func(linking.links, (GDestroyNotify)link_clear);
  if (!collect_links(&linking, error) || !make_all(&linking, error)) {
    for (guint i = 0; i < linking.links->len; i++)
      if (!link_at(&linking, i)->is_made)
        link_at(&linking, i)->to->incomplete = true;
    return false;
  }
  *left = leave_copies(&linking);
  return true;
}
