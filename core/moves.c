/* Messages that left one folder of the source and are new in another. See moves.h. */
#include "moves.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#include "intake.h"
#include "listing.h"
#include "plan-moves.h"
#include "planning.h"

/* Headers are asked of so many messages in all, and of so many more for each that departed. */
#define FEW_MESSAGES 1000u
#define PER_DEPARTURE 4u

/* A folder that messages come to. */
typedef struct {
  guint number; /* of the pass */
  HaulFolderWork *work;
  HaulListing *listing; /* owned; what is to be copied; NULL: it is left as it is */
  guint first_come;     /* of the search's; one for each of the listing */
} Place;

typedef struct {
  const HaulContext *context;
  HaulPass *pass;
  GHashTable *numbers; /* owned; path at the destination -> number */
  GArray *places;      /* owned; of Place */
  GArray *gone;        /* owned; of HaulMover, beside the departures */
  GArray *come;        /* owned; of HaulMover */
  GArray *copies;      /* owned; of uint32_t, beside them */
} Search;

static void
place_clear(Place *place)
{
  g_clear_pointer(&place->listing, haul_listing_free);
}

static void
search_clear(Search *search)
{
  g_hash_table_unref(search->numbers);
  g_array_unref(search->places);
  g_array_unref(search->gone);
  g_array_unref(search->come);
  g_array_unref(search->copies);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

static bool
is_vanished(const HaulPass *pass, const HaulFolderWork *work)
{
  const HaulFolderWork *first = (const HaulFolderWork *)(void *)pass->vanished->data;
  return pass->vanished->len > 0 && work >= first && work < first + pass->vanished->len;
}

/* The number of a folder of the destination, from 1. Where several of the source go to one, a message that
 * moved between them has not moved there. */
static uint32_t
place_of(const Search *search, const HaulFolderWork *work)
{
  uint32_t number = GPOINTER_TO_UINT(g_hash_table_lookup(search->numbers, work->plan.path2));
  if (number == 0) {
    number = g_hash_table_size(search->numbers) + 1;
    g_hash_table_insert(search->numbers, (char *)work->plan.path2, GUINT_TO_POINTER(number));
  }
  return number;
}

static Search
search_new(const HaulContext *context, HaulPass *pass)
{
  Search search = {
    .context = context,
    .pass = pass,
    .numbers = g_hash_table_new(g_str_hash, g_str_equal),
    .places = g_array_new(FALSE, TRUE, sizeof(Place)),
    .gone = g_array_new(FALSE, TRUE, sizeof(HaulMover)),
    .come = g_array_new(FALSE, TRUE, sizeof(HaulMover)),
    .copies = g_array_new(FALSE, TRUE, sizeof(uint32_t)),
  };
  g_array_set_clear_func(search.places, (GDestroyNotify)place_clear);
  for (guint i = 0; i < pass->departures->len; i++) {
    const HaulDeparture *departure = &g_array_index(pass->departures, HaulDeparture, i);
    HaulMover mover = { .folder = place_of(&search, departure->from),
                        .size = departure->copy.cargo.size,
                        .key = departure->copy.cargo.key };
    memcpy(mover.sha256, departure->copy.cargo.sha256, sizeof mover.sha256);
    g_array_append_val(search.gone, mover);
  }
  return search;
}

static HaulAction *
action_of(const HaulPass *pass, const HaulFolderWork *work, guint i)
{
  return &g_array_index(pass->actions, HaulAction, work->first_action + i);
}

/* Counts what is to be copied to a folder. False where one message must be asked for alone, or what is asked
 * for once may not be shown again. */
static bool
count_copies(const HaulPass *pass, const HaulFolderWork *work, uint64_t *n)
{
  *n = 0;
  if (work->unusable || (work->plan.folder1->attributes & HAUL_FOLDER_BATCHES))
    return false;
  for (guint i = 0; i < work->n_actions; i++) {
    const HaulAction *action = action_of(pass, work, i);
    if (!haul_action_fetches(action))
      continue;
    if (action->copy.alone || action->copy.n == HAUL_UNKNOWN)
      return false;
    *n += action->copy.n;
  }
  return *n > 0;
}

static HaulListRequest *
request_copies(const HaulPass *pass, const HaulFolderWork *work)
{
  HaulListRequest *request = haul_list_request_new(work->plan.folder1->path, HAUL_LIST_KEYS);
  request->header_alone = true; /* what has none comes once, as a copy */
  for (guint i = 0; i < work->n_actions; i++) {
    const HaulAction *action = action_of(pass, work, i);
    HaulIdBuffer first, last;
    if (haul_action_fetches(action))
      haul_list_request_add_range(request, haul_id_text(action->copy.first, &first),
                                  haul_id_text(action->copy.last, &last));
  }
  return request;
}

/* Returns the folder that all departed from; NULL if these are several. */
static const HaulFolderWork *
only_origin(const HaulPass *pass)
{
  const HaulFolderWork *only = g_array_index(pass->departures, HaulDeparture, 0).from;
  for (guint i = 1; i < pass->departures->len; i++)
    if (g_array_index(pass->departures, HaulDeparture, i).from != only)
      return NULL;
  return only;
}

/* Finds the folders to look at, and what to ask of them. */
static GPtrArray *
choose_places(Search *search)
{
  GPtrArray *requests = g_ptr_array_new_with_free_func((GDestroyNotify)haul_list_request_free);
  const HaulFolderWork *only = only_origin(search->pass); /* two messages of a folder are two */
  uint64_t left = FEW_MESSAGES + (uint64_t)search->pass->departures->len * PER_DEPARTURE;
  for (guint i = 0; i < search->pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(search->pass->folders, HaulFolderWork, i);
    uint64_t n;
    if (work == only || !count_copies(search->pass, work, &n) || n > left)
      continue;
    left -= n;
    Place place = { .number = i, .work = work };
    g_array_append_val(search->places, place);
    g_ptr_array_add(requests, request_copies(search->pass, work));
  }
  return requests;
}

/* Whether what was listed is what is to be copied, message for message. */
static bool
is_as_planned(const HaulPass *pass, const HaulFolderWork *work, const HaulListing *listing)
{
  if (listing->epoch != 0 && work->epoch1 != 0 && listing->epoch != work->epoch1)
    return false;
  uint64_t at = 0;
  for (guint i = 0; i < work->n_actions; i++) {
    const HaulAction *action = action_of(pass, work, i);
    if (!haul_action_fetches(action))
      continue;
    if (at + action->copy.n > listing->items->len)
      return false;
    const HaulEntry *first = &g_array_index(listing->items, HaulEntry, at);
    const HaulEntry *last = first + action->copy.n - 1;
    HaulIdBuffer a, b;
    if (action->deed == HAUL_DO_COPY
        && (strcmp(haul_id_text(first->id, &a), haul_id_text(action->copy.first, &b)) != 0
            || strcmp(haul_id_text(last->id, &a), haul_id_text(action->copy.last, &b)) != 0))
      return false;
    at += action->copy.n;
  }
  return at == listing->items->len;
}

static void
take_comers(Search *search, Place *place, HaulListing *listing)
{
  place->listing = listing;
  place->first_come = search->come->len;
  for (guint i = 0; i < listing->items->len; i++) {
    HaulMover mover = { .folder = place_of(search, place->work),
                        .size = g_array_index(listing->items, HaulEntry, i).size,
                        .key = g_array_index(listing->keys, HaulKey, i) };
    g_array_append_val(search->come, mover);
  }
}

static bool
list_places(Search *search, HaulOpenStore *store1, GError **error)
{
  g_autoptr(GPtrArray) requests = choose_places(search);
  if (requests->len == 0)
    return true;
  g_autoptr(HaulLister) lister = haul_lister_new(search->context, store1, requests);
  for (guint i = 0; i < search->places->len; i++) {
    Place *place = &g_array_index(search->places, Place, i);
    g_autoptr(HaulListing) listing = haul_lister_next(lister);
    if (listing->error != NULL && haul_error_reach(listing->error) > HAUL_ERROR_FOLDER)
      return haul_contain(search->context, place->work, g_steal_pointer(&listing->error), error);
    if (listing->error == NULL && is_as_planned(search->pass, place->work, listing))
      take_comers(search, place, g_steal_pointer(&listing));
  }
  return true;
}

/* ---- octets ---- */

typedef struct {
  HaulKeyMaker *maker; /* owned */
  GHashTable *wanted;  /* owned; owned id -> HaulMover, borrowed */
} Reading;

static bool
take_octets(HaulMessage *message, void *data, GError **error)
{
  Reading *reading = data;
  HaulMover *mover = g_hash_table_lookup(reading->wanted, haul_message_item(message)->id);
  HaulKey key;
  if (mover != NULL)
    haul_key_of_message(reading->maker, message, &key, mover->sha256);
  haul_message_unref(message);
  return true;
}

static void
skip_octets(const char *id, const GError *why, void *data)
{
  /* It is copied, and then that is told. */
}

/* Reads those of @wanted that came to @place. What reaches no farther than the folder leaves them unknown. */
static bool
read_place(const Search *search, const Place *place, HaulOpenStore *store1, const GArray *wanted,
           GError **error)
{
  g_autoptr(GHashTable) movers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HaulRange));
  guint n = place->listing != NULL ? place->listing->items->len : 0;
  for (guint i = 0; i < wanted->len; i++) {
    uint32_t at = g_array_index(wanted, uint32_t, i);
    if (at < place->first_come || at >= place->first_come + n)
      continue;
    HaulIdBuffer buffer;
    HaulId id = g_array_index(place->listing->items, HaulEntry, at - place->first_come).id;
    char *text = g_strdup(haul_id_text(id, &buffer));
    HaulRange one = { text, text };
    g_hash_table_insert(movers, text, &g_array_index(search->come, HaulMover, at));
    g_array_append_val(ranges, one);
  }
  if (ranges->len == 0)
    return true;
  g_autoptr(HaulKeyMaker) maker = haul_key_maker_new(search->context->chain);
  Reading reading = { maker, movers };
  g_autoptr(HaulIntake) intake = haul_intake_new(
      search->context->spool, NULL, search->context->cancel, take_octets, skip_octets, &reading);
  HaulFolder folder = { 0 };
  g_autoptr(GError) why = NULL;
  if ((haul_store_select(store1, place->work->plan.folder1->path, HAUL_READ, &folder, &why)
       && haul_store_fetch(store1, (const HaulRange *)(void *)ranges->data, ranges->len, intake,
                           &why))
      || haul_error_reach(why) <= HAUL_ERROR_FOLDER)
    return true;
  g_propagate_error(error, g_steal_pointer(&why));
  return false;
}

/* ---- links ---- */

static bool
find_copies(const Search *search, HaulOpenStore *store1, GError **error)
{
  HaulMovesInput input = {
    .gone = (const HaulMover *)(void *)search->gone->data,
    .n_gone = search->gone->len,
    .come = (const HaulMover *)(void *)search->come->data,
    .n_come = search->come->len,
    /* Any other chain may be one of ids alone. */
    .doubts_keys = strcmp(search->context->policy->match, "auto") != 0,
  };
  g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_array_set_size(search->copies, search->come->len);
  uint32_t *copies = (uint32_t *)(void *)search->copies->data;
  haul_plan_moves(&input, copies, wanted);
  for (guint i = 0; wanted->len > 0 && i < search->places->len; i++)
    if (!read_place(search, &g_array_index(search->places, Place, i), store1, wanted, error))
      return false;
  if (wanted->len > 0)
    haul_plan_moves(&input, copies, NULL);
  return true;
}

static void
add_copied(HaulAction *run, const HaulEntry *item)
{
  run->copy.last = item->id;
  run->copy.n++;
  run->copy.octets = item->size == HAUL_UNKNOWN || run->copy.octets == HAUL_UNKNOWN
                         ? HAUL_UNKNOWN
                         : run->copy.octets + item->size;
}

/* Appends a link, and notes what flags the message has where it came to. */
static void
add_link(const Search *search, const Place *place, const HaulEntry *item, uint32_t departure,
         GArray *links)
{
  HaulDeparture *departed = &g_array_index(search->pass->departures, HaulDeparture, departure);
  departed->flags1 = item->flags;
  departed->keywords1 = item->keywords;
  HaulAction link = { .deed = HAUL_DO_LINK,
                      .folder = place->number,
                      .link = { .id1 = item->id, .departure = departure } };
  haul_planning_keep_id(place->work, &link.link.id1);
  g_array_append_val(links, link);
}

/* Appends the actions of @place with links in place of copies. */
static void
link_place(const Search *search, const Place *place, GArray *actions)
{
  g_autoptr(GArray) links = g_array_new(FALSE, TRUE, sizeof(HaulAction));
  guint at = 0;
  for (guint i = 0; i < place->work->n_actions; i++) {
    HaulAction action = *action_of(search->pass, place->work, i);
    if (!haul_action_fetches(&action)) {
      g_array_append_val(links, action);
      continue;
    }
    HaulAction run = { .deed = HAUL_DO_COPY, .folder = place->number };
    for (uint64_t k = 0; k < action.copy.n; k++, at++) {
      const HaulEntry *item = &g_array_index(place->listing->items, HaulEntry, at);
      uint32_t copy = g_array_index(search->copies, uint32_t, place->first_come + at);
      if (copy == HAUL_NOT_MOVED) {
        run.copy.first = run.copy.n == 0 ? item->id : run.copy.first;
        add_copied(&run, item);
      }
      if ((copy != HAUL_NOT_MOVED || k + 1 == action.copy.n) && run.copy.n > 0) {
        haul_planning_keep_id(place->work, &run.copy.first);
        haul_planning_keep_id(place->work, &run.copy.last);
        g_array_append_val(actions, run);
        run = (HaulAction){ .deed = HAUL_DO_COPY, .folder = place->number };
      }
      if (copy != HAUL_NOT_MOVED)
        add_link(search, place, item, copy, links);
    }
  }
  g_array_append_vals(actions, links->data, links->len);
}

static bool
has_moves(const Search *search, const Place *place)
{
  for (guint i = 0; place->listing != NULL && i < place->listing->items->len; i++)
    if (g_array_index(search->copies, uint32_t, place->first_come + i) != HAUL_NOT_MOVED)
      return true;
  return false;
}

/* Counts a folder that was to be streamed as one that was listed. */
static void
be_listed(const Place *place)
{
  HaulFolderWork *work = place->work;
  if (work->plan.look != HAUL_LOOK_STREAM)
    return;
  work->plan.look = HAUL_LOOK_LIST;
  work->tally->source = place->listing->items->len + work->tally->leaving.n_gone;
}

static void
make_links(const Search *search)
{
  HaulPass *pass = search->pass;
  GArray *actions = g_array_new(FALSE, TRUE, sizeof(HaulAction));
  guint next = 0;
  for (guint i = 0; i < pass->folders->len; i++) {
    HaulFolderWork *work = &g_array_index(pass->folders, HaulFolderWork, i);
    const Place *place =
        next < search->places->len ? &g_array_index(search->places, Place, next) : NULL;
    bool is_place = place != NULL && place->number == i;
    next += is_place;
    guint first = actions->len;
    if (is_place && has_moves(search, place)) {
      link_place(search, place, actions);
      be_listed(place);
    } else if (work->n_actions > 0) {
      g_array_append_vals(actions, action_of(pass, work, 0), work->n_actions);
    }
    work->first_action = first;
    work->n_actions = actions->len - first;
  }
  g_array_unref(pass->actions);
  pass->actions = actions;
}

/* ---- folders that the source has no more ---- */

static const HaulPlanFolder *
find_path(const GArray *folders, const char *path)
{
  for (guint i = 0; i < folders->len; i++) {
    const HaulPlanFolder *folder = &g_array_index(folders, HaulPlanFolder, i);
    if (strcmp(folder->path, path) == 0)
      return folder;
  }
  return NULL;
}

/* Finds the folders of the state that are gone at the source, and whose copies are where they were. */
static void
find_vanished(const HaulContext *context, HaulPass *pass, const GArray *journal,
              const GArray *folders2)
{
  g_autoptr(GHashTable) paths1 = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; context->all1 != NULL && i < context->all1->len; i++)
    g_hash_table_add(paths1, (char *)g_array_index(context->all1, HaulPlanFolder, i).path);
  for (guint i = 0; context->all1 != NULL && i < journal->len; i++) {
    const HaulJournalFolder *known = &g_array_index(journal, HaulJournalFolder, i);
    if (known->n_pairs == 0 || g_hash_table_contains(paths1, known->path1))
      continue;
    const HaulPlanFolder *folder2 = find_path(folders2, known->path2);
    if (folder2 == NULL || folder2->epoch == 0 || folder2->epoch != known->epoch2)
      continue;
    HaulFolderWork work = { .plan = { .folder2 = folder2, .path2 = folder2->path },
                            .number = known->number,
                            .epoch2 = known->epoch2 };
    g_array_append_val(pass->vanished, work);
  }
}

/* Adds what lay in such folders to what departed. Nobody asks what flags the copies have by now: what is to be
 * added to them or taken away is the same whatever they have. */
static bool
add_vanished(const HaulContext *context, HaulPass *pass, GError **error)
{
  for (guint i = 0; i < pass->vanished->len && pass->departures->len < HAUL_MAX_DEPARTURES; i++) {
    g_autoptr(GArray) copies = g_array_new(FALSE, TRUE, sizeof(HaulCopy));
    HaulFolderWork *from = &g_array_index(pass->vanished, HaulFolderWork, i);
    bool loaded = haul_journal_load_copies(
        context->journal, from->number, HAUL_MAX_DEPARTURES - pass->departures->len, copies, error);
    for (guint k = 0; k < copies->len; k++) {
      HaulCopy copy = g_array_index(copies, HaulCopy, k);
      HaulDeparture departure = {
        .from = from, .copy = copy, .flags2 = copy.cargo.flags, .keywords2 = copy.cargo.keywords
      };
      g_array_append_val(pass->departures, departure);
    }
    if (!loaded)
      return false;
  }
  return true;
}

static bool
has_copies(const HaulPass *pass)
{
  for (guint i = 0; i < pass->actions->len; i++)
    if (haul_action_fetches(&g_array_index(pass->actions, HaulAction, i)))
      return true;
  return false;
}

bool
haul_find_moves(const HaulContext *context, HaulPass *pass, HaulOpenStore *store1,
                const GArray *journal, const GArray *folders2, GError **error)
{
  /* Where folders are labels, objects tell it, and have done so already. */
  if (pass->objects != NULL || !pass->links || !has_copies(pass))
    return true;
  find_vanished(context, pass, journal, folders2);
  if (!add_vanished(context, pass, error))
    return false;
  if (pass->departures->len == 0)
    return true;
  g_auto(Search) search = search_new(context, pass);
  if (!list_places(&search, store1, error) || !find_copies(&search, store1, error))
    return false;
  make_links(&search);
  return true;
}

bool
haul_forget_departed(const HaulContext *context, const HaulPass *pass, GError **error)
{
  if (pass->departures->len == 0)
    return true;
  if (!haul_journal_begin(context->journal, error))
    return false;
  bool going = true;
  for (guint i = 0; going && i < pass->departures->len; i++) {
    const HaulDeparture *departure = &g_array_index(pass->departures, HaulDeparture, i);
    /* Whose copies a folder holds is asked when it is to go; see prune.h. */
    if (is_vanished(pass, departure->from)
        && (!departure->is_copied || context->policy->delete2_folders))
      continue;
    going = haul_journal_forget_pair(context->journal, departure->from->number,
                                     departure->copy.cargo.id1, error);
  }
  return haul_journal_commit_after(context->journal, going, error);
}
