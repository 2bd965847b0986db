/* The command line, read: URLs, options, and accounts made of them. The table of options is next door. */
#include "options.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "options-idle.h"
#include "options-table.h"
#include "plugin.h"
#include "secret.h"

#define DEFAULT_LANES 2
#define DEFAULT_GRACE_S 3

void
haul_options_init(HaulOptions *options)
{
  *options = (HaulOptions){
    .texts = g_ptr_array_new_with_free_func(g_free),
    .job.policy = { .match = "auto",
                    .n_lanes = DEFAULT_LANES,
                    .errors_max = HAUL_DEFAULT_ERRORS_MAX,
                    .grace_s = DEFAULT_GRACE_S },
  };
  char *state_folder = g_build_filename(g_get_user_state_dir(), "mailhaul", NULL);
  g_ptr_array_add(options->texts, state_folder);
  options->job.state_folder = state_folder;
  for (size_t i = 0; i < G_N_ELEMENTS(options->sides); i++) {
    options->sides[i].settings =
        g_ptr_array_new_with_free_func((GDestroyNotify)haul_secret_free); /* tokens, too */
    options->sides[i].ssl = options->sides[i].tls = -1;
  }
}

void
haul_options_clear(HaulOptions *options)
{
  for (size_t i = 0; i < G_N_ELEMENTS(options->sides); i++) {
    g_free(options->sides[i].backend);
    haul_secret_free(options->sides[i].password);
    g_ptr_array_unref(options->sides[i].settings);
  }
  g_ptr_array_unref(options->texts);
}

/* ---- URLs ---- */

static bool
bad_url(const char *url, const char *what, GError **error)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "%s: %s", url, what);
  return false;
}

/* Whether a URL has a password in it: then it is not shown. */
static bool
holds_password(const char *url)
{
  const char *authority = strstr(url, "://"), *at = strrchr(url, '@');
  if (authority == NULL || at == NULL)
    return false;
  const char *colon = strchr(authority + strlen("://"), ':');
  return colon != NULL && colon < at;
}

/* user@host:port of "SCHEME://user@host:port/"; a password in it is refused. */
static bool
parse_authority(HaulSideOptions *side, const char *url, const char *authority, GError **error)
{
  g_autofree char *text = g_strndup(authority, strcspn(authority, "/?#"));
  const char *rest = authority + strlen(text);
  if (*rest != '\0' && strcmp(rest, "/") != 0)
    return bad_url(url, "nothing may follow the host; choose folders with --folder", error);
  char *host = text, *at = strrchr(text, '@');
  if (at != NULL) {
    *at = '\0';
    host = at + 1;
    g_autofree char *user = g_uri_unescape_string(text, NULL);
    if (user == NULL)
      return bad_url(url, "the user is not written as in a URL", error);
    haul_options_add_setting(side, "user", user);
  }
  char *port = strrchr(host, ':');
  if (port != NULL && strchr(port, ']') == NULL) {
    *port = '\0';
    haul_options_add_setting(side, "port", port + 1);
  }
  size_t size = strlen(host);
  if (host[0] == '[' && size > 2 && host[size - 1] == ']') {
    host[size - 1] = '\0';
    host++;
  }
  if (*host == '\0')
    return bad_url(url, "there is no host in it", error);
  haul_options_add_setting(side, "host", host);
  return true;
}

/* "NAMEs://..." is backend NAME with TLS from the start, "NAME://..." with STARTTLS, "NAME:PATH" a
 * local store. */
static bool
parse_url(HaulSideOptions *side, const char *url, GError **error)
{
  const char *colon = strchr(url, ':');
  if (colon == NULL || colon == url)
    return bad_url(url, "neither an option nor a URL such as imaps://ann@imap.example", error);
  g_autofree char *scheme = g_ascii_strdown(url, colon - url);
  g_free(side->backend);
  if (!g_str_has_prefix(colon, "://")) {
    side->backend = g_steal_pointer(&scheme);
    haul_options_add_setting(side, "path", colon + 1);
    return true;
  }
  size_t size = strlen(scheme);
  bool implicit = size > 1 && scheme[size - 1] == 's';
  if (implicit)
    scheme[size - 1] = '\0';
  side->backend = g_steal_pointer(&scheme);
  if (side->ssl < 0)
    side->ssl = implicit;
  return parse_authority(side, url, colon + 3, error);
}

/* ---- parsing ---- */

/* An option that the table does not know may be a setting of a backend: it is checked there. */
static bool
apply_plugin_setting(HaulOptions *options, const char *name, const char *value, GError **error)
{
  size_t size = strlen(name);
  if (size < 2 || (name[size - 1] != '1' && name[size - 1] != '2') || value == NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "there is no option --%s; see mailhaul sync --help", name);
    return false;
  }
  g_autofree char *key = g_strndup(name, size - 1);
  haul_options_add_setting(&options->sides[name[size - 1] - '1'], key, value);
  return true;
}

static bool
note_idle(const char *name, const char *why)
{
  haul_log(HAUL_LOG_INFO, "--%s is not needed: %s", name, why);
  return true;
}

static void
wipe_argument(const char *name, char *value)
{
  if (g_str_has_prefix(name, "password") || g_str_has_prefix(name, "oauthaccesstoken"))
    memset(value, '*', strlen(value));
}

bool
haul_options_parse(HaulOptions *options, int argc, char **argv, GError **error)
{
  unsigned n_urls = 0;
  for (int i = 0; i < argc; i++) {
    if (!g_str_has_prefix(argv[i], "-") || strcmp(argv[i], "-") == 0) {
      if (holds_password(argv[i]))
        return bad_url("URL",
                       "a password does not belong there; use --passfile1 or --passfile2 (a colon "
                       "within the user is written %3A)",
                       error);
      if (n_urls == 2)
        return bad_url(argv[i], "there is a source and a destination already", error);
      if (!parse_url(&options->sides[n_urls++], argv[i], error))
        return false;
      continue;
    }
    char *name = argv[i] + strspn(argv[i], "-"), *value = strchr(name, '=');
    g_autofree char *plain =
        value != NULL ? g_strndup(name, (size_t)(value - name)) : g_strdup(name);
    if (value != NULL)
      value++;
    unsigned side = 0;
    const HaulOption *option = haul_options_find(plain, &side);
    bool takes_value = value == NULL && i + 1 < argc && argv[i + 1][0] != '-';
    const char *idle = option == NULL ? haul_options_find_idle(plain, &takes_value) : NULL;
    if (option != NULL)
      takes_value = option->value != NULL;
    if ((option != NULL || idle != NULL) && !takes_value && value != NULL) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--%s takes no value", plain);
      return false;
    }
    if (takes_value && value == NULL) {
      if (i + 1 >= argc) {
        haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--%s needs a value", plain);
        return false;
      }
      value = argv[++i];
    }
    bool applied = option != NULL ? option->apply(options, option, side, value, error)
                   : idle != NULL ? note_idle(plain, idle)
                                  : apply_plugin_setting(options, plain, value, error);
    if (value != NULL)
      wipe_argument(plain, value);
    if (!applied)
      return false;
  }
  return true;
}

/* ---- accounts ---- */

static bool
says(const HaulSideOptions *side, const char *key)
{
  for (guint i = 0; i < side->settings->len; i += 2)
    if (strcmp(side->settings->pdata[i], key) == 0)
      return true;
  return false;
}

static const char *
tls_setting(const HaulSideOptions *side)
{
  if (side->ssl == 1)
    return "implicit";
  if (side->tls == 1 || side->ssl == 0)
    return side->tls == 0 ? "none" : "starttls";
  return NULL;
}

HaulAccount *
haul_options_account(HaulOptions *options, unsigned number, HaulCancel *cancel, GError **error)
{
  HaulSideOptions *side = &options->sides[number - 1];
  const char *backend = side->backend, *inet = options->inet;
  bool networked = says(side, "host") || says(side, "tunnel");
  if (backend == NULL && !networked && !says(side, "path")) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "the %s is missing: give --host%u, --path%u or a URL",
                   number == 1 ? "source" : "destination", number, number);
    return NULL;
  }
  if (backend == NULL)
    backend = networked ? HAUL_NETWORK_BACKEND : HAUL_LOCAL_BACKEND;
  const HaulPlugin *plugin = haul_plugin_load(backend, error);
  if (plugin == NULL)
    return NULL;
  if (plugin->store == NULL) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "%s is not a backend", backend);
    return NULL;
  }
  g_autoptr(HaulAccount) account = haul_account_new(number, plugin, cancel);
  if (inet != NULL && haul_account_has(account, "inet")
      && !haul_account_set(account, "inet", inet, error))
    return NULL;
  for (guint i = 0; i < side->settings->len; i += 2)
    if (!haul_account_set(account, side->settings->pdata[i], side->settings->pdata[i + 1], error))
      return NULL;
  const char *tls = tls_setting(side);
  if (tls != NULL && !haul_account_set(account, "tls", tls, error))
    return NULL;
  if (side->password == NULL && haul_account_has(account, "password"))
    side->password = haul_secret_from_environment(number);
  if (side->password != NULL && !haul_account_set(account, "password", side->password, error))
    return NULL;
  return haul_account_check(account, error) ? g_steal_pointer(&account) : NULL;
}

bool
haul_options_accounts(HaulOptions *options, HaulCancel *cancel, HaulAccount **account1,
                      HaulAccount **account2, GError **error)
{
  g_autoptr(HaulAccount) source = haul_options_account(options, 1, cancel, error);
  if (source == NULL)
    return false;
  *account2 = haul_options_account(options, 2, cancel, error);
  if (*account2 == NULL)
    return false;
  *account1 = g_steal_pointer(&source);
  return true;
}

void
haul_options_help(FILE *out)
{
  fputs("usage: mailhaul sync SOURCE DESTINATION [OPTION...]\n"
        "       mailhaul sync --host1 NAME --user1 NAME --passfile1 FILE\n"
        "                     --host2 NAME --user2 NAME --passfile2 FILE [OPTION...]\n\n"
        "Copies mail from one account to another. SOURCE and DESTINATION are URLs such as\n"
        "imaps://ann@imap.example or maildir:/backup/ann, SOURCE may be pop3s://ann@pop.example,\n"
        "too. Options of a side end in 1 (source) or 2 (destination).\n\n",
        out);
  size_t n;
  const HaulOption *table = haul_options_table(&n);
  for (size_t i = 0; i < n; i++) {
    g_autofree char *left = g_strdup_printf("--%s%s%s%s", table[i].name, table[i].sided ? "1" : "",
                                            table[i].value != NULL ? " " : "",
                                            table[i].value != NULL ? table[i].value : "");
    fprintf(out, "  %-22s %s\n", left, table[i].help);
  }
  fputs("\nSettings of a backend (mailhaul plugins -v) work the same way: --fsync2 never.\n", out);
}
