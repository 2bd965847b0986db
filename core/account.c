/*
 * Accounts: the settings of one side, checked against the table that its plugin declares.
 *
 * Here a text becomes a value of its type, or a complaint that names the option. Where the text
 * came from (command line, URL, file, prompt) is known elsewhere, and so is how a secret is got.
 */
#include "account.h"

#include <stdlib.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#define DURATION_LIMIT_S ((uint64_t)INT32_MAX)

typedef struct {
  char *text;      /* owned; NULL until set by the user or a default */
  uint64_t number; /* of 'n', 'd' and 'b' */
  bool is_set;     /* by the user */
} Value;

struct HaulAccount {
  unsigned side;
  const HaulPlugin *plugin; /* borrowed */
  HaulCancel *cancel;       /* borrowed; may be NULL */
  Value *values;            /* owned; in the order of the plugin's table */
  size_t n_values;
  HaulFindings *findings; /* owned */
  char *known_identity;   /* owned, or NULL */
};

static size_t
count_settings(const HaulPlugin *plugin)
{
  size_t n = 0;
  while (plugin->settings != NULL && plugin->settings[n].key != NULL)
    n++;
  return n;
}

static bool
parse_bool(const char *text, uint64_t *number)
{
  static const char *const words[] = { "false", "true", "no", "yes", "0", "1" };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (g_ascii_strcasecmp(text, words[i]) == 0) {
      *number = i % 2;
      return true;
    }
  }
  return false;
}

static bool
parse_duration(const char *text, uint64_t *seconds)
{
  size_t digits = strspn(text, "0123456789");
  uint64_t unit;
  if (strcmp(text + digits, "") == 0 || strcmp(text + digits, "s") == 0)
    unit = 1;
  else if (strcmp(text + digits, "m") == 0)
    unit = 60;
  else if (strcmp(text + digits, "h") == 0)
    unit = 3600;
  else
    return false;

  g_autofree char *number = g_strndup(text, digits);
  if (!g_ascii_string_to_unsigned(number, 10, 0, DURATION_LIMIT_S / unit, seconds, NULL))
    return false;
  *seconds *= unit;
  return true;
}

/* Says what is wrong with @text as a value of @type; NULL if nothing, and @number is filled where
 * the type is a number of some kind. */
static const char *
parse_value(char type, const char *text, uint64_t *number)
{
  *number = 0;
  switch (type) {
  case 'b':
    return parse_bool(text, number) ? NULL : "wants true or false";
  case 'n':
    return g_ascii_string_to_unsigned(text, 10, 0, UINT64_MAX, number, NULL) ? NULL
                                                                             : "wants a number";
  case 'd':
    return parse_duration(text, number) ? NULL : "wants a time such as 90, 90s, 2m or 1h";
  case '*':
    return NULL;
  default:
    /* A line end would let a name smuggle a command into a conversation of lines. */
    return strpbrk(text, "\r\n") == NULL ? NULL : "cannot hold a line end";
  }
}

bool
haul_setting_accepts(const HaulSetting *setting, const char *text)
{
  uint64_t number;
  return parse_value(setting->type, text, &number) == NULL;
}

static void
wipe(Value *value)
{
  /* Every text alike: a user name in a core dump helps nobody either. */
  if (value->text != NULL)
    explicit_bzero(value->text, strlen(value->text));
  g_clear_pointer(&value->text, g_free);
}

HaulAccount *
haul_account_new(unsigned side, const HaulPlugin *plugin, HaulCancel *cancel)
{
  g_assert(side == 1 || side == 2);
  HaulAccount *account = g_new0(HaulAccount, 1);
  account->side = side;
  account->plugin = plugin;
  account->cancel = cancel;
  account->n_values = count_settings(plugin);
  account->values = g_new0(Value, account->n_values);
  account->findings = haul_findings_new();

  for (size_t i = 0; i < account->n_values; i++) {
    const HaulSetting *setting = &plugin->settings[i];
    if (setting->fallback == NULL)
      continue;
    Value *value = &account->values[i];
    const char *trouble = parse_value(setting->type, setting->fallback, &value->number);
    g_assert(trouble == NULL); /* core/plugin.c refuses such a table */
    value->text = g_strdup(setting->fallback);
  }
  return account;
}

void
haul_account_free(HaulAccount *account)
{
  if (account == NULL)
    return;
  for (size_t i = 0; i < account->n_values; i++)
    wipe(&account->values[i]);
  g_free(account->values);
  haul_findings_free(account->findings);
  g_free(account->known_identity);
  g_free(account);
}

unsigned
haul_account_number_of_side(const HaulAccount *account)
{
  return account->side;
}

const HaulPlugin *
haul_account_plugin(const HaulAccount *account)
{
  return account->plugin;
}

HaulCancel *
haul_account_cancel(const HaulAccount *account)
{
  return account->cancel;
}

const char *
haul_account_side(const HaulAccount *account)
{
  return account->side == 1 ? "source" : "destination";
}

bool
haul_account_cancelled(const HaulAccount *account)
{
  return account->cancel != NULL && haul_cancel_is_set(account->cancel);
}

void
haul_account_set_known_identity(HaulAccount *account, const char *identity)
{
  g_free(account->known_identity);
  account->known_identity = g_strdup(identity);
}

const char *
haul_account_known_identity(const HaulAccount *account)
{
  return account->known_identity;
}

HaulFindings *
haul_account_findings(const HaulAccount *account)
{
  return account->findings;
}

static Value *
find(const HaulAccount *account, const char *key)
{
  for (size_t i = 0; i < account->n_values; i++)
    if (strcmp(account->plugin->settings[i].key, key) == 0)
      return &account->values[i];
  return NULL;
}

bool
haul_account_has(const HaulAccount *account, const char *key)
{
  return find(account, key) != NULL;
}

bool
haul_account_is_set(const HaulAccount *account, const char *key)
{
  const Value *value = find(account, key);
  return value != NULL && value->is_set;
}

/* How many octets must be inserted, dropped or replaced to make @b of @a (Levenshtein). */
static size_t
edit_distance(const char *a, const char *b)
{
  size_t length = strlen(b);
  g_autofree size_t *row = g_new(size_t, length + 1);
  for (size_t j = 0; j <= length; j++)
    row[j] = j;
  for (size_t i = 0; a[i] != '\0'; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < length; j++) {
      size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = MIN(replaced, MIN(row[j], row[j + 1]) + 1);
    }
  }
  return row[length];
}

/* Returns the key of the plugin that @key is likely a misspelling of, or NULL. */
static const char *
nearest_key(const HaulAccount *account, const char *key)
{
  size_t length = strlen(key);
  if (length > 64)
    return NULL;
  const char *nearest = NULL;
  size_t least = MAX(2, length / 2) + 1; /* farther off, a suggestion is only a riddle */
  for (size_t i = 0; i < account->n_values; i++) {
    size_t distance = edit_distance(key, account->plugin->settings[i].key);
    if (distance < least) {
      least = distance;
      nearest = account->plugin->settings[i].key;
    }
  }
  return nearest;
}

static bool
refuse_unknown_key(const HaulAccount *account, const char *key, GError **error)
{
  g_autofree char *shown = haul_text_display(key, strlen(key));
  const char *nearest = nearest_key(account, key);
  g_autofree char *hint = nearest == NULL
                              ? g_strdup_printf("`mailhaul plugins -v` lists its settings")
                              : g_strdup_printf("did you mean --%s%u?", nearest, account->side);
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "%s: the plugin %s has no setting \"%s\"; %s",
                 haul_account_side(account), account->plugin->name, shown, hint);
  return false;
}

bool
haul_account_set(HaulAccount *account, const char *key, const char *value, GError **error)
{
  Value *slot = find(account, key);
  if (slot == NULL)
    return refuse_unknown_key(account, key, error);

  const HaulSetting *setting = &account->plugin->settings[slot - account->values];
  uint64_t number;
  const char *trouble = parse_value(setting->type, value, &number);
  if (trouble != NULL) {
    g_autofree char *shown = haul_text_display(value, strlen(value));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "%s: --%s%u %s, not \"%s\"",
                   haul_account_side(account), key, account->side, trouble, shown);
    return false;
  }

  char *text = g_strdup(value); /* before the wipe: @value may be what it replaces */
  wipe(slot);
  slot->text = text;
  slot->number = number;
  slot->is_set = true;
  return true;
}

/* Whether an access token takes the place of the password (<mailhaul/sasl.h>). */
static bool
has_token(const HaulAccount *account)
{
  static const char *const keys[] = { "oauthaccesstoken", "tokencmd" };
  bool has = false;
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    const Value *value = find(account, keys[i]);
    has |= value != NULL && value->is_set && *value->text != '\0';
  }
  return has;
}

/* Whether @key is what a tunnel may do without: the server may be reached, and know us, already. */
static bool
is_tunnelled(const HaulAccount *account, const char *key)
{
  static const char *const spared[] = { "host", "user", "password", NULL };
  const Value *tunnel = find(account, "tunnel");
  return tunnel != NULL && tunnel->is_set && *tunnel->text != '\0' && g_strv_contains(spared, key);
}

bool
haul_account_check(const HaulAccount *account, GError **error)
{
  for (size_t i = 0; i < account->n_values; i++) {
    const HaulSetting *setting = &account->plugin->settings[i];
    const Value *value = &account->values[i];
    if (setting->fallback != NULL || (value->is_set && *value->text != '\0'))
      continue;
    if (value->is_set && setting->type == '*')
      continue; /* an empty password is one, if a poor one */
    if (strcmp(setting->key, "password") == 0 && has_token(account))
      continue;
    if (is_tunnelled(account, setting->key))
      continue;
    /* A password is asked for by the option that keeps it off the command line. */
    const char *option = strcmp(setting->key, "password") == 0 ? "passfile" : setting->key;
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "%s: the plugin %s needs --%s%u: %s",
                   haul_account_side(account), account->plugin->name, option, account->side,
                   setting->help != NULL ? setting->help : "it has no default");
    return false;
  }
  return true;
}

/* Finds a setting that the plugin must have declared with one of @types. */
static const Value *
demand(const HaulAccount *account, const char *key, const char *types)
{
  const Value *value = find(account, key);
  if (value == NULL
      || strchr(types, account->plugin->settings[value - account->values].type) == NULL)
    g_error("the plugin %s asks for a setting \"%s\" that it does not declare so",
            account->plugin->name, key);
  return value;
}

const char *
haul_account_string(const HaulAccount *account, const char *key)
{
  return demand(account, key, "sp")->text;
}

uint64_t
haul_account_number(const HaulAccount *account, const char *key)
{
  return demand(account, key, "nd")->number;
}

bool
haul_account_bool(const HaulAccount *account, const char *key)
{
  return demand(account, key, "b")->number != 0;
}

const char *
haul_account_secret(const HaulAccount *account, const char *key)
{
  return demand(account, key, "*")->text;
}

/* ---- two accounts ---- */

/* The value of a setting, or "" where the plugin has none of that name or it is not set. */
static const char *
text_of(const HaulAccount *account, const char *key)
{
  for (size_t i = 0; i < account->n_values; i++)
    if (strcmp(account->plugin->settings[i].key, key) == 0 && account->values[i].text != NULL)
      return account->values[i].text;
  return "";
}

static bool
is_loopback_name(const char *host)
{
  static const char *const names[] = { "localhost", "127.0.0.1", "::1", "ip6-localhost" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (g_ascii_strcasecmp(host, names[i]) == 0)
      return true;
  return false;
}

/* Resolves symbolic links in as much of a path as is there. */
static char *
real_path(const char *path)
{
  char *real = realpath(path, NULL);
  if (real != NULL) {
    char *copy = g_strdup(real);
    free(real);
    return copy;
  }
  g_autofree char *plain = g_canonicalize_filename(path, NULL);
  g_autofree char *parent = g_path_get_dirname(plain);
  if (strcmp(parent, plain) == 0)
    return g_steal_pointer(&plain);
  g_autofree char *name = g_path_get_basename(plain), *real_parent = real_path(parent);
  return g_build_filename(real_parent, name, NULL);
}

static bool
lies_within(const char *path, const char *folder)
{
  size_t size = strlen(folder);
  return strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

bool
haul_account_overlaps(const HaulAccount *a, const HaulAccount *b)
{
  if (a->plugin != b->plugin)
    return false;
  const char *path_a = text_of(a, "path"), *path_b = text_of(b, "path");
  if (*path_a != '\0' && *path_b != '\0') {
    g_autofree char *real_a = real_path(path_a), *real_b = real_path(path_b);
    return lies_within(real_a, real_b) || lies_within(real_b, real_a);
  }
  const char *tunnel_a = text_of(a, "tunnel"), *tunnel_b = text_of(b, "tunnel");
  if (*tunnel_a != '\0' || *tunnel_b != '\0')
    return strcmp(tunnel_a, tunnel_b) == 0 && strcmp(text_of(a, "user"), text_of(b, "user")) == 0
           && strcmp(text_of(a, "authuser"), text_of(b, "authuser")) == 0;
  const char *host_a = text_of(a, "host"), *host_b = text_of(b, "host");
  bool same_host = g_ascii_strcasecmp(host_a, host_b) == 0
                   || (is_loopback_name(host_a) && is_loopback_name(host_b));
  return *host_a != '\0' && same_host && haul_account_shares_port(a, b)
         && strcmp(text_of(a, "user"), text_of(b, "user")) == 0
         && strcmp(text_of(a, "authuser"), text_of(b, "authuser")) == 0;
}

char *
haul_account_place(const HaulAccount *account)
{
  const char *path = text_of(account, "path");
  if (*path == '\0')
    return NULL;
  g_autofree char *real = real_path(path);
  g_autofree char *host = g_ascii_strdown(text_of(account, "host"), -1);
  return g_strjoin("\n", account->plugin->name, host, text_of(account, "user"), real, NULL);
}

bool
haul_account_shares_port(const HaulAccount *a, const HaulAccount *b)
{
  return strcmp(text_of(a, "port"), text_of(b, "port")) == 0;
}
