/* Tests runs after messages moved from folder to folder at the source. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "engine.h"

/* Moves a message, as a server does it: another id, the same octets, date and flags. */
static MemoryMessage *
move(MemoryBox *box, const char *from, guint index, const char *to)
{
  MemoryMessage *old = memory_box_folder(box, from)->messages->pdata[index];
  g_autofree char *octets =
      g_strndup(g_bytes_get_data(old->octets, NULL), g_bytes_get_size(old->octets));
  g_autofree char *keywords = g_strjoinv(" ", old->keywords);
  uint32_t flags = old->flags;
  int64_t date = old->date;
  memory_box_remove(box, from, old->uid);
  MemoryMessage *new = memory_box_add(box, to, octets);
  new->flags = flags;
  new->date = date;
  memory_message_set_keywords(new, keywords);
  return new;
}

static guint
count(MemoryBox *box, const char *path)
{
  return memory_box_folder(box, path)->messages->len;
}

/* Runs once more. Whether nothing was done, though the destination keeps what the source has not. */
static bool
rests(Engine *engine)
{
  return engine_run(engine) == 0 && engine_n(engine, HAUL_STATE_COPIED) == 0
         && engine->calls1.messages_fetched == 0 && engine->calls2.puts == 0
         && engine->calls2.copies == 0 && engine->calls2.flag_changes == 0
         && engine->calls2.creates == 0;
}

static void
moved_init(Engine *engine)
{
  engine_init(engine);
  engine_fill(engine, 6);
  ENGINE_SYNC(engine);
}

static void
a_message_that_moved_is_copied_by_the_destination(void)
{
  static const char *const folders[] = { "Work/a b",
                                         "New" }; /* one that is there, one that is not */
  for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_auto(Engine) engine;
    moved_init(&engine);
    move(engine.source, "INBOX", 2, folders[i]);
    guint before = count(engine.copy, folders[i]);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT(engine.calls1.messages_fetched == 0 && engine.calls2.puts == 0);
    CU_ASSERT_EQUAL(engine.calls2.messages_copied, 1);
    CU_ASSERT(engine.total.n_moved == 1 && engine_n(&engine, HAUL_STATE_COPIED) == 1);
    /* The destination is only added to. */
    CU_ASSERT(count(engine.copy, "INBOX") == 6 && count(engine.copy, folders[i]) == before + 1);
    CU_ASSERT(rests(&engine));
  }
}

static void
the_rest_of_a_folder_is_fetched_in_order(void)
{
  g_auto(Engine) engine;
  moved_init(&engine);
  for (unsigned i = 0; i < 9; i++) {
    g_autofree char *id = g_strdup_printf("new-%u", i);
    g_autofree char *octets = engine_message(id, id);
    memory_box_add(engine.source, "New", octets);
    if (i % 3 == 1)
      move(engine.source, "INBOX", 0, "New");
  }
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls1.messages_fetched == 9 && engine.calls2.messages_copied == 3);
  CU_ASSERT_EQUAL(count(engine.copy, "New"), 12);
  CU_ASSERT(rests(&engine));
}

/* The message was changed at either side, or both, while it moved. */
static void
flags_of_what_moved_are_merged(void)
{
  static const struct {
    uint32_t base, source, copy, merged;
  } table[] = {
    { 0, HAUL_SEEN, 0, HAUL_SEEN },
    { 0, 0, HAUL_SEEN, HAUL_SEEN }, /* never marked as unread */
    { HAUL_SEEN | HAUL_FLAGGED, HAUL_SEEN, HAUL_SEEN | HAUL_FLAGGED, HAUL_SEEN },
    { HAUL_FLAGGED, HAUL_FLAGGED, 0, 0 },
    { 0, HAUL_ANSWERED, HAUL_SEEN, HAUL_ANSWERED | HAUL_SEEN },
    { HAUL_SEEN, HAUL_SEEN, HAUL_SEEN, HAUL_SEEN },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 6);
    MemoryMessage *message = memory_box_folder(engine.source, "INBOX")->messages->pdata[1];
    message->flags = table[i].base;
    memory_message_set_keywords(message, "old");
    ENGINE_SYNC(&engine);
    MemoryFolder *inbox2 = memory_box_folder(engine.copy, "INBOX");
    MemoryMessage *copy = inbox2->messages->pdata[1];
    copy->flags = table[i].copy;
    inbox2->n_changes++;
    message = move(engine.source, "INBOX", 1, "New");
    message->flags = table[i].source;
    memory_message_set_keywords(message, "old new");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.messages_copied, 1);
    CU_ASSERT_EQUAL_FATAL(count(engine.copy, "New"), 1);
    MemoryMessage *moved = memory_box_folder(engine.copy, "New")->messages->pdata[0];
    CU_ASSERT_EQUAL(moved->flags, table[i].merged);
    CU_ASSERT(g_strv_contains((const char *const *)moved->keywords, "new"));
    CU_ASSERT(rests(&engine));
    CU_ASSERT_EQUAL(moved->flags, table[i].merged);
  }
}

/* Adds two messages with one key and one size, of other content where @differ. */
static void
add_twins(Engine *engine, bool differ)
{
  static const char *const texts[] = { "one text", "two text" };
  for (unsigned i = 0; i < 2; i++) {
    g_autofree char *octets = g_strdup_printf(
        "Message-ID: <twin@x>\r\nDate: Tue, 24 Nov 2026 06:00:00 +0100\r\n\r\n%s\r\n",
        texts[differ ? i : 0]);
    memory_box_add(engine->source, "INBOX", octets);
  }
}

static void
twins_are_told_apart_by_their_octets(void)
{
  for (unsigned differ = 0; differ < 2; differ++) {
    g_auto(Engine) engine;
    engine_init(&engine);
    engine_fill(&engine, 2);
    add_twins(&engine, differ);
    ENGINE_SYNC(&engine);
    move(engine.source, "INBOX", 3, "New"); /* the second, whose copy is the second */
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine.calls2.messages_copied, 1);
    move(engine.source, "INBOX", 2, "New");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT(rests(&engine));
    g_autofree char *text1 = memory_box_text(engine.source, false);
    g_auto(GStrv) lines = g_strsplit(text1, "\n", -1);
    g_autofree char *text2 = memory_box_text(engine.copy, false);
    for (char **line = lines; *line != NULL; line++)
      CU_ASSERT_PTR_NOT_NULL(strstr(text2, *line));
  }
}

/* Another message with its id, date and size is not the one that left. */
static void
both_twins_that_move_at_once_arrive(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine_fill(&engine, 2);
  add_twins(&engine, true);
  ENGINE_SYNC(&engine);
  move(engine.source, "INBOX", 3, "New");
  move(engine.source, "INBOX", 2, "New");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls2.messages_copied == 2 && engine.calls2.puts == 0);
  CU_ASSERT_EQUAL(engine.calls1.messages_fetched, 2); /* to tell them apart */
  CU_ASSERT(rests(&engine));
}

/* With keys that say little, what only looks like it is fetched. */
static void
a_weak_key_is_borne_out_by_octets(void)
{
  g_auto(Engine) engine;
  engine_init(&engine);
  engine.options.policy.match = "message-id";
  engine_fill(&engine, 2);
  ENGINE_SYNC(&engine);
  move(engine.source, "INBOX", 0, "New");
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls1.messages_fetched == 1 && engine.calls2.messages_copied == 1);
  memory_box_remove(
      engine.source, "INBOX",
      ((MemoryMessage *)memory_box_folder(engine.source, "INBOX")->messages->pdata[0])->uid);
  g_autofree char *other = engine_message("id-1", "xd-1"); /* the same id and size */
  memory_box_add(engine.source, "New", other);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls2.messages_copied == 0 && engine.calls2.puts == 1);
  CU_ASSERT(rests(&engine));
}

static void
a_copy_that_is_not_there_or_cannot_be_copied_is_fetched(void)
{
  for (unsigned refused = 0; refused < 2; refused++) {
    g_auto(Engine) engine;
    moved_init(&engine);
    engine.copy->faults.refuses_copies = refused;
    MemoryMessage *copy = memory_box_folder(engine.copy, "INBOX")->messages->pdata[2];
    if (!refused)
      memory_box_remove(engine.copy, "INBOX", copy->uid);
    move(engine.source, "INBOX", 2, "New");
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT(engine.calls1.messages_fetched == 1 && engine.calls2.puts == 1);
    CU_ASSERT_EQUAL(count(engine.copy, "New"), 1);
    CU_ASSERT(rests(&engine));
  }
}

/* Gives a folder of the source another name, as a server does that keeps nothing of it. */
static void
rename_folder(MemoryBox *box, const char *from, const char *to)
{
  while (count(box, from) > 0)
    move(box, from, 0, to);
  g_ptr_array_remove(box->folders, memory_box_folder(box, from));
}

static void
a_folder_with_another_name_is_copied_from_the_old_one(void)
{
  g_auto(Engine) engine;
  moved_init(&engine);
  MemoryMessage *copy = memory_box_folder(engine.copy, "Work/a b")->messages->pdata[0];
  copy->flags |= HAUL_FLAGGED;
  memory_box_folder(engine.copy, "Work/a b")->n_changes++;
  rename_folder(engine.source, "Work/a b", "Work/c");
  ((MemoryMessage *)memory_box_folder(engine.source, "Work/c")->messages->pdata[0])->flags |=
      HAUL_ANSWERED;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls1.messages_fetched == 0 && engine.calls2.messages_copied == 6);
  CU_ASSERT(count(engine.copy, "Work/a b") == 6 && count(engine.copy, "Work/c") == 6);
  copy = memory_box_folder(engine.copy, "Work/c")->messages->pdata[0];
  CU_ASSERT((copy->flags & HAUL_FLAGGED) && (copy->flags & HAUL_ANSWERED));
  CU_ASSERT(rests(&engine));
}

/* A folder that is only not shown is known still when it is back. */
static void
a_folder_that_comes_back_has_its_pairs(void)
{
  g_auto(Engine) engine;
  moved_init(&engine);
  MemoryFolder *hidden = memory_box_folder(engine.source, "Work/a b");
  guint at;
  CU_ASSERT_FATAL(g_ptr_array_find(engine.source->folders, hidden, &at));
  g_ptr_array_steal_index(engine.source->folders, at);
  memory_box_remove(engine.copy, "Work/a b", 1);
  g_autofree char *octets = engine_message("new", "new");
  memory_box_add(engine.source, "INBOX", octets);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls2.puts == 1 && engine.calls2.copies == 0);
  g_ptr_array_add(engine.source->folders, hidden);
  CU_ASSERT(rests(&engine)); /* what was removed at the destination is not brought back */
}

/* Nothing is asked of headers where nothing left. */
static void
what_only_came_is_not_listed_by_key(void)
{
  g_auto(Engine) engine;
  moved_init(&engine);
  g_autofree char *octets = engine_message("new", "new");
  memory_box_add(engine.source, "New", octets);
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT(engine.calls1.messages_fetched == 1 && engine.calls1.items_listed == 0);
}

/* The connection, or the run, ends at each copy, before and after it: the rest is as if it had not. */
static void
what_is_cut_off_makes_no_double_and_loses_nothing(void)
{
  for (unsigned way = 0; way < 8; way++) {
    bool after = way & 1, ends = way & 2, names = way & 4;
    g_auto(Engine) engine;
    moved_init(&engine);
    engine.copy->faults.no_copy_ids = names;
    for (unsigned i = 0; i < 3; i++)
      move(engine.source, "INBOX", 0, "New")->flags = HAUL_FLAGGED;
    *(after ? &engine.copy->faults.lose_copied : &engine.copy->faults.lose_copy) = 1;
    engine.copy->faults.ends_run = ends;
    engine_run(&engine);
    if (ends)
      CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(engine_run(&engine), 0);
    CU_ASSERT_EQUAL(count(engine.copy, "New"), 3);
    CU_ASSERT_EQUAL(count(engine.copy, "INBOX"), 6);
    for (guint i = 0; i < count(engine.copy, "New"); i++)
      CU_ASSERT(((MemoryMessage *)memory_box_folder(engine.copy, "New")->messages->pdata[i])->flags
                & HAUL_FLAGGED);
    CU_ASSERT(rests(&engine));
  }
}

static void
a_plan_tells_it_and_does_nothing(void)
{
  g_auto(Engine) engine;
  moved_init(&engine);
  move(engine.source, "INBOX", 2, "Work/a b");
  engine.options.dry = true;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  bool told = false;
  for (guint i = 0; i < engine.planned->len; i++)
    told |= strstr(engine.planned->pdata[i], "Work/a b link ") != NULL;
  CU_ASSERT(told);
  CU_ASSERT(engine.calls2.messages_copied == 0 && engine.calls1.messages_fetched == 0);
  engine.options.dry = false;
  CU_ASSERT_EQUAL(engine_run(&engine), 0);
  CU_ASSERT_EQUAL(engine.calls2.messages_copied, 1);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(a_message_that_moved_is_copied_by_the_destination),
    CASE(the_rest_of_a_folder_is_fetched_in_order),
    CASE(flags_of_what_moved_are_merged),
    CASE(twins_are_told_apart_by_their_octets),
    CASE(both_twins_that_move_at_once_arrive),
    CASE(a_weak_key_is_borne_out_by_octets),
    CASE(a_copy_that_is_not_there_or_cannot_be_copied_is_fetched),
    CASE(a_folder_with_another_name_is_copied_from_the_old_one),
    CASE(a_folder_that_comes_back_has_its_pairs),
    CASE(what_only_came_is_not_listed_by_key),
    CASE(what_is_cut_off_makes_no_double_and_loses_nothing),
    CASE(a_plan_tells_it_and_does_nothing),
  };
  return RUN_SUITE("engine: moves", cases);
}
