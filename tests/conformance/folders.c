/* Folders: made, named, listed, subscribed to, refused. */
#include <stdio.h>
#include <string.h>

#include "subject.h"

static void
the_store_says_who_it_is(void)
{
  g_auto(Opened) one = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *first = haul_store_identity(one.store); /* which may make what it needs */
  g_auto(Opened) two = open_subject(HAUL_READ);
  g_autofree char *second = haul_store_identity(two.store);
  if (first == NULL && subject.plugin->store->identity == NULL)
    return;
  CU_ASSERT(first != NULL && first[0] != '\0');
  CU_ASSERT(g_strcmp0(first, second) == 0);
}

static void
every_folder_is_told_once(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autoptr(GHashTable) all = told_folders(&opened);
  GHashTableIter iterator;
  gpointer key, value;
  g_hash_table_iter_init(&iterator, all);
  while (g_hash_table_iter_next(&iterator, &key, &value)) {
    const ToldFolder *told = value;
    CU_ASSERT(told->times == 1);
    CU_ASSERT(g_utf8_validate(told->path, -1, NULL));
  }
  CU_ASSERT(g_hash_table_contains(all, "INBOX"));
}

static void
a_new_folder_is_empty(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "empty");
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_autoptr(GPtrArray) items = NULL;
  MUST((items = list_all(&opened, HAUL_WANT_SIZE, NULL, error)) != NULL);
  CU_ASSERT(items != NULL && items->len == 0);
  const HaulRange all = { NULL, NULL };
  g_auto(Fetched) fetched = { 0 };
  MUST(fetch_ranges(&opened, &all, 1, &fetched, error));
  CU_ASSERT(fetched.messages->len == 0 && fetched.skipped->len == 0);
}

/* Names, a level each; plain ones every store can hold. */
static const struct {
  const char *level;
  bool plain;
} levels[] = {
  { "plain", true },
  { "two words", true },
  { "Entw\303\274rfe", true },
  { "\346\227\245\346\234\254\350\252\236", true },
  { "\360\237\223\253 post", true },
  { "a&b", true },
  { "it's", true },
  { "\"quoted\"", true },
  { "brackets (of) [all] {kinds}", true },
  { "M\303\274ll/R\303\244ume/\303\234bung", true },
  { "back\\slash", false },
  { "with.dot", false },
  { ".dotted", false },
  { "100%", false },
  { "%41", false },
  { "a%2Fslash", false },
  { "~tilde", false },
  { "star*", false },
  { "INBOX", false },
  { "trailing ", false },
};

typedef struct {
  unsigned n_results;
  bool failed[G_N_ELEMENTS(levels)];
  char *paths[G_N_ELEMENTS(levels)];
} Made;

static void
keep_made(const char *path, const GError *why, void *data)
{
  Made *made = data;
  made->n_results++;
  for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
    if (strcmp(path, made->paths[i]) == 0) {
      made->failed[i] = why != NULL;
      if (why != NULL && (!subject.lenient || levels[i].plain))
        printf("%s: %s\n", path, why->message);
    }
}

static void
folders_keep_their_names(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  Made made = { 0 };
  HaulFolder wanted[G_N_ELEMENTS(levels)] = { 0 };
  for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
    made.paths[i] = folder_called(levels[i].level);
    wanted[i].path = made.paths[i];
  }
  for (unsigned time = 1; time <= 2; time++) { /* what exists counts as made */
    made.n_results = 0;
    MUST(haul_store_create(opened.store, wanted, G_N_ELEMENTS(levels), keep_made, &made, error));
    CU_ASSERT(made.n_results == G_N_ELEMENTS(levels));
  }
  g_autoptr(GHashTable) all = told_folders(&opened);
  for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
    bool excused = subject.lenient && !levels[i].plain;
    if (made.failed[i]) {
      CU_ASSERT(excused);
    } else {
      bool told = g_hash_table_contains(all, made.paths[i]);
      HaulFolder folder = { 0 };
      bool selected = haul_store_select(opened.store, made.paths[i], HAUL_READ, &folder, NULL);
      CU_ASSERT(told && selected);
      if (!told || !selected)
        printf("%s: told %d, selected %d\n", made.paths[i], told, selected);
    }
    g_free(made.paths[i]);
  }
}

static void
what_is_between_made_folders_is_told_too(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "one/two/three");
  g_autofree char *parent = folder_called("one/two");
  g_autoptr(GHashTable) all = told_folders(&opened);
  CU_ASSERT(g_hash_table_contains(all, path));
  /* A server may keep to itself what only holds folders. */
  CU_ASSERT(subject.lenient || g_hash_table_contains(all, parent));
  CU_ASSERT(subject.lenient || g_hash_table_contains(all, subject.base));
  MUST(create_one(&opened, parent, error));
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, parent, HAUL_READ, &folder, error));
}

static void
count_results(const char *path, const GError *why, void *data)
{
  if (why == NULL)
    ++*(unsigned *)data;
}

static void
subscriptions_are_kept_and_add_up(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *first = create_fresh(&opened, "subscribed/\303\244 & so on");
  g_autofree char *second = create_fresh(&opened, "subscribed too");
  g_autofree char *other = create_fresh(&opened, "not subscribed");
  for (unsigned time = 0; time < 2; time++) {
    const HaulFolder folder = { .path = time == 0 ? first : second };
    unsigned n_done = 0;
    MUST(haul_store_subscribe(opened.store, &folder, 1, count_results, &n_done, error));
    CU_ASSERT(n_done == 1);
  }
  if (subject.plugin->store->subscribe == NULL)
    return;
  g_auto(Opened) again = open_subject(HAUL_READ);
  g_autoptr(GHashTable) all = told_folders(&again);
  const char *const paths[] = { first, second, other };
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    const ToldFolder *told = g_hash_table_lookup(all, paths[i]);
    bool subscribed = told != NULL && (told->attributes & HAUL_FOLDER_SUBSCRIBED) != 0;
    CU_ASSERT(subscribed == (i < 2));
  }
}

static void
an_absent_folder_is_an_error_of_that_folder(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *absent = folder_called("absent");
  static const HaulIntent intents[] = { HAUL_READ, HAUL_READ | HAUL_WRITE };
  for (size_t i = 0; i < G_N_ELEMENTS(intents); i++) {
    g_autoptr(GError) why = NULL;
    HaulFolder folder = { 0 };
    bool ok = haul_store_select(opened.store, absent, intents[i], &folder, &why);
    /* A store that does not wait when it writes finds out by the first answer after it. */
    if (ok && (intents[i] & HAUL_WRITE) != 0) {
      Receipt receipt = { 0 };
      HaulItem item = { .date = HAUL_NO_DATE };
      put_one(&opened, &item, "a: b\r\n\r\nc\r\n", 11, &receipt, NULL);
      haul_store_flush(opened.store, &why);
      CU_ASSERT(receipt.settled == 1 && receipt.refused);
      receipt_clear(&receipt);
      continue;
    }
    CU_ASSERT(!ok);
    CU_ASSERT(why != NULL && haul_error_reach(why) == HAUL_ERROR_FOLDER);
  }
  /* And goes no farther. */
  g_autofree char *path = create_fresh(&opened, "present");
  HaulFolder folder = { 0 };
  MUST(haul_store_select(opened.store, path, HAUL_READ, &folder, error));
  g_autoptr(GHashTable) all = told_folders(&opened);
  CU_ASSERT(!g_hash_table_contains(all, absent));
}

static bool
stop_at_once(const HaulFolder *folder, void *data)
{
  ++*(unsigned *)data;
  return false;
}

static void
telling_ends_when_asked_to(void)
{
  g_auto(Opened) opened = open_subject(HAUL_READ | HAUL_WRITE);
  g_autofree char *path = create_fresh(&opened, "second");
  unsigned n_told = 0;
  g_autoptr(GError) why = NULL;
  CU_ASSERT(!haul_store_folders(opened.store, stop_at_once, &n_told, &why));
  CU_ASSERT(why == NULL);
  CU_ASSERT(n_told == 1);
  g_autoptr(GHashTable) all = told_folders(&opened);
  CU_ASSERT(g_hash_table_contains(all, path));
}

const Case folder_cases[] = {
  CASE(the_store_says_who_it_is),
  CASE(every_folder_is_told_once),
  CASE(a_new_folder_is_empty),
  CASE(folders_keep_their_names),
  CASE(what_is_between_made_folders_is_told_too),
  CASE(subscriptions_are_kept_and_add_up),
  CASE(an_absent_folder_is_an_error_of_that_folder),
  CASE(telling_ends_when_asked_to),
};
const size_t n_folder_cases = G_N_ELEMENTS(folder_cases);
