/* Messages that left one folder and came to another: pure, no I/O. */
#include "plan-moves.h"

#include <string.h>

#include <mailhaul/message.h>

#define NONE UINT32_MAX

static guint
hash_mover(gconstpointer mover)
{
  return haul_key_hash(&((const HaulMover *)mover)->key);
}

static gboolean
look_alike(gconstpointer a, gconstpointer b)
{
  const HaulMover *x = a, *y = b;
  return x->size == y->size && haul_key_equal(&x->key, &y->key);
}

static gboolean
are_the_same(gconstpointer a, gconstpointer b)
{
  const HaulMover *x = a, *y = b;
  return look_alike(a, b) && memcmp(x->sha256, y->sha256, sizeof x->sha256) == 0;
}

static bool
has_key(const HaulMover *mover)
{
  static const HaulKey none;
  return mover->size != HAUL_UNKNOWN && !haul_key_equal(&mover->key, &none);
}

static bool
has_octets(const HaulMover *mover)
{
  static const uint8_t unknown[HAUL_SHA256_SIZE];
  return memcmp(mover->sha256, unknown, sizeof unknown) != 0;
}

/* Those of either side that are alike, the copies as a queue. */
typedef struct {
  uint32_t first, last; /* of input->gone, linked by `next`; NONE: it is empty */
  uint32_t n_gone, n_come;
  bool knows_octets; /* of one of the copies */
} Group;

typedef struct {
  GHashTable *alike, *same; /* owned; HaulMover -> owned Group: by key and size; by octets, too */
  uint32_t *next;           /* owned; of the queues in `same` */
} Groups;

static void
groups_clear(Groups *groups)
{
  g_hash_table_unref(groups->alike);
  g_hash_table_unref(groups->same);
  g_free(groups->next);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Groups, groups_clear)

static Group *
group_of(GHashTable *table, const HaulMover *mover)
{
  Group *group = g_hash_table_lookup(table, mover);
  if (group == NULL) {
    group = g_new(Group, 1);
    *group = (Group){ NONE, NONE, 0, 0, false };
    g_hash_table_insert(table, (gpointer)mover, group);
  }
  return group;
}

static void
add_gone(Groups *groups, const HaulMovesInput *input, uint32_t i)
{
  Group *alike = group_of(groups->alike, &input->gone[i]);
  alike->n_gone++;
  alike->first = alike->first == NONE ? i : alike->first;
  if (!has_octets(&input->gone[i]))
    return;
  alike->knows_octets = true;
  Group *same = group_of(groups->same, &input->gone[i]);
  if (same->last == NONE)
    same->first = i;
  else
    groups->next[same->last] = i;
  same->last = i;
  same->n_gone++;
}

static void
groups_init(Groups *groups, const HaulMovesInput *input)
{
  groups->alike = g_hash_table_new_full(hash_mover, look_alike, NULL, g_free);
  groups->same = g_hash_table_new_full(hash_mover, are_the_same, NULL, g_free);
  groups->next = g_new(uint32_t, MAX(input->n_gone, 1));
  for (uint32_t i = 0; i < input->n_gone; i++) {
    groups->next[i] = NONE;
    if (has_key(&input->gone[i]))
      add_gone(groups, input, i);
  }
  for (size_t i = 0; i < input->n_come; i++) {
    Group *alike =
        has_key(&input->come[i]) ? g_hash_table_lookup(groups->alike, &input->come[i]) : NULL;
    if (alike != NULL)
      alike->n_come++;
  }
}

/* Takes the first copy of a queue, unless it is of the very folder: two messages there are two messages. */
static uint32_t
take_first(const HaulMovesInput *input, Group *group, const uint32_t *next, uint32_t folder)
{
  if (group == NULL || group->first == NONE || input->gone[group->first].folder == folder)
    return HAUL_NOT_MOVED;
  uint32_t first = group->first;
  group->first = next[first];
  return first;
}

void
haul_plan_moves(const HaulMovesInput *input, uint32_t *copies, GArray *wanted)
{
  g_auto(Groups) groups;
  groups_init(&groups, input);
  for (uint32_t i = 0; i < input->n_come; i++) {
    const HaulMover *come = &input->come[i];
    Group *alike = has_key(come) ? g_hash_table_lookup(groups.alike, come) : NULL;
    copies[i] = HAUL_NOT_MOVED;
    if (alike == NULL)
      continue;
    bool is_sure = alike->n_gone == 1 && alike->n_come == 1 && !input->doubts_keys;
    if (is_sure && !(has_octets(come) && has_octets(&input->gone[alike->first])))
      copies[i] = take_first(input, alike, groups.next, come->folder);
    else if (has_octets(come))
      copies[i] =
          take_first(input, g_hash_table_lookup(groups.same, come), groups.next, come->folder);
    else if (wanted != NULL && alike->knows_octets)
      g_array_append_val(wanted, i);
  }
}
