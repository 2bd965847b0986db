/* Tests plan-choice.c and pattern.c: which folders of the source a run is about, and in which order. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>

#include "plan-choice.h"

/* ---- patterns ---- */

static void
a_pattern_means_what_is_written(void)
{
  static const struct {
    const char *pattern, *path, *native;
    uint32_t attributes;
    bool means;
  } table[] = {
    /* paths */
    { "Work", "Work", NULL, 0, true },
    { "Work", "Work/2020/May", NULL, 0, true },
    { "Work", "Workers", NULL, 0, false },
    { "Work", "Old/Work", NULL, 0, false },
    { "inbox", "INBOX", NULL, 0, true },
    { "Work/2020", "Work", NULL, 0, false },
    { "Work/*", "Work/2020", NULL, 0, true },
    { "Work/*", "Work", NULL, 0, false },
    { "*/2020", "Work/2020", NULL, 0, true },
    { "*/2020", "A/Work/2020", NULL, 0, false },
    { "**/2020", "A/Work/2020", NULL, 0, true },
    { "W?rk", "Work", NULL, 0, true },
    { "W?rk", "W/rk", NULL, 0, false },
    { "[Gmail]/Spam", "[Gmail]/Spam", NULL, 0, true },
    { "C++ (old)", "C++ (old)", NULL, 0, true },
    { "a.b", "axb", NULL, 0, false },
    { "Entw\xc3\xbcrfe", "Entw\xc3\xbcrfe", NULL, 0, true },
    { "Entw?rfe", "Entw\xc3\xbcrfe", NULL, 0, true },
    { "Entw*", "Entw\xc3\xbcrfe", NULL, 0, true },
    /* names at the store */
    { "INBOX.Work", "Work", "INBOX.Work", 0, true },
    { "Entw\xc3\xbcrfe", "x", "Entw&APw-rfe", 0, true },
    /* regular expressions, as imapsync's users write them */
    { "^Work$", "Work", NULL, 0, true },
    { "^Work$", "Work/2020", NULL, 0, false },
    { "^INBOX\\.Trash", "Trash/old", "INBOX.Trash.old", 0, true },
    { "(?i)spam|trash", "Old/TRASH", NULL, 0, true },
    { "\\[Gmail\\]/All Mail", "[Gmail]/All Mail", NULL, 0, true },
    { "^\"Junk\\ E-Mail\"$", "Junk E-Mail", NULL, 0, false },
    { "Junk.*", "Not/Junk Mail", NULL, 0, true },
    { "re:Junk", "Not/Junk Mail", NULL, 0, true },
    { "Junk", "Not/Junk Mail", NULL, 0, false },
    { "re:^[A-M]", "Archive", NULL, 0, true },
    { "re:^[A-M]", "Work", NULL, 0, false },
    /* special uses */
    { "special:junk", "Spam", NULL, HAUL_FOLDER_JUNK, true },
    { "special:Junk", "Spam", NULL, HAUL_FOLDER_JUNK | HAUL_FOLDER_SUBSCRIBED, true },
    { "special:junk", "Junk", NULL, 0, false },
    { "special:trash", "Spam", NULL, HAUL_FOLDER_JUNK, false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(HaulPattern) pattern = haul_pattern_parse(table[i].pattern, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pattern);
    bool means = haul_pattern_matches(pattern, table[i].path, table[i].native, table[i].attributes);
    if (means != table[i].means)
      printf("%s of %s: %d\n", table[i].pattern, table[i].path, means);
    CU_ASSERT_EQUAL(means, table[i].means);
  }
}

static void
a_pattern_that_means_nothing_is_refused(void)
{
  static const char *const table[] = { "", "special:spam", "re:(", "^[", "(?<x", "\xff", "a|(" };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT_PTR_NULL(haul_pattern_parse(table[i], &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "means no folder");
  }
}

static void
a_pattern_that_takes_for_ever_is_given_up(void)
{
  g_autoptr(HaulPattern) pattern = haul_pattern_parse("re:^(a+)+$", NULL);
  g_autofree char *path = g_strnfill(200, 'a');
  g_autofree char *longer = g_strconcat(path, "!", NULL);
  CU_ASSERT(!haul_pattern_matches(pattern, longer, NULL, 0));
}

/* ---- choices ---- */

#define MOST 16

/* Folders in words: a path, and behind a colon s for subscribed, e for empty, n for not selectable, l for a
 * label, a for all mail, f for what is flagged. */
typedef struct {
  HaulPlanFolder folders[MOST];
  size_t n;
  GArray *rules, *named;
  GPtrArray *first, *last;
  char **words;
} Choice;

static void
choice_init(Choice *choice, const char *text)
{
  *choice = (Choice){
    .rules = g_array_new(FALSE, TRUE, sizeof(HaulChoiceRule)),
    .named = g_array_new(FALSE, TRUE, sizeof(uint32_t)),
    .first = g_ptr_array_new_with_free_func((GDestroyNotify)haul_pattern_free),
    .last = g_ptr_array_new_with_free_func((GDestroyNotify)haul_pattern_free),
    .words = g_strsplit(text, " ", -1),
  };
  for (char **word = choice->words; *word != NULL; word++) {
    HaulPlanFolder *folder = &choice->folders[choice->n++];
    char *marks = strchr(*word, ':');
    folder->path = *word;
    folder->n_messages = 5;
    if (marks == NULL)
      continue;
    *marks++ = '\0';
    folder->n_messages = strchr(marks, 'e') != NULL ? 0 : 5;
    folder->attributes = (strchr(marks, 's') != NULL ? HAUL_FOLDER_SUBSCRIBED : 0)
                         | (strchr(marks, 'n') != NULL ? HAUL_FOLDER_NOSELECT : 0)
                         | (strchr(marks, 'l') != NULL ? HAUL_FOLDER_LABEL : 0)
                         | (strchr(marks, 'a') != NULL ? HAUL_FOLDER_ALL : 0)
                         | (strchr(marks, 'f') != NULL ? HAUL_FOLDER_FLAGGED : 0);
  }
}

static void
choice_clear(Choice *choice)
{
  for (guint i = 0; i < choice->rules->len; i++)
    haul_pattern_free(g_array_index(choice->rules, HaulChoiceRule, i).pattern);
  g_array_unref(choice->rules);
  g_array_unref(choice->named);
  g_ptr_array_unref(choice->first);
  g_ptr_array_unref(choice->last);
  g_strfreev(choice->words);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Choice, choice_clear)

/* Wishes in words: +PATTERN, -PATTERN, <first, >last, =named, S for subscribed only, E to skip empty. */
static char *
chosen_by(Choice *choice, const char *wishes)
{
  HaulChoiceInput input = { .folders = choice->folders, .n = choice->n };
  g_auto(GStrv) words = g_strsplit(wishes, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    HaulChoiceRule rule = { .includes = **word == '+', .text = *word + 1 };
    input.only_subscribed |= strcmp(*word, "S") == 0;
    input.skip_empty |= strcmp(*word, "E") == 0;
    if (strchr("+-", **word) != NULL && **word != '\0') {
      rule.pattern = haul_pattern_parse(rule.text, NULL);
      g_array_append_val(choice->rules, rule);
    }
    if (**word == '<')
      g_ptr_array_add(choice->first, haul_pattern_parse(*word + 1, NULL));
    if (**word == '>')
      g_ptr_array_add(choice->last, haul_pattern_parse(*word + 1, NULL));
    for (uint32_t i = 0; **word == '=' && i < choice->n; i++)
      if (strcmp(choice->folders[i].path, *word + 1) == 0)
        g_array_append_val(choice->named, i);
  }
  input.rules = (const HaulChoiceRule *)(void *)choice->rules->data;
  input.n_rules = choice->rules->len;
  input.named = (const uint32_t *)(void *)choice->named->data;
  input.n_named = choice->named->len;
  input.first = (const HaulPattern *const *)choice->first->pdata;
  input.n_first = choice->first->len;
  input.last = (const HaulPattern *const *)choice->last->pdata;
  input.n_last = choice->last->len;
  g_auto(HaulChoicePlan) plan = { 0 };
  haul_plan_choice(&input, &plan);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < plan.chosen->len; i++)
    g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                           choice->folders[g_array_index(plan.chosen, uint32_t, i)].path);
  /* Each folder is chosen once, or left out with a reason. */
  guint n_held = 0;
  for (size_t i = 0; i < choice->n; i++)
    n_held += (choice->folders[i].attributes & HAUL_FOLDER_NOSELECT) == 0;
  CU_ASSERT_EQUAL(plan.left_out->len, plan.why->len);
  CU_ASSERT(plan.chosen->len + plan.left_out->len >= n_held);
  for (guint i = 0; i < plan.idle->len; i++)
    g_string_append_printf(text, " idle:%u", g_array_index(plan.idle, uint32_t, i));
  return g_string_free(text, FALSE);
}

static void
folders_are_chosen_by_what_is_wished(void)
{
#define ACCOUNT "Work Work/2020:s Trash:s INBOX:s Empty:e Junk Trash/Old"
#define ALL "INBOX Empty Junk Trash Trash/Old Work Work/2020"
#define LABELS "INBOX:l All:la Starred:lf Work:l"
  static const struct {
    const char *folders, *wishes, *chosen;
  } table[] = {
    { ACCOUNT, "", ALL },
    { ACCOUNT, "-Trash", "INBOX Empty Junk Work Work/2020" },
    { ACCOUNT, "-re:^Trash$", "INBOX Empty Junk Trash/Old Work Work/2020" },
    { ACCOUNT, "-Trash +Trash/Old", "INBOX Empty Junk Trash/Old Work Work/2020" },
    { ACCOUNT, "+Work", "Work Work/2020" },
    { ACCOUNT, "+Work -Work/2020", "Work" },
    { ACCOUNT, "+Work/*", "Work/2020" },
    { ACCOUNT, "+re:o -Junk", "Work Work/2020" },
    { ACCOUNT, "+nothing", " idle:0" },
    { ACCOUNT, "-nothing", ALL " idle:0" },
    { ACCOUNT, "-**", "" },
    { ACCOUNT, "S", "INBOX Trash Work/2020" },
    { ACCOUNT, "S -Trash", "INBOX Work/2020" },
    { ACCOUNT, "S +Junk", "INBOX Junk Trash Work/2020" },
    { ACCOUNT, "E", "INBOX Junk Trash Trash/Old Work Work/2020" },
    { ACCOUNT, "E =Empty", "" },
    { ACCOUNT, "=Work =INBOX", "Work INBOX" },
    { ACCOUNT, "=Work =Trash +Junk", "Work Trash Junk" },
    { ACCOUNT, "=Work S", "Work INBOX Trash Work/2020" },
    { ACCOUNT, "=Work =Work", "Work" },
    { ACCOUNT, "<Junk", "Junk INBOX Empty Trash Trash/Old Work Work/2020" },
    { ACCOUNT, "<Work/2020 <Junk", "Work/2020 Junk INBOX Empty Trash Trash/Old Work" },
    { ACCOUNT, ">INBOX", "Empty Junk Trash Trash/Old Work Work/2020 INBOX" },
    { ACCOUNT, ">Trash >Empty", "INBOX Junk Work Work/2020 Trash Trash/Old Empty" },
    { ACCOUNT, "<Trash >Trash/Old", "Trash Trash/Old INBOX Empty Junk Work Work/2020" },
    { ACCOUNT, "=Work =INBOX <INBOX", "INBOX Work" },
    { LABELS, "", "INBOX Work All" },
    { LABELS, "+Starred", "Starred" },
    { LABELS, "=Starred", "Starred" },
    { LABELS, "-All", "INBOX Work" },
    { LABELS, "<All", "All INBOX Work" },
    { LABELS, ">Work", "INBOX Work All" },
    { "INBOX:l Starred:lf Work:l", "", "INBOX Work Starred" },
    { "Top:n Top/Sub INBOX", "", "INBOX Top Top/Sub" },
    { "Top:n Top/Sub INBOX", "-Top", "INBOX" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Choice) choice;
    choice_init(&choice, table[i].folders);
    g_autofree char *chosen = chosen_by(&choice, table[i].wishes);
    if (strcmp(chosen, table[i].chosen) != 0)
      printf("%s: %s\n", table[i].wishes, chosen);
    CU_ASSERT_STRING_EQUAL(chosen, table[i].chosen);
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_pattern_means_what_is_written),
    CASE(a_pattern_that_means_nothing_is_refused),
    CASE(a_pattern_that_takes_for_ever_is_given_up),
    CASE(folders_are_chosen_by_what_is_wished),
  };
  return RUN_SUITE("plan-choice", cases);
}
