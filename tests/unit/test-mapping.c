/* Tests mapping.c, automap.c and notation.c: tables of folders on both sides, and what must hold of any. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "automap.h"
#include "mapping.h"

/* Folders as "PATH*LETTERS|PATH|...": s, d, t, j and a are special uses, n holds no mail. */
typedef struct {
  GStrv paths;     /* owned */
  GArray *folders; /* owned; of HaulPlanFolder */
} Side;

static void
side_init(Side *side, const char *text)
{
  static const char letters[] = "sdtjan";
  side->paths = g_strsplit(text, "|", -1);
  side->folders = g_array_new(FALSE, TRUE, sizeof(HaulPlanFolder));
  for (guint i = 0; side->paths[i] != NULL; i++) {
    HaulPlanFolder folder = { .path = side->paths[i], .n_messages = 1 };
    char *star = strchr(side->paths[i], '*');
    for (const char *at = star != NULL ? star + 1 : ""; *at != '\0'; at++) {
      size_t use = (size_t)(strchr(letters, *at) - letters);
      folder.attributes |=
          use < HAUL_N_USES ? haul_use_attribute((unsigned)use) : HAUL_FOLDER_NOSELECT;
    }
    if (star != NULL)
      *star = '\0';
    g_array_append_val(side->folders, folder);
  }
}

static void
side_clear(Side *side)
{
  g_strfreev(side->paths);
  g_array_unref(side->folders);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

/* What is said: "OLD=NEW" words, "s/.../.../" words, "<SUB", ">SUB", "-" for no automap, "~OLD>NEW" for what the
 * state has; between bars. */
typedef struct {
  GStrv words;             /* owned */
  GArray *renames, *known; /* owned */
  GPtrArray *rewrites;     /* owned */
  HaulNotation notation;
  HaulMappingInput input;
} Wish;

static void
wish_init(Wish *wish, const char *text, const Side *side1, const Side *side2, const char *notation)
{
  *wish = (Wish){ .words = g_strsplit(text, "|", -1),
                  .renames = g_array_new(FALSE, TRUE, sizeof(HaulRename)),
                  .known = g_array_new(FALSE, TRUE, sizeof(HaulPlanKnown)),
                  .rewrites = g_ptr_array_new_with_free_func((GDestroyNotify)haul_rewrite_free) };
  HaulMappingInput *input = &wish->input;
  input->automaps = true;
  for (guint i = 0; wish->words[i] != NULL; i++) {
    char *word = wish->words[i], *split = strpbrk(word, "=>");
    if (*word == '<' || *word == '>') {
      *(*word == '<' ? &input->subfolder1 : &input->subfolder2) = word + 1;
    } else if (strcmp(word, "-") == 0) {
      input->automaps = false;
    } else if (*word == '~') {
      *split = '\0';
      HaulPlanKnown known = { .path1 = word + 1, .path2 = split + 1 };
      g_array_append_val(wish->known, known);
    } else if (*word == 's' && g_ascii_ispunct(word[1])) {
      g_ptr_array_add(wish->rewrites, haul_rewrite_parse(word, NULL));
    } else if (split != NULL) {
      *split = '\0';
      HaulRename rename = { word, split + 1, "x" };
      g_array_append_val(wish->renames, rename);
    }
  }
  if (notation != NULL && *notation != '\0') {
    size_t size = strlen(notation);
    wish->notation =
        (HaulNotation){ size > 1 ? g_strdup(notation) : g_strdup(""), notation[size - 1] };
  }
  input->folders1 = (const HaulPlanFolder *)(void *)side1->folders->data;
  input->n_folders1 = side1->folders->len;
  input->folders2 = (const HaulPlanFolder *)(void *)side2->folders->data;
  input->n_folders2 = side2->folders->len;
  input->renames = (const HaulRename *)(void *)wish->renames->data;
  input->n_renames = wish->renames->len;
  input->known = (const HaulPlanKnown *)(void *)wish->known->data;
  input->n_known = wish->known->len;
  input->rewrites = (const HaulRewrite *const *)wish->rewrites->pdata;
  input->n_rewrites = wish->rewrites->len;
  input->notation2 = &wish->notation;
}

static void
wish_clear(Wish *wish)
{
  g_strfreev(wish->words);
  g_array_unref(wish->renames);
  g_array_unref(wish->known);
  g_ptr_array_unref(wish->rewrites);
  haul_notation_clear(&wish->notation);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wish, wish_clear)

static char *
targets_of(const GArray *mappings)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < mappings->len; i++)
    g_string_append_printf(text, "%s%s", i > 0 ? "|" : "",
                           g_array_index(mappings, HaulMapping, i).path2);
  return g_string_free(text, FALSE);
}

/* Returns where @folders1 go, between bars. */
static char *
map(const char *folders1, const char *folders2, const char *wishes, const char *notation)
{
  g_auto(Side) side1, side2;
  g_auto(Wish) wish;
  side_init(&side1, folders1);
  side_init(&side2, folders2);
  wish_init(&wish, wishes, &side1, &side2, notation);
  g_autoptr(GError) error = NULL;
  g_autoptr(GArray) mappings = haul_map_folders(&wish.input, &error);
  if (mappings == NULL)
    return g_strdup(error->message);
  CU_ASSERT_EQUAL(mappings->len, wish.input.n_folders1);
  return targets_of(mappings);
}

static const struct {
  const char *folders1, *folders2, *wishes, *notation, *targets;
} table[] = {
  /* its own name */
  { "INBOX|A|A/b|INBOX/c", "INBOX", "", "", "INBOX|A|A/b|INBOX/c" },
  { "Sent", "INBOX", "", "", "Sent" },
  { "Gesendet", "INBOX", "", "", "Gesendet" },
  { "Gesendet*s", "INBOX", "", "", "Gesendet" },

  /* special use on both sides, on one, on none */
  { "Gesendet*s", "Sent*s", "", "", "Sent" },
  { "Gesendet*s", "Sent", "", "", "Sent" },
  { "Gesendet", "Sent*s", "", "", "Sent" },
  { "Gesendet", "Sent", "", "", "Sent" },
  { "Odd*s", "Strange*s", "", "", "Strange" },
  { "Odd*s", "Sent Items", "", "", "Sent Items" },
  { "Sent", "Odd*s", "", "", "Odd" },
  { "Odd", "Strange*s", "", "", "Odd" },
  { "Sent", "Sent|Sent Items*s", "", "", "Sent Items" },
  { "Sent", "Sent Items|Sent", "", "", "Sent" }, /* by name its own counts more */
  { "Sent Items", "Sent|Sent Messages", "", "", "Sent" },
  { "A*s", "B*sn|Sent", "", "", "Sent" }, /* what holds no mail is no place */
  { "A*s|B*s", "Sent*s", "", "", "Sent|B" },
  { "Entw&APw-rfe*d|Trash*t|Spam*j", "Drafts*d|Bin*t|Junk*j", "", "", "Drafts|Bin|Junk" },
  { "Deleted Items|Junk E-mail|Archives", "Trash|Spam|Archive", "", "", "Trash|Spam|Archive" },
  { "[Gmail]/Sent Mail*s|[Gmail]/Papierkorb*t", "Sent|Trash", "", "", "Sent|Trash" },
  { "[Google Mail]/Entw\xc3\xbcrfe", "Drafts", "", "", "Drafts" },
  { "INBOX/Sent", "Sent*s", "", "", "Sent" },
  { "Sent", "INBOX/Sent", "", "", "INBOX/Sent" },
  { "Old/Sent", "Sent*s", "", "", "Old/Sent" }, /* deeper it is somebody's own */
  { "INBOX*s", "Sent*s", "", "", "INBOX" },

  /* normal forms, case, blanks */
  { "E\xcc\x81le\xcc\x81ments envoye\xcc\x81s", "Sent", "", "", "Sent" },
  { "\xc3\x89l\xc3\xa9ments envoy\xc3\xa9s", "Sent", "", "", "Sent" },
  { "SENT ITEMS", "Sent", "", "", "Sent" },
  { "sent  items", "Sent", "", "", "Sent" },
  { "ENTW\xc3\x9cRFE", "drafts", "", "", "drafts" },

  /* what lies below follows */
  { "Gesendet|Gesendet/2019|Gesendet/2019/a", "Sent", "", "", "Sent|Sent/2019|Sent/2019/a" },
  { "Gesendet2|Gesendet", "Sent", "", "", "Gesendet2|Sent" },
  { "Gesendet*n|Gesendet/2019", "Sent", "", "", "Gesendet|Gesendet/2019" },
  { "Gesendet|Gesendet/Papierkorb*t", "Sent|Trash*t", "", "", "Sent|Trash" },
  { "INBOX/Sent|INBOX/Sent/a|INBOX/b", "Sent", "", "", "Sent|Sent/a|INBOX/b" },

  /* two never meet by themselves */
  { "Sent|Sent Items", "Sent", "", "", "Sent|Sent Items" },
  { "Sent|Sent Items*s", "Sent*s", "", "", "Sent|Sent Items" },
  { "Sent|Gesendet*s|Gesendet/a|Sent/a", "Sent*s", "", "", "Sent|Gesendet|Gesendet/a|Sent/a" },
  { "Gesendet|Gesendet/a|Sent/a|Sent*n", "Sent", "", "", "Gesendet|Gesendet/a|Sent/a|Sent" },
  { "A|Trash*t", "A*t", "", "", "A|Trash" },
  { "A|Gesendet", "Sent", "A=Sent", "", "Sent|Gesendet" },

  /* what was so before stays so */
  { "Gesendet", "Gesendet|Sent*s", "~Gesendet>Gesendet", "", "Gesendet" },
  { "Gesendet", "Sent*s", "~Gesendet>Gesendet", "", "Sent" },
  { "Gesendet", "Gesendet|Sent*s", "~Gesendet>Gesendet|~Gesendet>Sent", "", "Sent" },
  { "Gesendet|Gesendet/a", "Sent|Sent Items*s", "~Gesendet>Sent", "", "Sent|Sent/a" },
  { "Gesendet", "X|Sent*s", "~Gesendet>X", "", "Sent" },

  /* the user's words count more */
  { "Gesendet|A", "Sent*s", "-", "", "Gesendet|A" },
  { "Gesendet|Gesendet/a", "Sent*s", "Gesendet=X/Y", "", "X/Y|X/Y/a" },
  { "A|A/b|A/b/c|Ab", "INBOX", "A=X|A/b=Y", "", "X|Y|Y/c|Ab" },
  { "A|A/b|A/b/c", "INBOX", "A/b=Y|A=X", "", "X|Y|Y/c" },
  { "INBOX|INBOX/a|B", "INBOX", "INBOX=Old", "", "Old|Old/a|B" },
  { "Sent*s|Sent Items", "Gesendet*s", "Sent=Away", "", "Away|Sent Items" },
  { "A|B", "INBOX", "A=B|B=A", "", "B|A" },
  { "A|B", "INBOX", "A=B", "", "B|B" }, /* refused by who asked */

  /* subfolders */
  { "S/INBOX|S/Sent|S/a/b", "Gesendet*s", "<S", "", "INBOX|Gesendet|a/b" },
  { "S|S/a", "INBOX", "<S", "", "INBOX|a" },
  { "INBOX|Sent*s|a/b", "Sent*s", ">S", "", "S/INBOX|S/Sent|S/a/b" },
  { "Old/INBOX|Old/x", "INBOX", "<Old|>New", "", "New/INBOX|New/x" },
  { "INBOX|a|a/b", "INBOX", ">S|a=T", "", "S/INBOX|T|T/b" },

  /* substitutions, in the destination's words */
  { "INBOX|A|A/b", "INBOX", "s/^A/B/", "", "INBOX|B|B/b" },
  { "INBOX|A|A/b", "INBOX", "s,(.*),Old/$1,", "/", "Old/INBOX|Old/A|Old/A/b" },
  { "INBOX|A|A/b", "INBOX", "s,(.*),Old.$1,", ".", "Old/INBOX|Old/A|Old/A/b" },
  { "INBOX|A/b", "INBOX", "s,^INBOX\\.(.+),INBOX.Old.$1,", "INBOX.", "INBOX|Old/A/b" },
  { "INBOX|A/b", "INBOX", "s/\\./_/g", ".", "INBOX|A_b" },
  { "A b|C", "INBOX", "s/ /_/g|s/^A_/x-/", "", "x-b|C" },
  { "Sent|A", "Gesendet*s", "s/^Sent$/Mine/", "", "Mine|A" },
  { "Sent|A", "Gesendet*s", "s/^A$/B/", "", "Gesendet|B" },
  { "A", "INBOX", "s/^A$/inbox/", "", "INBOX" },
  { "A", "INBOX", "s/.*//", "", "--regextrans2 leaves nothing of the name of folder \"A\"" },

  /* hostile names are names */
  { "..|../a|a/..|%00/%00|.", "..", "", "", "..|../a|a/..|%00/%00|." },
  { "\xe2\x80\xae|a%2Fb|a%0Ab", "INBOX", ">S", "", "S/\xe2\x80\xae|S/a%2Fb|S/a%0Ab" },
  { "\xff\xfe|\xff", "\xff", "", "", "\xff\xfe|\xff" },
};

static void
folders_go_where_the_table_says(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *targets =
        map(table[i].folders1, table[i].folders2, table[i].wishes, table[i].notation);
    if (strcmp(targets, table[i].targets) != 0)
      fprintf(stderr, "row %zu: %s -> %s (%s): %s\n", i, table[i].folders1, table[i].folders2,
              table[i].wishes, targets);
    CU_ASSERT_STRING_EQUAL(targets, table[i].targets);
  }
}

/* Once all are there, under the names that they got, they go there again. */
static void
a_second_mapping_is_the_first(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *first =
        map(table[i].folders1, table[i].folders2, table[i].wishes, table[i].notation);
    if (g_str_has_prefix(first, "--"))
      continue;
    g_autofree char *there = g_strconcat(table[i].folders2, "|", first, NULL);
    g_autoptr(GString) wishes = g_string_new(table[i].wishes);
    g_auto(Side) side1;
    side_init(&side1, table[i].folders1);
    g_auto(GStrv) targets = g_strsplit(first, "|", -1);
    for (guint k = 0; targets[k] != NULL; k++)
      g_string_append_printf(wishes, "|~%s>%s", side1.paths[k], targets[k]);
    g_autofree char *second = map(table[i].folders1, there, wishes->str, table[i].notation);
    CU_ASSERT_STRING_EQUAL(second, first);
  }
}

/* Whatever there is on both sides, what is automatic sends no two folders to one. */
static void
no_two_folders_meet_by_themselves(void)
{
  static const char *const names[] = { "Sent",       "Sent Items", "Gesendet",    "Trash",
                                       "Bin",        "Sent/a",     "Gesendet/a",  "INBOX/Sent",
                                       "Papierkorb", "Bin/a/b",    "[Gmail]/Bin", "Junk",
                                       "Spam",       "Spam/a",     "Junk/a" };
  static const char *const marks[] = { "", "", "*s", "*t", "*j", "*n" };
  g_autoptr(GRand) rand = g_rand_new_with_seed(6);
  for (unsigned round = 0; round < 3000; round++) {
    g_autoptr(GString) text1 = g_string_new("INBOX");
    g_autoptr(GString) text2 = g_string_new("INBOX");
    GString *const sides[] = { text1, text2 };
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(names); i++)
      if (g_rand_boolean(rand))
        g_string_append_printf(sides[i % 2], "|%s%s", names[i / 2],
                               marks[g_rand_int_range(rand, 0, G_N_ELEMENTS(marks))]);
    g_auto(Side) side1, side2;
    g_auto(Wish) wish;
    side_init(&side1, sides[0]->str);
    side_init(&side2, sides[1]->str);
    wish_init(&wish, "", &side1, &side2, NULL);
    g_autoptr(GArray) mappings = haul_map_folders(&wish.input, NULL);
    guint a, b;
    bool meets = haul_mapping_meets(wish.input.folders1, mappings, &a, &b);
    if (meets)
      fprintf(stderr, "%s -> %s: %u and %u\n", sides[0]->str, sides[1]->str, a, b);
    CU_ASSERT(!meets);
  }
}

/* A backup below a folder, and back. */
static void
what_went_below_a_folder_comes_back_under_its_name(void)
{
  static const char paths[] = "INBOX|INBOX/x|Sent|a/b|..|%00|a%2Fb";
  g_autofree char *away = map(paths, "INBOX", ">Backup/ann", "");
  g_autofree char *back = map(away, "INBOX", "<Backup/ann|-", "");
  CU_ASSERT_STRING_EQUAL(back, paths);
}

static void
every_name_in_every_language_tells_one_use(void)
{
  static const struct {
    const char *name;
    int use;
  } names[] = {
    { "Sent", 0 },
    { "Gesendete Elemente", 0 },
    { "Wys\xc5\x82"
      "ane",
      0 },
    { "\xe9\x80\x81\xe4\xbf\xa1\xe6\xb8\x88\xe3\x81\xbf", 0 },
    { "\xd0\xa7\xd0\xb5\xd1\x80\xd0\xbd\xd0\xbe\xd0\xb2\xd0\xb8\xd0\xba\xd0\xb8", 1 },
    { "Lixeira", 2 },
    { "Prullenbak", 2 },
    { "Corbeille", 2 },
    { "Roskaposti", 3 },
    { "Archiv", 4 },
    { "INBOX", -1 },
    { "", -1 },
    { "Sent/", -1 },
    { "Sents", -1 },
    { " Sent ", 0 },
    { "\xef\xbc\xb3\xef\xbd\x85\xef\xbd\x8e\xef\xbd\x94", 0 }, /* full width */
  };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    unsigned use = 99, rank;
    bool found = haul_use_by_name(names[i].name, &use, &rank);
    CU_ASSERT_EQUAL(found ? (int)use : -1, names[i].use);
  }
}

static void
how_names_are_written_is_learnt_from_some(void)
{
  static const struct {
    const char *path, *native, *prefix;
    char separator;
  } rows[] = {
    { "INBOX", "INBOX", "", '\0' },
    { "Sent", "Sent", "", '\0' },
    { "Sent", "INBOX.Sent", "INBOX.", '.' },
    { "a/b", "a.b", "", '.' },
    { "a/b", "a/b", "", '/' },
    { "a/b", "INBOX/a/b", "INBOX/", '/' },
    { "a/\xc3\xbc", "INBOX.a.&APw-", "INBOX.", '.' },
    { "a.b/c", "a%2Eb.c", "", '.' },
    { "a/b", NULL, "", '\0' },
    { "a/b", "x", "", '\0' },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    HaulPlanFolder folder = { .path = rows[i].path };
    g_auto(HaulNotation) notation;
    haul_notation_learn(&folder, &rows[i].native, 1, &notation);
    CU_ASSERT_STRING_EQUAL(notation.prefix, rows[i].prefix);
    CU_ASSERT_EQUAL(notation.separator, rows[i].separator);
    g_autofree char *name = haul_notation_write(&notation, rows[i].path);
    g_autofree char *path = haul_notation_read(&notation, name);
    CU_ASSERT_STRING_EQUAL(path, rows[i].path);
  }
}

/* 20,000 folders, one of them a thousand levels deep; its square would take minutes. */
static void
many_folders_are_mapped_in_linear_time(void)
{
  g_autoptr(GString) deep = g_string_new("Sent");
  for (unsigned i = 0; i < 1000; i++)
    g_string_append(deep, "/a");
  g_autoptr(GString) text = g_string_new("Gesendet*s|");
  g_string_append(text, deep->str);
  for (unsigned i = 0; i < 20000; i++)
    g_string_append_printf(text, "|Gesendet/%u", i);
  gint64 start = g_get_monotonic_time();
  g_autofree char *targets = map(text->str, "Sent*s", "", "");
  CU_ASSERT(g_get_monotonic_time() - start < 20 * G_USEC_PER_SEC);
  CU_ASSERT(g_str_has_suffix(targets, "|Sent/19999"));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(folders_go_where_the_table_says),
    CASE(a_second_mapping_is_the_first),
    CASE(no_two_folders_meet_by_themselves),
    CASE(what_went_below_a_folder_comes_back_under_its_name),
    CASE(every_name_in_every_language_tells_one_use),
    CASE(how_names_are_written_is_learnt_from_some),
    CASE(many_folders_are_mapped_in_linear_time),
  };
  return RUN_SUITE("mapping", cases);
}
