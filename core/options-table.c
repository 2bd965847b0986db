/*
 * The options that there are, one table. What most need is done by a few functions: a switch, a text, a list
 * of texts, a number, one of some words, each put into the member that the table names.
 */
#include "options-table.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "report-file.h"
#include "secret.h"

#define MAX_DAYS 36500
#define MAX_MESSAGES 16777216

/* ---- members of HaulOptions ---- */

#define MEMBER(options, option, type) ((type *)(void *)((char *)(options) + (option)->offset))

/* What is so anyway. */
static bool
apply_nothing(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
              GError **error)
{
  return true;
}

static bool
apply_switch(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
             GError **error)
{
  *MEMBER(options, option, bool) = true;
  return true;
}

static bool
apply_switch_off(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                 GError **error)
{
  *MEMBER(options, option, bool) = false;
  return true;
}

static bool
apply_text(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
           GError **error)
{
  char *text = g_strdup(value);
  g_ptr_array_add(options->texts, text);
  *MEMBER(options, option, const char *) = text;
  return true;
}

/* Adds to a list, which is made anew each time: lists are short. */
static bool
apply_list(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
           GError **error)
{
  char ***list = MEMBER(options, option, char **);
  guint n = *list != NULL ? g_strv_length(*list) : 0;
  char **longer = g_new0(char *, n + 2);
  if (n > 0) {
    memcpy(longer, *list, n * sizeof *longer);
    g_ptr_array_remove_fast(options->texts, *list);
  }
  longer[n] = g_strdup(value);
  g_ptr_array_add(options->texts, longer[n]);
  g_ptr_array_add(options->texts, longer);
  *list = longer;
  return true;
}

static bool
apply_number(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
             GError **error)
{
  guint64 number;
  if (!g_ascii_string_to_unsigned(value, 10, option->min, option->max, &number, NULL)) {
    g_autofree char *shown = haul_text_display(value, strlen(value));
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--%s takes a number from %u to %u, not \"%s\"", option->name,
                   (unsigned)option->min, (unsigned)option->max, shown);
    return false;
  }
  *MEMBER(options, option, unsigned) = (unsigned)number;
  return true;
}

/* "merge, source, add or none" */
static char *
list_choices(const char *const *choices)
{
  GString *text = g_string_new(choices[0]);
  for (choices++; *choices != NULL; choices++)
    g_string_append_printf(text, "%s%s", choices[1] != NULL ? ", " : " or ", *choices);
  return g_string_free(text, FALSE);
}

static bool
apply_choice(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
             GError **error)
{
  for (unsigned i = 0; option->choices[i] != NULL; i++)
    if (strcmp(value, option->choices[i]) == 0) {
      *MEMBER(options, option, unsigned) = i;
      return true;
    }
  g_autofree char *choices = list_choices(option->choices);
  g_autofree char *shown = haul_text_display(value, strlen(value));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--%s takes %s, not \"%s\"", option->name,
                 choices, shown);
  return false;
}

/* ---- members that need more ---- */

/* Where the folder goes: what is no path can be no name of a server either. */
static bool
apply_path(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
           GError **error)
{
  bool is_path = g_utf8_validate(value, -1, NULL) && *value != '\0' && *value != '/'
                 && !g_str_has_suffix(value, "/") && strstr(value, "//") == NULL;
  for (const char *at = value; is_path && *at != '\0'; at = g_utf8_next_char(at))
    is_path = !g_unichar_iscntrl(g_utf8_get_char(at));
  if (is_path)
    return apply_text(options, option, side, value, error);
  g_autofree char *shown = haul_text_display(value, strlen(value));
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "--%s takes the path of a folder, such as Imported/2019, not \"%s\"", option->name,
                 shown);
  return false;
}

/* How a side writes names is known by what it says; at the destination it matters where it says nothing. */
static bool
apply_notation(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
               GError **error)
{
  if (strcmp(option->name, "sep") == 0
      && (strlen(value) != 1 || !g_ascii_ispunct(*value) || *value == '%')) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                   "--sep%u takes one mark that parts levels, such as . or /", side + 1);
    return false;
  }
  haul_log(HAUL_LOG_INFO, "--%s%u: found out by itself%s", option->name, side + 1,
           side == 1 ? "; what is given is for --f1f2 and --regextrans2" : "");
  return side == 0 || apply_text(options, option, side, value, error);
}

/* Implies --delete1. */
static bool
apply_delete1_after(HaulOptions *options, const HaulOption *option, unsigned side,
                    const char *value, GError **error)
{
  options->job.policy.delete1 = true;
  return apply_number(options, option, side, value, error);
}

static bool
apply_report(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
             GError **error)
{
  HaulReportFormat format;
  return haul_report_format_of(value, &format, error)
         && apply_text(options, option, side, value, error);
}

/* What other tools need and we do not: says why. */
static bool
apply_noted(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
            GError **error)
{
  haul_log(HAUL_LOG_INFO, "--%s is not needed: %s", option->name, option->key);
  return true;
}

/* Implies --delete2folders. */
static bool
apply_delete2_folders(HaulOptions *options, const HaulOption *option, unsigned side,
                      const char *value, GError **error)
{
  options->job.policy.delete2_folders = true;
  return apply_text(options, option, side, value, error);
}

/* Adds to a list of rules, each with its kind in front. */
static bool
apply_rule(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
           GError **error)
{
  g_autofree char *rule = g_strconcat(option->key, value, NULL);
  return apply_list(options, option, side, rule, error);
}

static bool
apply_subscribing(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
                  GError **error)
{
  options->job.policy.subscribing = (HaulSubscribing)(option->key[0] - '0');
  return true;
}

/* ---- what concerns one side ---- */

void
haul_options_add_setting(HaulSideOptions *side, const char *key, const char *value)
{
  g_ptr_array_add(side->settings, g_strdup(key));
  g_ptr_array_add(side->settings, g_strdup(value));
}

static bool
apply_setting(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
              GError **error)
{
  haul_options_add_setting(&options->sides[side], option->key, value != NULL ? value : "true");
  return true;
}

/* Of the destination, written without its side. */
static bool
apply_setting2(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
               GError **error)
{
  return apply_setting(options, option, 1, value, error);
}

static bool
apply_backend(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
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
apply_password(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
               GError **error)
{
  haul_log(HAUL_LOG_WARNING,
           "--password%u is visible to everyone on this machine; use --passfile%u", side + 1,
           side + 1);
  take_password(&options->sides[side], g_strdup(value));
  return true;
}

static bool
apply_passfile(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
               GError **error)
{
  char *password = haul_secret_read_file(value, side + 1, error);
  if (password == NULL)
    return false;
  take_password(&options->sides[side], password);
  return true;
}

static bool
apply_ssl(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
          GError **error)
{
  options->sides[side].ssl = option->key != NULL;
  return true;
}

static bool
apply_tls(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
          GError **error)
{
  options->sides[side].tls = option->key != NULL;
  return true;
}

static bool
apply_token(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
            GError **error)
{
  if (!g_file_test(value, G_FILE_TEST_EXISTS))
    haul_log(HAUL_LOG_WARNING,
             "--%s%u is visible to everyone on this machine; give it the name of a file",
             option->name, side + 1);
  return apply_setting(options, option, side, value, error);
}

/* What is done in any case, or in a better way: accepted, for scripts that say it. */
static bool
apply_needless(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
               GError **error)
{
  haul_log(HAUL_LOG_INFO, "--%s: %s", option->name, option->key);
  return true;
}

/* Whether flags of what is there already are touched, as other tools ask it. */
static bool
apply_resync(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
             GError **error)
{
  options->job.policy.flags_mode = option->key != NULL ? HAUL_FLAGS_MERGE : HAUL_FLAGS_NONE;
  return true;
}

/* Of both sides; what --inet1 says of one comes behind it, and stands. */
static bool
apply_inet(HaulOptions *options, const HaulOption *option, unsigned side, const char *value,
           GError **error)
{
  options->inet = option->key;
  return true;
}

/* ---- the table ---- */

static const char *const flags_modes[] = { "merge", "source", "add", "none", NULL };
static const char *const repair_modes[] = { "never", "on-reject", NULL };
static const char *const labels_modes[] = { "folders", "keywords", "first", NULL };

/* Members of what is read: the option's name, what it takes, where it goes, its help. */
#define AT(member) .offset = offsetof(HaulOptions, member)
#define POLICY(member) AT(job.policy.member)
#define KEY(text) .key = text
#define RANGE(from, to) .min = from, .max = to
#define CHOICES(words) .choices = words
#define EXPUNGES "what is deleted is expunged, and nothing else ever is"

static const HaulOption table[] = {
  /* the sides */
  { "host", true, "NAME", apply_setting, "server", KEY("host") },
  { "port", true, "N", apply_setting, "TCP port, if not the usual one", KEY("port") },
  { "user", true, "NAME", apply_setting, "login", KEY("user") },
  { "passfile", true, "FILE", apply_passfile, "file whose first line is the password" },
  { "password", true, "TEXT", apply_password, "the password (others can see it: use a file)" },
  { "authuser", true, "NAME", apply_setting, "administrator who logs in for the user",
    KEY("authuser") },
  { "proxyauth", true, NULL, apply_setting, "and then by the command PROXYAUTH", KEY("proxyauth") },
  { "authmech", true, "NAMES", apply_setting, "SASL mechanisms that may be used", KEY("authmech") },
  { "oauthaccesstoken", true, "TOKEN", apply_token, "OAuth2 access token, or a file with it",
    KEY("oauthaccesstoken") },
  { "tokencmd", true, "COMMAND", apply_setting, "command that prints such a token",
    KEY("tokencmd") },
  { "ssl", true, NULL, apply_ssl, "TLS from the first octet (default)", KEY("yes") },
  { "nossl", true, NULL, apply_ssl, "none from the first octet: STARTTLS then" },
  { "tls", true, NULL, apply_tls, "STARTTLS", KEY("yes") },
  { "notls", true, NULL, apply_tls, "with --nossl: clear text, on loopback only" },
  { "insecure", true, NULL, apply_setting, "allow clear text to other machines", KEY("insecure") },
  { "tls-ca", true, "FILE", apply_setting, "certificate authorities to trust, too", KEY("tls-ca") },
  { "tls-pin", true, "PINS", apply_setting, "keys to trust, as sha256:DIGEST,...", KEY("tls-pin") },
  { "tls-cert", true, "FILE", apply_setting, "certificate to show to the server", KEY("tls-cert") },
  { "tls-key", true, "FILE", apply_setting, "its key, if not in the same file", KEY("tls-key") },
  { "tunnel", true, "COMMAND", apply_setting, "talk to this process, not to a host",
    KEY("tunnel") },
  { "compress", true, "WHEN", apply_setting, "auto, yes or no", KEY("compress") },
  { "no-ext", true, "NAMES", apply_setting, "extensions to do without", KEY("no-ext") },
  { "timeout", true, "SECONDS", apply_setting, "patience with a silent server", KEY("timeout") },
  { "backend", true, "NAME", apply_backend, "kind of store; see mailhaul plugins" },
  { "path", true, "DIR", apply_setting, "where a local store lies", KEY("path") },
  { "verify", true, NULL, apply_setting, "read messages back from the disk, and compare",
    KEY("verify") },
  { "newtree", true, NULL, apply_setting, "a Maildir may be another than in the last run",
    KEY("newtree") },
  { "seen", true, NULL, apply_setting, "its messages count as read", KEY("seen") },
  { "inet4", false, NULL, apply_inet, "connect by IPv4 only", KEY("4") },
  { "inet6", false, NULL, apply_inet, "connect by IPv6 only", KEY("6") },

  /* folders */
  { "folder", false, "NAME", apply_list, "only this folder; may be repeated", POLICY(folders) },
  { "f1f2", false, "OLD=NEW", apply_list, "this folder, and all below it, goes there",
    POLICY(renames) },
  { "automap", false, NULL, apply_nothing, "by special use and names in many languages (default)" },
  { "noautomap", false, NULL, apply_switch, "each to the folder of its own name",
    POLICY(no_automap) },
  { "subfolder1", false, "NAME", apply_path, "only what is below this folder, as if it were all",
    POLICY(subfolder1) },
  { "subfolder2", false, "NAME", apply_path, "all goes below this folder", POLICY(subfolder2) },
  { "prefix", true, "TEXT", apply_notation, "what names there begin with (is found out)",
    POLICY(prefix2) },
  { "sep", true, "MARK", apply_notation, "what parts levels there (is found out)", POLICY(sep2) },
  { "regextrans2", false, "s/A/B/", apply_list, "change names at the destination",
    POLICY(rewrites) },
  { "allow-merge", false, NULL, apply_switch, "several folders may go to one",
    POLICY(allow_merge) },
  { "folderrec", false, "NAME", apply_list,
    "only this folder, and what lies below; may be repeated", POLICY(trees) },
  { "include", false, "PATTERN", apply_rule, "these folders, too", POLICY(choices), KEY("+") },
  { "exclude", false, "PATTERN", apply_rule, "not these folders", POLICY(choices), KEY("-") },
  { "folderfirst", false, "PATTERN", apply_list, "folders that are done first; may be repeated",
    POLICY(folders_first) },
  { "folderlast", false, "PATTERN", apply_list, "folders that are done last; may be repeated",
    POLICY(folders_last) },
  { "subscribed", false, NULL, apply_switch, "only folders that are subscribed to at the source",
    POLICY(subscribed) },
  { "subscribe", false, NULL, apply_subscribing,
    "subscribe to what is subscribed to at the source (default)", KEY("0") },
  { "subscribeall", false, NULL, apply_subscribing, "subscribe to all folders", KEY("1") },
  { "nosubscribe", false, NULL, apply_subscribing, "subscribe to none", KEY("2") },
  { "skipemptyfolders", false, NULL, apply_switch, "not what is empty at the source",
    POLICY(skip_empty) },
  { "folder2", false, "NAME", apply_path, "where that one folder goes", POLICY(folder2) },

  /* messages */
  { "match", false, "CHAIN", apply_text, "what makes two messages the same one", POLICY(match) },
  { "useheader", false, "NAME", apply_list, "the same, by header fields; may be repeated",
    POLICY(headers) },
  { "nosyncduplicates", false, NULL, apply_switch, "of what a folder has more than once, copy one",
    POLICY(no_duplicates) },
  { "syncduplicates", false, NULL, apply_switch_off, "copy all of it (default)",
    POLICY(no_duplicates) },
  { "flags", false, "MODE", apply_choice, "merge (default), source, add or none",
    POLICY(flags_mode), CHOICES(flags_modes) },
  { "resyncflags", false, NULL, apply_resync, "the same as --flags merge", KEY("yes") },
  { "noresyncflags", false, NULL, apply_resync, "the same as --flags none" },
  { "filterflags", false, NULL, apply_needless,
    "accepted: flags that a folder cannot keep are left out",
    KEY("flags that a folder cannot keep are left out in any case") },
  { "flagscase", false, NULL, apply_needless, "accepted: case makes no other flag",
    KEY("flags are compared without case in any case") },
  { "syncflagsaftercopy", false, NULL, apply_needless, "accepted: flags lost in a delivery are set",
    KEY("flags that a server lost in a delivery are set in any case") },
  { "labels", false, "MODE", apply_choice, "folders (default), keywords or first", POLICY(labels),
    CHOICES(labels_modes) },
  { "maxsize", false, "OCTETS", haul_apply_size, "only messages that are not larger; 500K, 20M, 1G",
    POLICY(max_octets) },
  { "minsize", false, "OCTETS", haul_apply_size, "only messages that are not smaller",
    POLICY(min_octets) },
  { "maxage", false, "DAYS", haul_apply_days, "only messages that are not older; 0.5 is half a day",
    POLICY(max_age_s) },
  { "minage", false, "DAYS", haul_apply_days, "only messages that are not younger",
    POLICY(min_age_s) },
  { "search", false, "KEY", haul_apply_search, "only messages that an IMAP SEARCH for KEY finds",
    POLICY(search1) },
  { "search1", false, "KEY", haul_apply_search, "the same", POLICY(search1) },
  { "search2", false, "KEY", haul_apply_search,
    "compare with such messages of the destination only", POLICY(search2) },
  { "regexmess", false, "s/A/B/", apply_list, "change messages; may be repeated",
    POLICY(message_rewrites) },
  { "pipemess", false, "COMMAND", apply_list, "send messages through it; may be repeated",
    POLICY(message_commands) },
  { "disarmreadreceipts", false, NULL, apply_switch, "take requests for receipts from messages",
    POLICY(disarm_receipts) },
  { "addheader", false, NULL, apply_needless, "accepted: messages without an id are copied",
    KEY("messages without Message-Id are copied in any case, and as they are") },
  { "repair", false, "WHEN", apply_choice, "never (default), or on-reject: what is refused",
    POLICY(repair), CHOICES(repair_modes) },

  /* what goes */
  { "delete1", false, NULL, apply_switch, "delete at the source what has a copy at the destination",
    POLICY(delete1) },
  { "delete", false, NULL, apply_switch, "the same", POLICY(delete1) },
  { "delete1after", false, "DAYS", apply_delete1_after,
    "the same, of what has had its copy so long", POLICY(delete1_after_days), RANGE(0, MAX_DAYS) },
  { "delete2", false, NULL, apply_switch, "delete at the destination what the source does not have",
    POLICY(delete2) },
  { "trash2", false, "NAME", apply_path, "by moving it to this folder there", POLICY(trash2) },
  { "delete2duplicates", false, NULL, apply_switch, "a part of --delete2",
    POLICY(delete2_duplicates) },
  { "expunge", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "expunge1", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "noexpunge1", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "expunge2", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "noexpunge2", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "uidexpunge2", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "nouidexpunge2", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "expungeaftereach", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "noexpungeaftereach", false, NULL, apply_noted, "not needed", KEY(EXPUNGES) },
  { "delete2folders", false, NULL, apply_switch,
    "delete folders there of which the source has none any more", POLICY(delete2_folders) },
  { "delete2foldersonly", false, "REGEX", apply_delete2_folders, "just these, whatever they hold",
    POLICY(delete2_folders_only) },
  { "delete2foldersbutnot", false, "REGEX", apply_delete2_folders, "but not these",
    POLICY(delete2_folders_but_not) },
  { "max-delete", false, "N", apply_number,
    "delete up to so many of a folder there, whatever part that is", POLICY(max_delete),
    RANGE(1, MAX_MESSAGES) },

  /* limits */
  { "lanes", false, "N", apply_number, "connections to each side", POLICY(n_lanes), RANGE(1, 64) },
  { "maxbytespersecond", false, "OCTETS", haul_apply_size, "copy no faster", POLICY(octets_per_s) },
  { "maxbytesafter", false, "OCTETS", haul_apply_size, "but for the first so many octets",
    POLICY(free_octets) },
  { "maxmessagespersecond", false, "N", haul_apply_rate, "copy no more messages a second",
    POLICY(messages_per_s) },
  { "exitwhenover", false, "OCTETS", haul_apply_size, "end when so many octets are copied",
    POLICY(exit_when_over) },
  { "errorsmax", false, "N", haul_apply_errors, "end after so many errors; 50",
    POLICY(errors_max) },
  { "grace", false, "SECONDS", apply_number,
    "how long a delivery that was cut off may still appear", POLICY(grace_s), RANGE(0, 3600) },

  /* what is kept, and what is told */
  { "snapshot", false, NULL, apply_setting2,
    "keep the destination as this run leaves it, under the date", KEY("snapshot") },
  { "keep", false, "N", apply_setting2, "and of such snapshots the latest N only", KEY("keep") },
  { "dry", false, NULL, apply_switch, "plan only, write nothing", AT(job.dry) },
  { "state", false, "DIR", apply_text, "where the state is kept", AT(job.state_folder) },
  { "stateless", false, NULL, apply_switch, "keep none: find copies by matching",
    AT(job.stateless) },
  { "uidl-map", false, "FILE", apply_text, "write under which UIDs messages are that have UIDLs",
    POLICY(id_map) },
  { "logfile", false, "FILE", apply_text, "append a log", AT(log_file) },
  { "report", false, "FILE", apply_report, "write the report there, as .json or .html",
    AT(report) },
  { "deep", false, NULL, apply_switch, "of verify: compare all octets", AT(deep) },
  { "apply", false, NULL, apply_switch, "of dedupe: remove what was found", AT(apply) },
  { "json", false, NULL, apply_switch, "events on standard output, a line each", AT(json) },
  { "quiet", false, NULL, apply_switch, "errors only", AT(quiet) },
  { "debug", false, NULL, apply_switch, "show the protocol, without secrets", AT(debug) },
  { "help", false, NULL, apply_switch, "this text", AT(help) },
  { "version", false, NULL, apply_switch, "the version", AT(version) },
};

const HaulOption *
haul_options_table(size_t *n)
{
  *n = G_N_ELEMENTS(table);
  return table;
}

const HaulOption *
haul_options_find(const char *name, unsigned *side)
{
  size_t size = strlen(name);
  bool sided = size > 1 && (name[size - 1] == '1' || name[size - 1] == '2');
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    const HaulOption *option = &table[i];
    *side = 0;
    if (!option->sided && strcmp(option->name, name) == 0)
      return option;
    if (option->sided && sided && strlen(option->name) == size - 1
        && strncmp(option->name, name, size - 1) == 0) {
      *side = (unsigned)(name[size - 1] - '1');
      return option;
    }
  }
  return NULL;
}
