/* Tests account.c. */
#include "suite.h"

#include <string.h>

#include <mailhaul/error.h>

#include "account.h"

static const HaulSetting settings[] = {
  { "host", 's', NULL, "Name or address of the server." },
  { "port", 'n', "0", "TCP port." },
  { "tls", 's', "implicit", "Kind of TLS." },
  { "insecure", 'b', "false", "Whether clear text may leave." },
  { "timeout", 'd', "120", "Patience." },
  { "path", 'p', "", "A folder." },
  { "password", '*', NULL, "The password." },
  { NULL, 0, NULL, NULL },
};

static const HaulPlugin plugin = { HAUL_PLUGIN_HEAD, .name = "sample", .settings = settings };

static void
defaults_hold_until_something_is_set(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &plugin, NULL);
  CU_ASSERT_PTR_NULL(haul_account_string(account, "host"));
  CU_ASSERT_PTR_NULL(haul_account_secret(account, "password"));
  CU_ASSERT_STRING_EQUAL(haul_account_string(account, "tls"), "implicit");
  CU_ASSERT_STRING_EQUAL(haul_account_string(account, "path"), "");
  CU_ASSERT_EQUAL(haul_account_number(account, "port"), 0);
  CU_ASSERT_EQUAL(haul_account_number(account, "timeout"), 120);
  CU_ASSERT(!haul_account_bool(account, "insecure"));
  CU_ASSERT(haul_account_has(account, "tls") && !haul_account_is_set(account, "tls"));
  CU_ASSERT(!haul_account_has(account, "tl") && !haul_account_is_set(account, "tl"));

  CU_ASSERT(haul_account_set(account, "tls", "none", NULL));
  CU_ASSERT(haul_account_set(account, "tls", "starttls", NULL));
  CU_ASSERT_STRING_EQUAL(haul_account_string(account, "tls"), "starttls");
  CU_ASSERT(haul_account_is_set(account, "tls"));
  CU_ASSERT(haul_account_set(account, "tls", haul_account_string(account, "tls"), NULL));
  CU_ASSERT_STRING_EQUAL(haul_account_string(account, "tls"), "starttls");
}

static void
an_account_knows_its_side(void)
{
  g_autoptr(HaulAccount) source = haul_account_new(1, &plugin, NULL);
  g_autoptr(HaulAccount) destination = haul_account_new(2, &plugin, NULL);
  CU_ASSERT_STRING_EQUAL(haul_account_side(source), "source");
  CU_ASSERT_STRING_EQUAL(haul_account_side(destination), "destination");
  CU_ASSERT_EQUAL(haul_account_number_of_side(destination), 2);
  CU_ASSERT_PTR_EQUAL(haul_account_plugin(source), &plugin);
  CU_ASSERT(!haul_account_cancelled(source));
}

static void
values_are_checked_by_their_type(void)
{
  static const struct {
    const char *key, *value;
    bool ok;
    uint64_t number;
  } table[] = {
    { "port", "993", true, 993 },
    { "port", "18446744073709551615", true, UINT64_MAX },
    { "port", "18446744073709551616", false, 0 },
    { "port", "", false, 0 },
    { "port", "-1", false, 0 },
    { "port", " 1", false, 0 },
    { "port", "1x", false, 0 },
    { "port", "0x10", false, 0 },
    { "timeout", "90", true, 90 },
    { "timeout", "90s", true, 90 },
    { "timeout", "2m", true, 120 },
    { "timeout", "1h", true, 3600 },
    { "timeout", "h", false, 0 },
    { "timeout", "", false, 0 },
    { "timeout", "1d", false, 0 },
    { "timeout", "1hm", false, 0 },
    { "timeout", "2147483647", true, 2147483647 },
    { "timeout", "2147483648", false, 0 },
    { "timeout", "9999999999999h", false, 0 },
    { "insecure", "yes", true, 1 },
    { "insecure", "TRUE", true, 1 },
    { "insecure", "1", true, 1 },
    { "insecure", "no", true, 0 },
    { "insecure", "False", true, 0 },
    { "insecure", "0", true, 0 },
    { "insecure", "maybe", false, 0 },
    { "insecure", "", false, 0 },
    { "host", "mail.example", true, 0 },
    { "host", "a\r\nb", false, 0 },
    { "host", "a\n", false, 0 },
    { "path", "~/a b/", true, 0 },
    { "path", "a\rb", false, 0 },
    { "password", "line\r\nend\377", true, 0 },
    { "password", "", true, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulAccount) account = haul_account_new(2, &plugin, NULL);
    g_autoptr(GError) error = NULL;
    const char *key = table[i].key, *value = table[i].value;
    CU_ASSERT_EQUAL(haul_account_set(account, key, value, &error), table[i].ok);
    CU_ASSERT_EQUAL(haul_account_is_set(account, key), table[i].ok);
    if (!table[i].ok) {
      g_autofree char *option = g_strdup_printf("destination: --%s2 ", key);
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", option);
      CU_ASSERT_PTR_NULL(strpbrk(error->message, "\r\n"));
    } else if (strcmp(key, "insecure") == 0) {
      CU_ASSERT_EQUAL(haul_account_bool(account, key), table[i].number == 1);
    } else if (strcmp(key, "password") == 0) {
      CU_ASSERT_STRING_EQUAL(haul_account_secret(account, key), value);
    } else if (strcmp(key, "port") == 0 || strcmp(key, "timeout") == 0) {
      CU_ASSERT_EQUAL(haul_account_number(account, key), table[i].number);
    } else {
      CU_ASSERT_STRING_EQUAL(haul_account_string(account, key), value);
    }
  }
}

static void
a_misspelt_key_is_answered_with_the_nearest(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &plugin, NULL);
  static const struct {
    const char *key, *hint;
  } table[] = {
    { "hots", "did you mean --host1?" },
    { "prot", "did you mean --port1?" },
    { "pasword", "did you mean --password1?" },
    { "time-out", "did you mean --timeout1?" },
    { "quite-another-thing", "`mailhaul plugins -v`" },
    { "\033[2J", "\"\\u{1B}[2J\"" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(GError) error = NULL;
    CU_ASSERT(!haul_account_set(account, table[i].key, "x", &error));
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", table[i].hint);
    CU_ASSERT(g_str_has_prefix(error->message, "source: the plugin sample has no setting "));
  }
  g_autofree char *endless = g_strnfill(100000, 'x');
  CU_ASSERT(!haul_account_set(account, endless, "x", NULL));
}

static void
what_is_required_is_named_by_its_option(void)
{
  g_autoptr(HaulAccount) account = haul_account_new(1, &plugin, NULL);
  g_autoptr(GError) no_host = NULL, empty_host = NULL, no_password = NULL;
  CU_ASSERT(!haul_account_check(account, &no_host));
  CHECK_ERROR(no_host, HAUL_ERROR_ACCOUNT, "usage", "source: the plugin sample needs --host1");
  CU_ASSERT(haul_account_set(account, "host", "", NULL));
  CU_ASSERT(!haul_account_check(account, &empty_host));
  CHECK_ERROR(empty_host, HAUL_ERROR_ACCOUNT, "usage", "--host1");
  CU_ASSERT(haul_account_set(account, "host", "h", NULL));
  CU_ASSERT(!haul_account_check(account, &no_password));
  CHECK_ERROR(no_password, HAUL_ERROR_ACCOUNT, "usage", "--passfile1");
  CU_ASSERT(haul_account_set(account, "password", "", NULL));
  CU_ASSERT(haul_account_check(account, NULL));
}

int
main(void)
{
  static const Case cases[] = {
    CASE(defaults_hold_until_something_is_set),
    CASE(an_account_knows_its_side),
    CASE(values_are_checked_by_their_type),
    CASE(a_misspelt_key_is_answered_with_the_nearest),
    CASE(what_is_required_is_named_by_its_option),
  };
  return RUN_SUITE("account", cases);
}
