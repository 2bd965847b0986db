/* Pairing by key. */
#include "plan-match.h"

#include <string.h>

#include <mailhaul/message.h>

/* Where sizes differ in every pair, the server alters what it stores: a sample tells as much as all. */
#define SAMPLE_OF_ALTERED 64u
/* Where messages of equal key and size are alone on both sides, so many of them are read (none of the large
 * ones); if one is another message after all, they all are. The order of keys makes them a random sample. */
#define SAMPLE_OF_LONE 10u
#define SAMPLED_OCTETS (256u << 10)

static const HaulKey nothing;

/* One side of a matching. */
typedef struct {
  const HaulEntry *items;
  const HaulKey *keys, *contents; /* contents: NULL if none is known */
  uint8_t *fates;
  uint32_t *order; /* owned; indices of what may match, by key, size, place */
  size_t n;
} Side;

/* Those of one side that share a key. */
typedef struct {
  const Side *side;
  const uint32_t *indices;
  size_t n;
} Group;

typedef struct {
  Side side1, side2;
  GArray *adopted;
  bool same_content_seen; /* the servers do not alter bodies, then */
  uint64_t n_conflicts;
} Matching;

static int
compare_keys(const void *a, const void *b, void *data)
{
  const Side *side = data;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  int order = memcmp(&side->keys[x], &side->keys[y], sizeof side->keys[x]);
  if (order == 0)
    order =
        (side->items[x].size > side->items[y].size) - (side->items[x].size < side->items[y].size);
  return order != 0 ? order : (x > y) - (x < y);
}

static bool
may_match(const HaulKey *keys, const uint8_t *fates, size_t i)
{
  return (fates[i] == HAUL_FATE_FREE || fates[i] == HAUL_FATE_NAMELESS)
         && memcmp(&keys[i], &nothing, sizeof nothing) != 0;
}

static void
side_init(Side *side, const HaulEntry *items, const HaulKey *keys, const HaulKey *contents,
          size_t n, const uint8_t *fates)
{
  *side = (Side){ items, keys, contents, (uint8_t *)fates, NULL, 0 };
  size_t most = 0;
  for (size_t i = 0; keys != NULL && i < n; i++)
    most += may_match(keys, fates, i);
  side->order = g_new(uint32_t, MAX(most, 1));
  for (uint32_t i = 0; keys != NULL && i < n; i++)
    if (may_match(keys, fates, i))
      side->order[side->n++] = i;
  g_qsort_with_data(side->order, (int)side->n, sizeof *side->order, compare_keys, side);
}

static void
matching_init(Matching *matching, const HaulMessagesInput *input, const uint8_t *fates1,
              const uint8_t *fates2)
{
  *matching = (Matching){ .adopted = NULL };
  side_init(&matching->side1, input->items1, input->keys1, input->contents1, input->n1, fates1);
  side_init(&matching->side2, input->items2, input->keys2, input->contents2, input->n2, fates2);
}

static void
matching_clear(Matching *matching)
{
  g_free(matching->side1.order);
  g_free(matching->side2.order);
}

static const HaulKey *
content_of(const Side *side, uint32_t index)
{
  return side->contents == NULL || memcmp(&side->contents[index], &nothing, sizeof nothing) == 0
             ? NULL
             : &side->contents[index];
}

static Group
group_at(const Side *side, size_t start)
{
  const HaulKey *key = &side->keys[side->order[start]];
  size_t end = start + 1;
  while (end < side->n && memcmp(&side->keys[side->order[end]], key, sizeof *key) == 0)
    end++;
  return (Group){ side, &side->order[start], end - start };
}

typedef void (*GroupFunc)(Matching *matching, const Group *group1, const Group *group2, void *data);

/* Calls @each with the groups of every key that both sides have. */
static void
each_group(Matching *matching, GroupFunc each, void *data)
{
  const Side *side1 = &matching->side1, *side2 = &matching->side2;
  for (size_t i = 0, j = 0; i < side1->n && j < side2->n;) {
    Group group1 = group_at(side1, i), group2 = group_at(side2, j);
    int order =
        memcmp(&side1->keys[side1->order[i]], &side2->keys[side2->order[j]], sizeof *side1->keys);
    if (order == 0)
      each(matching, &group1, &group2, data);
    i += order <= 0 ? group1.n : 0;
    j += order >= 0 ? group2.n : 0;
  }
}

static void
adopt(Matching *matching, uint32_t index1, uint32_t index2)
{
  matching->side1.fates[index1] = HAUL_FATE_PAIRED;
  matching->side2.fates[index2] = HAUL_FATE_PAIRED;
  HaulAdoption adoption = { index1, index2 };
  g_array_append_val(matching->adopted, adoption);
}

/* ---- by content ---- */

typedef bool (*ContentFunc)(const HaulKey *content, HaulKey *seen);

static bool
see_all(const HaulKey *content, HaulKey *seen)
{
  *seen = *content;
  return true;
}

/* Pairs those of @fate whose contents are known and equal, as @see1 and @see2 see them, the n-th with the n-th. */
static void
pair_contents(Matching *matching, const Group *group1, const Group *group2, HaulFate fate,
              ContentFunc see1, ContentFunc see2)
{
  HaulKey seen;
  g_autoptr(GHashTable) copies =
      g_hash_table_new_full(haul_key_hash, haul_key_equal, g_free, (GDestroyNotify)g_queue_free);
  for (size_t j = 0; j < group2->n; j++) {
    uint32_t index = group2->indices[j];
    const HaulKey *content = content_of(group2->side, index);
    if (content == NULL || group2->side->fates[index] != HAUL_FATE_FREE || !see2(content, &seen))
      continue;
    GQueue *same = g_hash_table_lookup(copies, &seen);
    if (same == NULL)
      g_hash_table_insert(copies, g_memdup2(&seen, sizeof seen), same = g_queue_new());
    g_queue_push_tail(same, GUINT_TO_POINTER(index));
  }
  for (size_t i = 0; i < group1->n; i++) {
    uint32_t index = group1->indices[i];
    const HaulKey *content = content_of(group1->side, index);
    if (content == NULL || group1->side->fates[index] != fate || !see1(content, &seen))
      continue;
    GQueue *same = g_hash_table_lookup(copies, &seen);
    if (same == NULL || g_queue_is_empty(same))
      continue;
    adopt(matching, index, GPOINTER_TO_UINT(g_queue_pop_head(same)));
    matching->same_content_seen = true;
  }
}

static void
match_contents(Matching *matching, const Group *group1, const Group *group2, void *data)
{
  if (group1->side->contents == NULL || group2->side->contents == NULL)
    return;
  pair_contents(matching, group1, group2, HAUL_FATE_NAMELESS, see_all, see_all);
  pair_contents(matching, group1, group2, HAUL_FATE_FREE, see_all, see_all);
}

/* ---- by size ---- */

/*
 * Whether two messages with equal keys are evidently different all the same. Servers that add or
 * rewrite header fields move the size by some hundred octets; one that alters bodies is known by no
 * content being equal at all.
 */
static bool
evidently_differ(const Matching *matching, uint32_t index1, uint32_t index2)
{
  uint64_t size1 = matching->side1.items[index1].size, size2 = matching->side2.items[index2].size;
  const HaulKey *content1 = content_of(&matching->side1, index1);
  const HaulKey *content2 = content_of(&matching->side2, index2);
  bool contents_differ =
      content1 != NULL && content2 != NULL && !haul_key_equal(content1, content2);
  bool sizes_known = size1 != HAUL_UNKNOWN && size2 != HAUL_UNKNOWN;
  if (contents_differ && (matching->same_content_seen || size1 == size2 || !sizes_known))
    return true;
  if (!sizes_known)
    return false;
  uint64_t smaller = MIN(size1, size2), difference = MAX(size1, size2) - smaller;
  return difference > 2048 + smaller / 8;
}

/* Pairs those of @fate in the order of sizes: only equal ones, or those that do not evidently differ. */
static void
pair_sizes(Matching *matching, const Group *group1, const Group *group2, HaulFate fate,
           bool only_equal)
{
  const uint32_t *list1 = group1->indices, *list2 = group2->indices;
  for (size_t i = 0, j = 0; i < group1->n && j < group2->n;) {
    if (group1->side->fates[list1[i]] != fate) {
      i++;
      continue;
    }
    if (group2->side->fates[list2[j]] != HAUL_FATE_FREE) {
      j++;
      continue;
    }
    uint64_t size1 = group1->side->items[list1[i]].size, size2 = group2->side->items[list2[j]].size;
    if ((size1 == size2 || !only_equal) && !evidently_differ(matching, list1[i], list2[j]))
      adopt(matching, list1[i++], list2[j++]);
    else if (size1 == size2) {
      i++;
      j++;
    } else if (size1 < size2)
      i++; /* smaller than all that follow on the other side */
    else
      j++;
  }
}

static size_t
count_free(const Group *group)
{
  size_t n = 0;
  for (size_t i = 0; i < group->n; i++)
    n += group->side->fates[group->indices[i]] == HAUL_FATE_FREE;
  return n;
}

/* What was delivered already is served before new messages, which must not take its copy for theirs. */
static void
match_sizes(Matching *matching, const Group *group1, const Group *group2, void *data)
{
  static const HaulFate order[] = { HAUL_FATE_NAMELESS, HAUL_FATE_FREE };
  for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
    pair_sizes(matching, group1, group2, order[i], true);
    pair_sizes(matching, group1, group2, order[i], false);
  }
  matching->n_conflicts += MIN(count_free(group1), count_free(group2));
}

static int
compare_adoptions(const void *a, const void *b)
{
  uint32_t x = ((const HaulAdoption *)a)->index1, y = ((const HaulAdoption *)b)->index1;
  return (x > y) - (x < y);
}

uint64_t
haul_match_by_key(const HaulMessagesInput *input, uint8_t *fates1, uint8_t *fates2, GArray *adopted)
{
  Matching matching;
  matching_init(&matching, input, fates1, fates2);
  matching.adopted = adopted;
  each_group(&matching, match_contents, NULL);
  each_group(&matching, match_sizes, NULL);
  matching_clear(&matching);
  /* In the order in which the state keeps them: else each pair is noted in another of its pages. */
  g_array_sort(adopted, compare_adoptions);
  return matching.n_conflicts;
}

/* ---- what has to be known first ---- */

typedef struct {
  GArray *wanted1, *wanted2;
  guint n_altered;   /* single pairs of unequal size so far ... */
  guint n_lone;      /* ... and of equal size that were sampled */
  bool samples_lone; /* whether a part of these tells, or all have to be known */
} Wanted;

static void
want_group(const Group *group, GArray *wanted)
{
  for (size_t i = 0; i < group->n; i++)
    if (content_of(group->side, group->indices[i]) == NULL)
      g_array_append_val(wanted, group->indices[i]);
}

/* Whether there is one of either side, both of the same known size. */
static bool
are_lone(const Group *group1, const Group *group2)
{
  uint64_t size1 = group1->side->items[group1->indices[0]].size;
  uint64_t size2 = group2->side->items[group2->indices[0]].size;
  return group1->n == 1 && group2->n == 1 && size1 != HAUL_UNKNOWN && size1 == size2;
}

/* Whether it is one that we delivered ourselves. */
static bool
is_nameless(const Group *group1)
{
  return group1->side->fates[group1->indices[0]] == HAUL_FATE_NAMELESS;
}

/* Whether what is known of lone ones shows that one is another message. */
static void
compare_lone(Matching *matching, const Group *group1, const Group *group2, void *data)
{
  Wanted *wanted = data;
  const HaulKey *content1 = content_of(group1->side, group1->indices[0]);
  const HaulKey *content2 = content_of(group2->side, group2->indices[0]);
  if (are_lone(group1, group2) && content1 != NULL && content2 != NULL
      && !haul_key_equal(content1, content2))
    wanted->samples_lone = false;
}

/* Whether sizes leave no doubt, or as much as elsewhere in the sample. */
static bool
is_clear(Wanted *wanted, const Group *group1, const Group *group2)
{
  uint64_t size1 = group1->side->items[group1->indices[0]].size;
  uint64_t size2 = group2->side->items[group2->indices[0]].size;
  if (group1->n != 1 || group2->n != 1 || size1 == HAUL_UNKNOWN || size2 == HAUL_UNKNOWN)
    return false;
  if (size1 != size2)
    return wanted->n_altered++ >= SAMPLE_OF_ALTERED;
  return wanted->samples_lone
         && (size1 > SAMPLED_OCTETS || is_nameless(group1) || wanted->n_lone++ >= SAMPLE_OF_LONE);
}

static void
want_ambiguous(Matching *matching, const Group *group1, const Group *group2, void *data)
{
  Wanted *wanted = data;
  if (is_clear(wanted, group1, group2))
    return;
  want_group(group1, wanted->wanted1);
  want_group(group2, wanted->wanted2);
}

void
haul_match_ambiguous(const HaulMessagesInput *input, const uint8_t *fates1, const uint8_t *fates2,
                     GArray *wanted1, GArray *wanted2)
{
  Matching matching;
  Wanted wanted = { wanted1, wanted2, 0, 0, true };
  matching_init(&matching, input, fates1, fates2);
  each_group(&matching, compare_lone, &wanted);
  if (input->shows_part) /* what was read is not shown again */
    wanted.n_lone = SAMPLE_OF_LONE;
  each_group(&matching, want_ambiguous, &wanted);
  matching_clear(&matching);
}

/* ---- what keys do not find ---- */

static void
likeness_init(Matching *matching, const HaulMessagesInput *input, const uint8_t *fates1,
              const uint8_t *fates2)
{
  *matching = (Matching){ .adopted = NULL };
  side_init(&matching->side1, input->items1, input->likes1, input->traits1, input->n1, fates1);
  side_init(&matching->side2, input->items2, input->likes2, input->traits2, input->n2, fates2);
}

/* Traits without where the message came from; false if it says nothing of that. */
static bool
see_text_of_traced(const HaulKey *traits, HaulKey *seen)
{
  *seen = *traits;
  memset(seen->octets + HAUL_TRAITS_TEXT, 0, sizeof seen->octets - HAUL_TRAITS_TEXT);
  return !haul_key_equal(seen, traits);
}

static bool
see_text_of_untraced(const HaulKey *traits, HaulKey *seen)
{
  return !see_text_of_traced(traits, seen);
}

/* Of one message, a side may have lost whence it came: that is no difference. */
static void
match_traits(Matching *matching, const Group *group1, const Group *group2, void *data)
{
  static const HaulFate order[] = { HAUL_FATE_NAMELESS, HAUL_FATE_FREE };
  for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
    pair_contents(matching, group1, group2, order[i], see_all, see_all);
    pair_contents(matching, group1, group2, order[i], see_text_of_traced, see_text_of_untraced);
    pair_contents(matching, group1, group2, order[i], see_text_of_untraced, see_text_of_traced);
  }
}

void
haul_match_by_likeness(const HaulMessagesInput *input, uint8_t *fates1, uint8_t *fates2,
                       GArray *adopted)
{
  if (input->traits1 == NULL || input->traits2 == NULL)
    return;
  Matching matching;
  likeness_init(&matching, input, fates1, fates2);
  matching.adopted = adopted;
  each_group(&matching, match_traits, NULL);
  matching_clear(&matching);
}

static void
want_traits(Matching *matching, const Group *group1, const Group *group2, void *data)
{
  Wanted *wanted = data;
  want_group(group1, wanted->wanted1);
  want_group(group2, wanted->wanted2);
}

static int
compare_indices(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

void
haul_match_alike(const HaulMessagesInput *input, const uint8_t *fates1, const uint8_t *fates2,
                 GArray *wanted1, GArray *wanted2)
{
  Matching matching;
  Wanted wanted = { wanted1, wanted2, 0, 0, false };
  likeness_init(&matching, input, fates1, fates2);
  each_group(&matching, want_traits, &wanted);
  matching_clear(&matching);
  g_array_sort(wanted1, compare_indices); /* neighbours are asked for in one range */
  g_array_sort(wanted2, compare_indices);
}
