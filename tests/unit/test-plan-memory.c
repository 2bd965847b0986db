/*
 * Tests what the planner and its input cost for each message: at most 48 octets on each side (issue 6).
 *
 * Counted is what is allocated, by a malloc() of our own in front of the C library's; where a sanitizer has
 * one of its own already, there is nothing to count.
 */
#include "suite.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>

#include <mailhaul/message.h>

#include "plan.h"
#include "rebuild.h"

/* GLib gives arrays powers of two, of which the part that nobody uses costs no memory where they are large:
 * pairs fill two MiB. */
#define N 87000u
#define LIMIT 48u
/* What does not grow with the number of messages. */
#define SLACK (64u << 10)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)                            \
    || __has_feature(memory_sanitizer)
#define COUNTS 0
#endif
#endif
#ifndef COUNTS
#define COUNTS 1
#endif

static _Atomic int64_t in_use, peak;

#if COUNTS
#define SHARED __attribute__((visibility("default")))
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void __libc_free(void *at);

static void *
count(void *at, int64_t before)
{
  in_use += (int64_t)malloc_usable_size(at) - before;
  if (in_use > peak)
    peak = in_use;
  return at;
}

SHARED void *
malloc(size_t size)
{
  return count(__libc_malloc(size), 0);
}

SHARED void *
calloc(size_t n, size_t size)
{
  return count(__libc_calloc(n, size), 0);
}

SHARED void *
realloc(void *at, size_t size)
{
  int64_t before = (int64_t)malloc_usable_size(at);
  return count(__libc_realloc(at, size), before);
}

SHARED void
free(void *at)
{
  in_use -= (int64_t)malloc_usable_size(at);
  __libc_free(at);
}
#endif

/* Both sides, as the engine has them when it plans. */
typedef struct {
  HaulEntry *items1, *items2;
  HaulKey *keys1, *keys2; /* or NULL */
  HaulPair *pairs;        /* or NULL */
  int64_t before;         /* in use before it was made */
} Folder;

static uint64_t
shuffled(uint64_t i)
{
  return i * UINT64_C(0x9e3779b97f4a7c15);
}

static void
folder_init(Folder *folder, bool paired)
{
  *folder = (Folder){ .before = in_use };
  folder->items1 = g_new0(HaulEntry, N);
  folder->items2 = g_new0(HaulEntry, N);
  folder->pairs = paired ? g_new0(HaulPair, N) : NULL;
  folder->keys1 = paired ? NULL : g_new0(HaulKey, N);
  folder->keys2 = paired ? NULL : g_new0(HaulKey, N);
  for (uint32_t i = 0; i < N; i++) {
    folder->items1[i] = (HaulEntry){ .id = i + 1, .size = 400 };
    folder->items2[i] = (HaulEntry){ .id = N + i + 1, .size = 400 };
    if (paired)
      folder->pairs[i] = (HaulPair){ i + 1, N + i + 1, 0, 0 };
    else
      *(uint64_t *)(void *)&folder->keys1[i] = *(uint64_t *)(void *)&folder->keys2[N - 1 - i] =
          shuffled(i + 1);
  }
}

static void
folder_clear(Folder *folder)
{
  g_free(folder->items1);
  g_free(folder->items2);
  g_free(folder->keys1);
  g_free(folder->keys2);
  g_free(folder->pairs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Folder, folder_clear)

static HaulMessagesInput
input_of(const Folder *folder, HaulKeywords *keywords)
{
  return (HaulMessagesInput){
    .items1 = folder->items1,
    .items2 = folder->items2,
    .keys1 = folder->keys1,
    .keys2 = folder->keys2,
    .n1 = N,
    .n2 = N,
    .pairs = folder->pairs,
    .n_pairs = folder->pairs != NULL ? N : 0,
    .keywords = keywords,
  };
}

/* The peak since @before holds its promise. */
#define CHECK_PEAK(before)                                                                         \
  do {                                                                                             \
    int64_t used_ = peak - (before);                                                               \
    printf("%.1f octets ", (double)used_ / (2 * N));                                               \
    CU_ASSERT(!COUNTS || used_ > (int64_t)(2 * N * sizeof(HaulEntry)));                            \
    CU_ASSERT(used_ <= (int64_t)2 * N * LIMIT + SLACK);                                            \
  } while (0)

static void
matching_two_full_folders_takes_little(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  peak = in_use;
  g_auto(Folder) folder;
  folder_init(&folder, false);
  HaulMessagesInput input = input_of(&folder, keywords);
  HaulMessagesPlan plan;
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  haul_plan_ambiguous(&input, wanted1, wanted2);
  CU_ASSERT(wanted1->len < 1000); /* a sample */
  haul_plan_messages(&input, 0, &plan);
  CHECK_PEAK(folder.before);
  CU_ASSERT_EQUAL(plan.adopted->len, N);
  CU_ASSERT_EQUAL(plan.n_there, N);
  haul_messages_plan_clear(&plan);
}

static void
comparing_what_the_state_knows_takes_little(void)
{
  g_autoptr(HaulKeywords) keywords = haul_keywords_new();
  peak = in_use;
  g_auto(Folder) folder;
  folder_init(&folder, true);
  folder.items1[N - 1].id = 3 * N; /* one message is new, another gone */
  HaulMessagesInput input = input_of(&folder, keywords);
  HaulMessagesPlan plan;
  g_autoptr(GArray) wanted1 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) wanted2 = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  CU_ASSERT_TRUE(haul_plan_unpaired(&input, wanted1, wanted2));
  haul_plan_messages(&input, 0, &plan);
  CHECK_PEAK(folder.before);
  CU_ASSERT_EQUAL(plan.n_there, N - 1);
  CU_ASSERT_EQUAL(plan.actions->len, 1);
  haul_messages_plan_clear(&plan);
}

/* Both listings are made of the pairs, and one message more at each side. */
static void
rebuilding_both_listings_takes_little(void)
{
  peak = in_use;
  int64_t before = in_use;
  g_autoptr(GArray) pairs = g_array_sized_new(FALSE, FALSE, sizeof(HaulPair), N);
  g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(HaulId));
  for (uint32_t i = 0; i < N; i++) {
    HaulPair pair = { i + 1, N + i + 1, 0, 0 };
    g_array_append_val(pairs, pair);
  }
  HaulListing *sides[2];
  for (unsigned side = 1; side <= 2; side++) {
    HaulListing *listing = sides[side - 1] = haul_listing_new(HAUL_LIST_CHANGES);
    HaulEntry entry = { .id = 3 * N };
    g_array_append_val(listing->items, entry);
    listing->n_messages = N + 1;
    CU_ASSERT_TRUE(haul_rebuild_listing(listing, pairs, strays, side, true));
  }
  CHECK_PEAK(before);
  haul_listing_free(sides[0]);
  haul_listing_free(sides[1]);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(matching_two_full_folders_takes_little),
    CASE(comparing_what_the_state_knows_takes_little),
    CASE(rebuilding_both_listings_takes_little),
  };
  return RUN_SUITE("plan: memory", cases);
}
