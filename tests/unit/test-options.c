/* Tests options.c and secret.c: the command line of sync, and that no password is ever shown. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailhaul/error.h>

#include "log.h"
#include "options.h"
#include "secret.h"

/* The arguments, separated by blanks, as main() gets them; kept for as long as the options are. */
typedef struct {
  HaulOptions options;
  char **words;  /* owned */
  GError *error; /* owned */
  bool parsed;
} Line;

static void
line_init(Line *line, const char *text)
{
  *line = (Line){ .words = g_strsplit(text, " ", -1) };
  haul_options_init(&line->options);
  int n = *text != '\0' ? (int)g_strv_length(line->words) : 0;
  line->parsed = haul_options_parse(&line->options, n, line->words, &line->error);
}

static void
line_clear(Line *line)
{
  haul_options_clear(&line->options);
  g_strfreev(line->words);
  g_clear_error(&line->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Line, line_clear)

/* What is said of a side: "backend key=value ..." */
static char *
side_text(const HaulSideOptions *side)
{
  GString *text = g_string_new(side->backend != NULL ? side->backend : "?");
  for (guint i = 0; i < side->settings->len; i += 2)
    g_string_append_printf(text, " %s=%s", (char *)side->settings->pdata[i],
                           (char *)side->settings->pdata[i + 1]);
  if (side->ssl >= 0)
    g_string_append_printf(text, " ssl:%d", side->ssl);
  if (side->tls >= 0)
    g_string_append_printf(text, " tls:%d", side->tls);
  return g_string_free(text, FALSE);
}

static void
defaults_are_those_of_the_manual(void)
{
  g_auto(Line) line;
  line_init(&line, "");
  CU_ASSERT(line.parsed);
  CU_ASSERT_STRING_EQUAL(line.options.job.policy.match, "auto");
  CU_ASSERT(g_str_has_suffix(line.options.job.state_folder, "/mailhaul"));
  CU_ASSERT_EQUAL(line.options.job.policy.flags_mode, HAUL_FLAGS_MERGE);
  CU_ASSERT(line.options.job.policy.n_lanes >= 1);
  CU_ASSERT_PTR_NULL(line.options.job.policy.folders);
  CU_ASSERT(!line.options.job.dry && !line.options.job.stateless && !line.options.json);
}

static void
how_flags_are_treated_is_said_as_other_tools_say_it(void)
{
  static const struct {
    const char *words;
    HaulFlagsMode mode;
  } table[] = {
    { "--flags source --resyncflags", HAUL_FLAGS_MERGE },
    { "--noresyncflags", HAUL_FLAGS_NONE },
    { "--noresyncflags --flags add", HAUL_FLAGS_ADD },
    { "--filterflags --flagscase --syncflagsaftercopy", HAUL_FLAGS_MERGE },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Line) line;
    line_init(&line, table[i].words);
    CU_ASSERT(line.parsed);
    CU_ASSERT_EQUAL(line.options.job.policy.flags_mode, table[i].mode);
  }
}

static void
options_are_read_in_either_spelling(void)
{
#define SPELLED(dash, is)                                                                          \
  dash "host1" is "h " dash "user1" is "ann " dash "port1" is "143 " dash "folder" is "A " dash    \
       "folder" is "B " dash "folder2" is "C/d " dash "uidl-map" is "m " dash "flags" is           \
       "add " dash "lanes" is "3 " dash "dry " dash "state" is "/s " dash "match" is               \
       "content " dash "grace" is "0 " dash "json " dash "logfile" is "l " dash "stateless"
  static const char *const lines[] = { SPELLED("--", " "), SPELLED("--", "="), SPELLED("-", " "),
                                       SPELLED("-", "=") };
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_auto(Line) line;
    line_init(&line, lines[i]);
    CU_ASSERT(line.parsed);
    g_autofree char *side = side_text(&line.options.sides[0]);
    CU_ASSERT_STRING_EQUAL(side, "? host=h user=ann port=143");
    CU_ASSERT_EQUAL(g_strv_length((char **)line.options.job.policy.folders), 2);
    CU_ASSERT_STRING_EQUAL(line.options.job.policy.folder2, "C/d");
    CU_ASSERT_STRING_EQUAL(line.options.job.policy.id_map, "m");
    CU_ASSERT_EQUAL(line.options.job.policy.flags_mode, HAUL_FLAGS_ADD);
    CU_ASSERT_EQUAL(line.options.job.policy.n_lanes, 3);
    CU_ASSERT_EQUAL(line.options.job.policy.grace_s, 0);
    CU_ASSERT_STRING_EQUAL(line.options.job.state_folder, "/s");
    CU_ASSERT_STRING_EQUAL(line.options.job.policy.match, "content");
    CU_ASSERT_STRING_EQUAL(line.options.log_file, "l");
    CU_ASSERT(line.options.job.dry && line.options.json && line.options.job.stateless);
  }
}

static void
what_is_to_be_deleted_is_said_in_three_ways(void)
{
  static const struct {
    const char *line;
    bool delete1;
    unsigned days;
  } table[] = {
    { "--dry", false, 0 },
    { "--delete1", true, 0 },
    { "--delete", true, 0 },
    { "--delete1after 0", true, 0 },
    { "--delete1after=30", true, 30 },
    { "--delete1after 30 --delete1", true, 30 },
    { "--delete1 --delete1after 36500", true, 36500 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Line) line;
    line_init(&line, table[i].line);
    CU_ASSERT(line.parsed);
    CU_ASSERT_EQUAL(line.options.job.policy.delete1, table[i].delete1);
    CU_ASSERT_EQUAL(line.options.job.policy.delete1_after_days, table[i].days);
  }
}

static void
a_url_says_what_its_options_say(void)
{
  static const struct {
    const char *url, *side;
  } table[] = {
    { "imaps://ann@imap.example", "imap user=ann host=imap.example ssl:1" },
    { "imaps://ann@imap.example/", "imap user=ann host=imap.example ssl:1" },
    { "IMAPS://imap.example:1993", "imap port=1993 host=imap.example ssl:1" },
    { "imap://ann@localhost:143", "imap user=ann port=143 host=localhost ssl:0" },
    { "imaps://ann%40example.org@host", "imap user=ann@example.org host=host ssl:1" },
    { "imaps://ann@example.org@host", "imap user=ann@example.org host=host ssl:1" },
    { "imaps://[::1]:993", "imap port=993 host=::1 ssl:1" },
    { "imaps://[::1]", "imap host=::1 ssl:1" },
    { "pop3s://bob@pop.example", "pop3 user=bob host=pop.example ssl:1" },
    { "maildir:/backup/ann", "maildir path=/backup/ann" },
    { "maildir:relative/path@with:all", "maildir path=relative/path@with:all" },
    { "maildir:", "maildir path=" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
    for (unsigned side = 0; side < 2; side++) {
      g_autofree char *text = g_strconcat(side == 1 ? "maildir:/first " : "", table[i].url, NULL);
      g_auto(Line) line;
      line_init(&line, text);
      CU_ASSERT(line.parsed);
      g_autofree char *said = side_text(&line.options.sides[side]);
      CU_ASSERT_STRING_EQUAL(said, table[i].side);
      if (strcmp(said, table[i].side) != 0)
        printf("%s: %s\n", table[i].url, said);
    }
}

static void
what_is_not_right_is_refused_with_what_is_wrong(void)
{
  static const struct {
    const char *line, *words;
  } table[] = {
    { "--no-such-option", "no-such-option" },
    { "--hots1", "hots1" },
    { "--host1", "host1 needs a value" },
    { "--folder", "folder needs a value" },
    { "--folder2", "folder2 needs a value" },
    { "--folder2=", "--folder2 takes the path" },
    { "--sep2 ab", "--sep2 takes one mark" },
    { "--sep1 a", "--sep1 takes one mark" },
    { "--subfolder2 a//b", "--subfolder2 takes the path" },
    { "--folder2 /a", "--folder2 takes the path" },
    { "--folder2 a/", "--folder2 takes the path" },
    { "--folder2 a//b", "--folder2 takes the path" },
    { "--folder2 a\tb", "a\\u{9}b" },
    { "--folder2 \xff", "\\xFF" },
    { "--dry=yes", "dry takes no value" },
    { "--flags sometimes", "sometimes" },
    { "--lanes 0", "lanes" },
    { "--lanes 65", "lanes" },
    { "--lanes x", "lanes" },
    { "--lanes -1", "lanes" },
    { "--grace 1e3", "grace" },
    { "--delete1=yes", "delete1 takes no value" },
    { "--delete3", "delete3" },
    { "--max-delete=0", "from 1 to" },
    { "--delete1after", "delete1after needs a value" },
    { "--delete1after soon", "from 0 to 36500" },
    { "--delete1after -1", "from 0 to 36500" },
    { "--delete1after 36501", "from 0 to 36500" },
    { "--", "" },
    { "ann", "URL" },
    { "imaps://", "host" },
    { "imaps://ann@", "host" },
    { "imaps://ann@host/INBOX", "--folder" },
    { "imaps://ann@host?x", "--folder" },
    { "imaps://%zz@host", "user" },
    { "maildir:/a maildir:/b maildir:/c", "already" },
    { ":/x", "URL" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Line) line;
    line_init(&line, table[i].line);
    CU_ASSERT(!line.parsed);
    CHECK_ERROR(line.error, HAUL_ERROR_ACCOUNT, "usage", table[i].words);
  }
}

static void
what_changes_nothing_is_accepted(void)
{
  static const struct {
    const char *line;
    bool is_right;
  } table[] = {
    { "--usecache --nousecache --useuid", true },
    { "--buffersize 8192 --split1 100 --dry", true },
    { "--buffersize=8192", true },
    { "--nofoldersizes --nofoldersizesatend --noreleasecheck --nolog", true },
    { "--tmpdir /tmp --pidfile x --nopidfilelocking", true },
    { "--buffersize", false },
    { "--usecache=yes", false },
    { "--nosyncinternaldates", false }, /* that asks for something */
    { "--nobuffersize", false },
    { "--usecach", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Line) line;
    line_init(&line, table[i].line);
    if (line.parsed != table[i].is_right)
      printf("%s\n", table[i].line);
    CU_ASSERT_EQUAL(line.parsed, table[i].is_right);
  }
}

/* ---- accounts ---- */

static void
check_tls(const char *options, const char *expected)
{
  g_autofree char *text =
      g_strconcat("--host1 h --user1 u --password1 p --path2 /nonexistent ", options, NULL);
  g_auto(Line) line;
  line_init(&line, g_strchomp(text));
  HaulAccount *source = NULL, *destination = NULL;
  g_autoptr(GError) error = NULL;
  CU_ASSERT(line.parsed);
  bool made = haul_options_accounts(&line.options, NULL, &source, &destination, &error);
  if (!made)
    printf("%s: %s\n", options, error->message);
  CU_ASSERT_FATAL(made);
  CU_ASSERT_STRING_EQUAL(haul_account_plugin(source)->name, "imap");
  CU_ASSERT_STRING_EQUAL(haul_account_plugin(destination)->name, "maildir");
  CU_ASSERT_STRING_EQUAL(haul_account_string(source, "tls"), expected);
  CU_ASSERT_STRING_EQUAL(haul_account_secret(source, "password"), "p");
  haul_account_free(source);
  haul_account_free(destination);
}

static void
clear_text_needs_to_be_asked_for_twice(void)
{
  check_tls("", "implicit");
  check_tls("--ssl1", "implicit");
  check_tls("--nossl1", "starttls");
  check_tls("--tls1", "starttls");
  check_tls("--notls1", "implicit");
  check_tls("--nossl1 --tls1", "starttls");
  check_tls("--nossl1 --notls1", "none");
}

static void
settings_of_a_backend_are_options_too(void)
{
  static const struct {
    const char *line, *words; /* NULL: it is right */
  } table[] = {
    { "maildir:/a maildir:/b --fsync2 false", NULL },
    { "--path1 /a --backend2 maildir --path2 /b", NULL },
    { "maildir:/a maildir:/b --fsink2 false", "fsync" },
    { "maildir:/a maildir:/b --host2 x", "host" },
    { "maildir:/a", "destination is missing" },
    { "--user1 ann maildir:/b", NULL },
    { "--user1 ann", "source is missing" },
    { "no-such:/a maildir:/b", "no-such" },
    { "message-id:/a maildir:/b", "not a backend" },
    { "maildir:/a imaps://host", "user2" },
    { "maildir:/a imaps://u@host --port2 many", "port" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(Line) line;
    line_init(&line, table[i].line);
    HaulAccount *source = NULL, *destination = NULL;
    g_autoptr(GError) error = NULL;
    CU_ASSERT(line.parsed);
    bool made = haul_options_accounts(&line.options, NULL, &source, &destination, &error);
    if (strstr(table[i].line, "--user1 ann maildir") != NULL) {
      /* The URL is the source then, and has no user. */
      CU_ASSERT(!made);
      continue;
    }
    CU_ASSERT_EQUAL(made, table[i].words == NULL);
    if (!made && table[i].words != NULL) {
      CU_ASSERT_EQUAL(haul_error_reach(error), HAUL_ERROR_ACCOUNT);
      CU_ASSERT_PTR_NOT_NULL(strstr(error->message, table[i].words));
      if (strstr(error->message, table[i].words) == NULL)
        printf("%s: %s\n", table[i].line, error->message);
    }
    if (made) {
      haul_account_free(source);
      haul_account_free(destination);
    }
  }
}

/* ---- secrets ---- */

#define SECRET "hunter2"

static bool
shows_secret(char **words)
{
  for (char **word = words; *word != NULL; word++)
    if (strstr(*word, SECRET) != NULL)
      return true;
  return false;
}

static void
a_password_is_wiped_from_the_arguments(void)
{
  static const char *const lines[] = {
    "--password1 " SECRET,
    "--password2=" SECRET,
    "-password1 " SECRET,
    "--password1 " SECRET " --no-such-option",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_auto(Line) line;
    line_init(&line, lines[i]);
    CU_ASSERT(!shows_secret(line.words));
    unsigned side = strstr(lines[i], "password2") != NULL;
    CU_ASSERT_STRING_EQUAL(line.options.sides[side].password, SECRET);
  }
}

static void
no_error_holds_a_password(void)
{
  static const char *const lines[] = {
    "imaps://ann:" SECRET "@host",
    "imaps://ann:" SECRET "@host/INBOX",
    "imaps://ann:" SECRET "@",
    "imaps://ann:" SECRET "/more@host",
    "imaps://ann:" SECRET "?more@host",
    "imaps://ann:" SECRET "#more@host",
    "maildir:/a maildir:/b imaps://ann:" SECRET "@host",
    "--pasword1 " SECRET " maildir:/a maildir:/b",
    "--password1 " SECRET " maildir:/a maildir:/b",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_auto(Line) line;
    line_init(&line, lines[i]);
    HaulAccount *source = NULL, *destination = NULL;
    if (line.parsed)
      CU_ASSERT(!haul_options_accounts(&line.options, NULL, &source, &destination, &line.error));
    CU_ASSERT_PTR_NOT_NULL_FATAL(line.error);
    CU_ASSERT_PTR_NULL(strstr(line.error->message, SECRET));
    if (strstr(line.error->message, SECRET) != NULL)
      printf("%s\n", line.error->message);
  }
}

static void
a_password_file_gives_its_first_line(void)
{
  static const struct {
    const char *content, *secret; /* NULL: an error */
  } table[] = {
    { "secret\n", "secret" },
    { "secret", "secret" },
    { "secret\r\n", "secret" },
    { "first\nsecond\n", "first" },
    { " blanks stay ", " blanks stay " },
    { "", NULL },
    { "\nsecond\n", NULL },
    { "p\xc3\xa4ss\n", "p\xc3\xa4ss" },
  };
  g_autofree char *folder = make_test_folder();
  g_autofree char *path = g_build_filename(folder, "password", NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT(g_file_set_contents(path, table[i].content, -1, NULL));
    chmod(path, 0600);
    char *secret = haul_secret_read_file(path, 1, &error);
    if (table[i].secret == NULL) {
      CU_ASSERT_PTR_NULL(secret);
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "input", "--passfile1");
    } else if (secret == NULL || strcmp(secret, table[i].secret) != 0)
      CU_FAIL("another secret");
    haul_secret_free(secret);
  }
  unlink(path);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(haul_secret_read_file(path, 2, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "input", "--passfile2");
  g_clear_error(&error);
  CU_ASSERT_PTR_NULL(haul_secret_read_file(folder, 2, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "input", NULL);
  rmdir(folder);
  haul_secret_free(NULL);
}

static void
the_environment_may_hold_passwords(void)
{
  g_setenv("MAILHAUL_PASSWORD1", "one", TRUE);
  g_unsetenv("MAILHAUL_PASSWORD2");
  char *secret = haul_secret_from_environment(1);
  CU_ASSERT_STRING_EQUAL(secret, "one");
  haul_secret_free(secret);
  CU_ASSERT_PTR_NULL(haul_secret_from_environment(2));
  g_unsetenv("MAILHAUL_PASSWORD1");
}

static void
help_names_every_option_of_the_readers_own_choice(void)
{
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  haul_options_help(out);
  fclose(out);
  static const char *const names[] = { "--host1", "--passfile1", "--folder", "--dry",
                                       "--state", "--match",     "--lanes" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    CU_ASSERT_PTR_NOT_NULL(strstr(text, names[i]));
  free(text);
}

static void
sizes_days_and_search_keys_are_read(void)
{
  static const struct {
    const char *size;
    uint64_t octets; /* 0: it is none */
  } sizes[] = { { "500000", 500000 }, { "1_000_000", 1000000 },
                { "500K", 512000 },   { "20M", 20 << 20 },
                { "1g", 1 << 30 },    { "2MB", 2 << 20 },
                { "3KiB", 3072 },     { "0", 0 },
                { "-5", 0 },          { "x", 0 },
                { "5X", 0 },          { "5MM", 0 },
                { "_5", 0 },          { "9999999999999T", 0 } };
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autofree char *text = g_strdup_printf("--maxsize %s", sizes[i].size);
    g_auto(Line) line;
    line_init(&line, text);
    CU_ASSERT_EQUAL(line.parsed, sizes[i].octets != 0);
    CU_ASSERT_EQUAL(line.options.job.policy.max_octets, sizes[i].octets);
    if (sizes[i].octets == 0)
      CHECK_ERROR(line.error, HAUL_ERROR_ACCOUNT, "usage", "--maxsize takes a size");
  }
  static const struct {
    const char *days;
    uint64_t seconds;
  } ages[] = {
    { "365", 31536000 }, { "0.5", 43200 }, { ".25", 21600 }, { "0", 0 },   { "-1", 0 },
    { "1d", 0 },         { "1e3", 0 },     { "0x10", 0 },    { "nan", 0 }, { "1e999", 0 }
  };
  for (size_t i = 0; i < G_N_ELEMENTS(ages); i++) {
    g_autofree char *text = g_strdup_printf("--minage %s", ages[i].days);
    g_auto(Line) line;
    line_init(&line, text);
    CU_ASSERT_EQUAL(line.parsed, ages[i].seconds != 0);
    CU_ASSERT_EQUAL(line.options.job.policy.min_age_s, ages[i].seconds);
  }
  g_auto(Line) both;
  line_init(&both, "--search SEEN --search2 FLAGGED");
  CU_ASSERT_STRING_EQUAL(both.options.job.policy.search1, "SEEN");
  CU_ASSERT_STRING_EQUAL(both.options.job.policy.search2, "FLAGGED");
  g_auto(Line) wrong;
  line_init(&wrong, "--search1 SEEM");
  CHECK_ERROR(wrong.error, HAUL_ERROR_ACCOUNT, "usage",
              "--search1: there is no such search key: \"SEEM\"");
}

int
main(void)
{
  haul_log_to_stderr(HAUL_LOG_NOTHING);
  static const Case cases[] = {
    CASE(defaults_are_those_of_the_manual),
    CASE(how_flags_are_treated_is_said_as_other_tools_say_it),
    CASE(options_are_read_in_either_spelling),
    CASE(what_is_to_be_deleted_is_said_in_three_ways),
    CASE(what_changes_nothing_is_accepted),
    CASE(a_url_says_what_its_options_say),
    CASE(what_is_not_right_is_refused_with_what_is_wrong),
    CASE(clear_text_needs_to_be_asked_for_twice),
    CASE(settings_of_a_backend_are_options_too),
    CASE(a_password_is_wiped_from_the_arguments),
    CASE(no_error_holds_a_password),
    CASE(a_password_file_gives_its_first_line),
    CASE(the_environment_may_hold_passwords),
    CASE(help_names_every_option_of_the_readers_own_choice),
    CASE(sizes_days_and_search_keys_are_read),
  };
  return RUN_SUITE("options", cases);
}
