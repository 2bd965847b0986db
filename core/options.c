/* The command line of sync. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "plugin.h"
#include "secret.h"

#define DEFAULT_LANES 2
#define DEFAULT_GRACE_S 3
#define MAX_DAYS 36500

/* How an option is carried out; @side is 0 or 1, and means nothing to an option without sides. */
typedef bool (*Apply)(HaulOptions *options, unsigned side, const char *key, const char *value,
                      GError **error);

typedef struct {
  const char *name;  /* without its side */
  bool sided;        /* written with a 1 or 2 behind it */
  const char *value; /* how help calls it; NULL: takes none */
  Apply apply;
  const char *key; /* handed to apply */
  const char *help;
} Option;

static void
add_setting(HaulSideOptions *side, const char *key, const char *value)
{
  g_ptr_array_add(side->settings, g_strdup(key));
  g_ptr_array_add(side->settings, g_strdup(value));
}

static bool
apply_setting(HaulOptions *options, unsigned side, const char *key, const char *value,
              GError **error)
{
  add_setting(&options->sides[side], key, value);
  return true;
}

/* Of the destination, written without its side. */
static bool
apply_setting2(HaulOptions *options, unsigned side, const char *key, const char *value,
               GError **error)
{
  add_setting(&options->sides[1], key, value != NULL ? value : "true");
  return true;
}

static bool
apply_backend(HaulOptions *options, unsigned side, const char *key, const char *value,
              GError **error)
{
  g_free(options->sides[side].backend);
  options->sides[side].backend = g_strdup(value);
  return true;
}

static void
take_password(HaulSideOptions *side, char *password)
{
  haul_secret_free(side->password);
  side->password = password;
}

static bool
apply_password(HaulOptions *options, unsigned side, const char *key, const char *value,
               GError **error)
{
  haul_log(HAUL_LOG_WARNING,
           "--password%u is visible to everyone on this machine; use --passfile%u", side + 1,
           side + 1);
  take_password(&options->sides[side], g_strdup(value));
  return true;
}

static bool
apply_passfile(HaulOptions *options, unsigned side, const char *key, const char *value,
               GError **error)
{
  char *password = haul_secret_read_file(value, side + 1, error);
  if (password == NULL)
    return false;
  take_password(&options->sides[side], password);
  return true;
}

static bool
apply_ssl(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  options->sides[side].ssl = key != NULL;
  return true;
}

static bool
apply_tls(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  options->sides[side].tls = key != NULL;
  return true;
}

static bool
apply_true(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  add_setting(&options->sides[side], key, "true");
  return true;
}

static bool
apply_token(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  if (!g_file_test(value, G_FILE_TEST_EXISTS))
    haul_log(HAUL_LOG_WARNING,
             "--%s%u is visible to everyone on this machine; give it the name of a file", key,
             side + 1);
  add_setting(&options->sides[side], key, value);
  return true;
}

/* Of both sides; what --inet1 says of one comes behind it, and stands. */
static bool
apply_inet(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  options->inet = key;
  return true;
}

static bool
apply_folder(HaulOptions *options, unsigned side, const char *key, const char *value,
             GError **error)
{
  g_ptr_array_add(options->folders, g_strdup(value));
  return true;
}

/* Where the folder goes: what is no path can be no name of a server either. */
static bool
apply_folder2(HaulOptions *options, unsigned side, const char *key, const char *value,
              GError **error)
{
  bool is_path = g_utf8_validate(value, -1, NULL) && *value != '\0' && *value != '/'
                 && !g_str_has_suffix(value, "/") && strstr(value, "//") == NULL;
  for (const char *at = value; is_path && *at != '\0'; at = g_utf8_next_char(at))
    is_path = !g_unichar_iscntrl(g_utf8_get_char(at));
  if (!is_path) {
    g_autofree char *shown = haul_text_display(value, strlen(value));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--folder2 takes the path of a folder, such as Imported/2019, not \"%s\"",
                   shown);
    return false;
  }
  g_free(options->folder2);
  options->folder2 = g_strdup(value);
  return true;
}

/* The members of HaulOptions that a key names. */
static bool
apply_text(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  char **member = strcmp(key, "match") == 0    ? &options->match
                  : strcmp(key, "state") == 0  ? &options->state_folder
                  : strcmp(key, "id-map") == 0 ? &options->id_map
                                               : &options->log_file;
  g_free(*member);
  *member = g_strdup(value);
  return true;
}

static bool
apply_switch(HaulOptions *options, unsigned side, const char *key, const char *value,
             GError **error)
{
  const struct {
    const char *key;
    bool *member;
  } switches[] = {
    { "dry", &options->dry },         { "json", &options->json },
    { "debug", &options->debug },     { "stateless", &options->stateless },
    { "quiet", &options->quiet },     { "help", &options->help },
    { "version", &options->version }, { "delete1", &options->delete1 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(switches); i++)
    if (strcmp(switches[i].key, key) == 0)
      *switches[i].member = true;
  return true;
}

static bool
apply_number(HaulOptions *options, unsigned side, const char *key, const char *value,
             GError **error)
{
  bool lanes = strcmp(key, "lanes") == 0;
  guint64 number;
  if (!g_ascii_string_to_unsigned(value, 10, lanes ? 1 : 0, lanes ? 64 : 3600, &number, NULL)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--%s takes a number from %d to %d, not \"%s\"", key, lanes ? 1 : 0,
                   lanes ? 64 : 3600, value);
    return false;
  }
  *(lanes ? &options->n_lanes : &options->grace_s) = (unsigned)number;
  return true;
}

/* Implies --delete1. */
static bool
apply_delete1_after(HaulOptions *options, unsigned side, const char *key, const char *value,
                    GError **error)
{
  guint64 days;
  if (!g_ascii_string_to_unsigned(value, 10, 0, MAX_DAYS, &days, NULL)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--delete1after takes a number of days from 0 to %d, not \"%s\"", MAX_DAYS,
                   value);
    return false;
  }
  options->delete1 = true;
  options->delete1_after_days = (unsigned)days;
  return true;
}

static bool
apply_flags(HaulOptions *options, unsigned side, const char *key, const char *value, GError **error)
{
  static const char *const modes[] = { "merge", "source", "add", "none" };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
    if (strcmp(value, modes[i]) == 0) {
      options->flags_mode = (HaulFlagsMode)i;
      return true;
    }
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "--flags takes merge, source, add or none, not \"%s\"", value);
  return false;
}

static bool
apply_labels(HaulOptions *options, unsigned side, const char *key, const char *value,
             GError **error)
{
  static const char *const modes[] = { "folders", "keywords", "first" };
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
    if (strcmp(value, modes[i]) == 0) {
      options->labels = (HaulLabelsMode)i;
      return true;
    }
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "--labels takes folders, keywords or first, not \"%s\"", value);
  return false;
}

static const Option table[] = {
  { "host", true, "NAME", apply_setting, "host", "server" },
  { "port", true, "N", apply_setting, "port", "TCP port, if not the usual one" },
  { "user", true, "NAME", apply_setting, "user", "login" },
  { "passfile", true, "FILE", apply_passfile, NULL, "file whose first line is the password" },
  { "password", true, "TEXT", apply_password, NULL,
    "the password (others can see it: use a file)" },
  { "authuser", true, "NAME", apply_setting, "authuser", "administrator who logs in for the user" },
  { "proxyauth", true, NULL, apply_true, "proxyauth", "and then by the command PROXYAUTH" },
  { "authmech", true, "NAMES", apply_setting, "authmech", "SASL mechanisms that may be used" },
  { "oauthaccesstoken", true, "TOKEN", apply_token, "oauthaccesstoken",
    "OAuth2 access token, or a file with it" },
  { "tokencmd", true, "COMMAND", apply_setting, "tokencmd", "command that prints such a token" },
  { "ssl", true, NULL, apply_ssl, "yes", "TLS from the first octet (default)" },
  { "nossl", true, NULL, apply_ssl, NULL, "none from the first octet: STARTTLS then" },
  { "tls", true, NULL, apply_tls, "yes", "STARTTLS" },
  { "notls", true, NULL, apply_tls, NULL, "with --nossl: clear text, on loopback only" },
  { "insecure", true, NULL, apply_true, "insecure", "allow clear text to other machines" },
  { "tls-ca", true, "FILE", apply_setting, "tls-ca", "certificate authorities to trust, too" },
  { "tls-pin", true, "PINS", apply_setting, "tls-pin", "keys to trust, as sha256:DIGEST,..." },
  { "tls-cert", true, "FILE", apply_setting, "tls-cert", "certificate to show to the server" },
  { "tls-key", true, "FILE", apply_setting, "tls-key", "its key, if not in the same file" },
  { "tunnel", true, "COMMAND", apply_setting, "tunnel", "talk to this process, not to a host" },
  { "compress", true, "WHEN", apply_setting, "compress", "auto, yes or no" },
  { "no-ext", true, "NAMES", apply_setting, "no-ext", "extensions to do without" },
  { "timeout", true, "SECONDS", apply_setting, "timeout", "patience with a silent server" },
  { "backend", true, "NAME", apply_backend, NULL, "kind of store; see mailhaul plugins" },
  { "path", true, "DIR", apply_setting, "path", "where a local store lies" },
  { "verify", true, NULL, apply_true, "verify", "read messages back from the disk, and compare" },
  { "newtree", true, NULL, apply_true, "newtree", "a Maildir may be another than in the last run" },
  { "seen", true, NULL, apply_true, "seen", "its messages count as read" },
  { "inet4", false, NULL, apply_inet, "4", "connect by IPv4 only" },
  { "inet6", false, NULL, apply_inet, "6", "connect by IPv6 only" },
  { "folder", false, "NAME", apply_folder, NULL, "only this folder; may be repeated" },
  { "folder2", false, "NAME", apply_folder2, NULL, "where that one folder goes" },
  { "match", false, "CHAIN", apply_text, "match", "what makes two messages the same one" },
  { "flags", false, "MODE", apply_flags, NULL, "merge (default), source, add or none" },
  { "labels", false, "MODE", apply_labels, NULL, "folders (default), keywords or first" },
  { "delete1", false, NULL, apply_switch, "delete1",
    "delete at the source what has a copy at the destination" },
  { "delete", false, NULL, apply_switch, "delete1", "the same" },
  { "delete1after", false, "DAYS", apply_delete1_after, NULL,
    "the same, of what has had its copy so long" },
  { "lanes", false, "N", apply_number, "lanes", "connections to each side" },
  { "snapshot", false, NULL, apply_setting2, "snapshot",
    "keep the destination as this run leaves it, under the date" },
  { "keep", false, "N", apply_setting2, "keep", "and of such snapshots the latest N only" },
  { "dry", false, NULL, apply_switch, "dry", "plan only, write nothing" },
  { "state", false, "DIR", apply_text, "state", "where the state is kept" },
  { "stateless", false, NULL, apply_switch, "stateless", "keep none: find copies by matching" },
  { "grace", false, "SECONDS", apply_number, "grace",
    "how long a delivery that was cut off may still appear" },
  { "uidl-map", false, "FILE", apply_text, "id-map",
    "write under which UIDs messages are that have UIDLs" },
  { "logfile", false, "FILE", apply_text, "logfile", "append a log" },
  { "json", false, NULL, apply_switch, "json", "events on standard output, a line each" },
  { "quiet", false, NULL, apply_switch, "quiet", "errors only" },
  { "debug", false, NULL, apply_switch, "debug", "show the protocol, without secrets" },
  { "help", false, NULL, apply_switch, "help", "this text" },
  { "version", false, NULL, apply_switch, "version", "the version" },
};

void
haul_options_init(HaulOptions *options)
{
  *options = (HaulOptions){
    .match = g_strdup("auto"),
    .state_folder = g_build_filename(g_get_user_state_dir(), "mailhaul", NULL),
    .folders = g_ptr_array_new_with_free_func(g_free),
    .n_lanes = DEFAULT_LANES,
    .grace_s = DEFAULT_GRACE_S,
  };
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
  g_ptr_array_unref(options->folders);
  g_free(options->folder2);
  g_free(options->id_map);
  g_free(options->match);
  g_free(options->state_folder);
  g_free(options->log_file);
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
    add_setting(side, "user", user);
  }
  char *port = strrchr(host, ':');
  if (port != NULL && strchr(port, ']') == NULL) {
    *port = '\0';
    add_setting(side, "port", port + 1);
  }
  size_t size = strlen(host);
  if (host[0] == '[' && size > 2 && host[size - 1] == ']') {
    host[size - 1] = '\0';
    host++;
  }
  if (*host == '\0')
    return bad_url(url, "there is no host in it", error);
  add_setting(side, "host", host);
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
    add_setting(side, "path", colon + 1);
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

/* Finds the option that @name (with its side, if any) means; *side gets 0 or 1. */
static const Option *
find_option(const char *name, unsigned *side)
{
  size_t size = strlen(name);
  bool sided = size > 1 && (name[size - 1] == '1' || name[size - 1] == '2');
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    const Option *option = &table[i];
    if (!option->sided && strcmp(option->name, name) == 0) {
      *side = 0;
      return option;
    }
    if (option->sided && sided && strlen(option->name) == size - 1
        && strncmp(option->name, name, size - 1) == 0) {
      *side = (unsigned)(name[size - 1] - '1');
      return option;
    }
  }
  return NULL;
}

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
  add_setting(&options->sides[name[size - 1] - '1'], key, value);
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
    const Option *option = find_option(plain, &side);
    bool takes_value = option != NULL ? option->value != NULL
                                      : value == NULL && i + 1 < argc && argv[i + 1][0] != '-';
    if (option != NULL && !takes_value && value != NULL) {
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
    bool applied = option != NULL ? option->apply(options, side, option->key, value, error)
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

static HaulAccount *
make_account(HaulSideOptions *side, unsigned number, const char *inet, HaulCancel *cancel,
             GError **error)
{
  const char *backend = side->backend;
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
  g_autoptr(HaulAccount) source = make_account(&options->sides[0], 1, options->inet, cancel, error);
  if (source == NULL)
    return false;
  *account2 = make_account(&options->sides[1], 2, options->inet, cancel, error);
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
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *left = g_strdup_printf("--%s%s%s%s", table[i].name, table[i].sided ? "1" : "",
                                            table[i].value != NULL ? " " : "",
                                            table[i].value != NULL ? table[i].value : "");
    fprintf(out, "  %-22s %s\n", left, table[i].help);
  }
  fputs("\nSettings of a backend (mailhaul plugins -v) work the same way: --fsync2 never.\n", out);
}
