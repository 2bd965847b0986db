/* Runs jobs between two boxes in memory. */
#include "engine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

void
engine_init(Engine *engine)
{
  static unsigned n; /* boxes are found by name */
  g_autofree char *name1 = g_strdup_printf("source-%u", ++n);
  g_autofree char *name2 = g_strdup_printf("copy-%u", n);
  *engine = (Engine){
    .source = memory_box_new(name1),
    .copy = memory_box_new(name2),
    .state_folder = make_test_folder(),
    .planned = g_ptr_array_new_with_free_func(g_free),
  };
  CU_ASSERT_PTR_NOT_NULL_FATAL(engine->state_folder);
  engine->options = (HaulJobOptions){
    .policy = { .match = "auto", .n_lanes = 2 },
    .state_folder = engine->state_folder,
  };
}

void
engine_forget(Engine *engine)
{
  g_autoptr(GDir) dir = g_dir_open(engine->state_folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(engine->state_folder, name, NULL);
    unlink(path);
  }
}

static void
forget_run(Engine *engine)
{
  g_clear_error(&engine->error);
  g_clear_pointer(&engine->report, haul_report_free);
  g_ptr_array_set_size(engine->planned, 0);
}

void
engine_clear(Engine *engine)
{
  forget_run(engine);
  g_ptr_array_unref(engine->planned);
  memory_box_free(engine->source);
  memory_box_free(engine->copy);
  engine_forget(engine);
  rmdir(engine->state_folder);
  g_free(engine->state_folder);
}

static void
note_planned(const char *path1, const char *path2, const char *deed, const char *text, void *data)
{
  Engine *engine = data;
  g_ptr_array_add(engine->planned, g_strdup_printf("%s %s %s %s", path1, path2, deed, text));
}

/* source = copied + already there + ... in every folder, and in all. */
static void
check_accounts(Engine *engine)
{
  uint64_t n_source = 0;
  GPtrArray *folders = haul_report_folders(engine->report);
  for (guint i = 0; i < folders->len; i++) {
    const HaulTally *tally = folders->pdata[i];
    uint64_t sum = 0;
    for (size_t k = 0; k < HAUL_N_STATES; k++)
      sum += tally->n[k];
    CU_ASSERT_EQUAL(sum, tally->source);
    n_source += tally->source;
  }
  engine->total = haul_report_total(engine->report);
  CU_ASSERT_EQUAL(engine->total.source, n_source);
  bool takes_all = engine->options.policy.folders == NULL
                   && !engine->source->faults.labels /* but views */
                   && !engine->source->faults.hides_read;
  uint64_t n_gone = engine->options.dry ? 0 : engine->total.leaving.n_gone; /* else they will be */
  if (engine->code == 0 && takes_all)
    CU_ASSERT_EQUAL(n_source, memory_box_count(engine->source) + n_gone);
}

static MemoryCalls
calls_since(const MemoryCalls *before, const MemoryCalls *now)
{
  MemoryCalls calls;
  const unsigned *from = (const unsigned *)before, *to = (const unsigned *)now;
  for (size_t i = 0; i < sizeof calls / sizeof *from; i++)
    ((unsigned *)&calls)[i] = to[i] - from[i];
  return calls;
}

int
engine_run(Engine *engine)
{
  forget_run(engine);
  g_autofree char *before = memory_box_text(engine->source, true);
  MemoryCalls before1 = engine->source->calls, before2 = engine->copy->calls;
  HaulCancel *cancel = haul_cancel_new();
  g_autoptr(HaulAccount) account1 = haul_account_new(1, &haul_plugin_memory, cancel);
  g_autoptr(HaulAccount) account2 = haul_account_new(2, &haul_plugin_memory, cancel);
  haul_account_set(account1, "box", engine->source->name, NULL);
  haul_account_set(account2, "box", engine->copy->name, NULL);
  if (engine->path2 != NULL)
    haul_account_set(account2, "path", engine->path2, NULL);
  engine->options.account1 = account1;
  engine->options.account2 = account2;
  engine->options.cancel = cancel;
  if (engine->source->faults.ends_run)
    engine->source->faults.cancel = cancel;
  if (engine->copy->faults.ends_run)
    engine->copy->faults.cancel = cancel;

  engine->report = haul_report_new();
  engine->code =
      haul_job_run(&engine->options, engine->report, note_planned, engine, &engine->error);
  engine->source->faults.cancel = engine->copy->faults.cancel = NULL;
  haul_cancel_free(cancel);
  engine->calls1 = calls_since(&before1, &engine->source->calls);
  engine->calls2 = calls_since(&before2, &engine->copy->calls);
  check_accounts(engine);
  g_autofree char *after = memory_box_text(engine->source, true);
  if (!engine->options.policy.delete1 || engine->options.dry)
    CU_ASSERT_STRING_EQUAL(after, before);
  return engine->code;
}

bool
engine_is_same(const Engine *engine, int line)
{
  g_autofree char *text1 = memory_box_text(engine->source, true);
  g_autofree char *text2 = memory_box_text(engine->copy, true);
  bool same = strcmp(text1, text2) == 0;
  if (!same)
    printf("line %d: source\n%scopy\n%s", line, text1, text2);
  return same;
}

bool
engine_sync(Engine *engine, int line)
{
  int code = engine_run(engine);
  if (code != 0)
    printf("line %d: code %d: %s\n", line, code,
           engine->error != NULL ? engine->error->message : "");
  return code == 0 && engine_is_same(engine, line);
}

uint64_t
engine_n(const Engine *engine, HaulState state)
{
  return engine->total.n[state];
}

char *
engine_message(const char *id, const char *text)
{
  g_autofree char *line =
      id != NULL ? g_strdup_printf("Message-ID: <%s@example.org>\r\n", id) : g_strdup("");
  return g_strdup_printf("%sSubject: %s\r\nDate: Tue, 24 Nov 2026 06:00:00 +0100\r\n\r\n%s\r\n",
                         line, text, text);
}

void
engine_fill(Engine *engine, unsigned n)
{
  for (unsigned i = 0; i < 2 * n; i++) {
    g_autofree char *id = g_strdup_printf("id-%u", i);
    g_autofree char *octets = engine_message(id, id);
    MemoryMessage *message = memory_box_add(engine->source, i < n ? "INBOX" : "Work/a b", octets);
    message->flags = i & HAUL_ALL_FLAGS;
    memory_message_set_keywords(message, i % 3 == 0 ? "$Label1" : "");
  }
}

void
engine_fill_oddities(Engine *engine)
{
  static const char *const messages[] = {
    "Message-ID: <3@x>\r\n\r\nthree times\r\n",
    "Message-ID: <3@x>\r\n\r\nthree times\r\n",
    "Message-ID: <3@x>\r\n\r\nthree times\r\n",
    "Message-ID: <2@x>\r\n\r\none text\r\n",
    "Message-ID: <2@x>\r\n\r\nanother text of the same id\r\n",
    "Subject: no id\r\nDate: Tue, 24 Nov 2026 06:00:00 +0000\r\n\r\n",
    "\r\nno header",
    "no header, and no line end",
    "\r\n",
    "x",
    "Message-ID: <\xff\xfe@x>\r\nSubject: \x80\x81\r\n\r\n8-bit \xe9\r\n",
    "Message-ID: <lf@x>\nSubject: bare LF\n\nlines\nend so\n",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
    memory_box_add(engine->source, "INBOX", messages[i]);
}

bool
engine_is_at_rest(Engine *engine)
{
  return engine_run(engine) == 0 && engine->calls2.puts == 0 && engine->calls2.flag_changes == 0
         && engine->calls2.creates == 0 && engine->calls2.subscribes == 0
         && engine->calls1.messages_fetched == 0 && engine_n(engine, HAUL_STATE_COPIED) == 0
         && engine_is_same(engine, __LINE__);
}

const HaulTally *
engine_tally(const Engine *engine, const char *path)
{
  GPtrArray *folders = haul_report_folders(engine->report);
  for (guint i = 0; i < folders->len; i++)
    if (strcmp(((HaulTally *)folders->pdata[i])->path1, path) == 0)
      return folders->pdata[i];
  CU_FAIL_FATAL("no such folder in the report");
  return NULL;
}
