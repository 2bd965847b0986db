/* Options of imapsync that change nothing here: one table. */
#include "options-idle.h"

#include <glib.h>
#include <string.h>

static const struct {
  const char *names; /* separated by blanks */
  bool takes_value;
  bool also_no; /* with "no" in front, too */
  const char *why;
} table[] = {
  { "uid1 uid2", false, true, "messages are named by their UIDs in any case" },
  { "usecache useuid cacheaftercopy", false, true, "the state remembers what was copied" },
  { "buffersize split1 split2 fetch_hash_set", true, false, "messages are fetched many at a time" },
  { "fastio1 fastio2", false, true, "connections are fast in any case" },
  { "fixslash2 fixInboxINBOX fixcolonbug create_folder_old", false, true,
    "names of folders are carried over, or escaped where that cannot be" },
  { "checkfoldersexist checkselectable checkmessageexists checknoabletosearch abletosearch "
    "abletosearch1 abletosearch2",
    false, true, "what a server can do is found out" },
  { "foldersizes foldersizesatend", false, true, "the report has the numbers" },
  { "errorsdump", false, true, "the report has the errors" },
  { "releasecheck", false, true, "nobody is asked about new releases" },
  { "pidfile tmpdir", true, false, "the state has a lock, and its folder takes large messages" },
  { "pidfilelocking", false, true, "the state has a lock" },
  { "keepalive1 keepalive2", false, true, "connections are kept alive" },
  { "reconnectretry1 reconnectretry2 maxsleep", true, false,
    "what is lost is made again, in time" },
  { "allowsizemismatch syncinternaldates skipsize wholeheaderifneeded filterbuggyflags", false,
    false, "it is so in any case" },
  { "sslcheck", false, true, "TLS is verified in any case" },
  { "showpasswords", false, true, "passwords are never shown" },
  { "nolog noemailreport1 noemailreport2 noexitonload notail noregexflag noregexmess noaddheader",
    false, false, "it is so by default" },
  { "dockercontext sanitize", false, true, "it is of no matter here" },
};

static bool
is_among(const char *names, const char *name)
{
  size_t size = strlen(name);
  for (const char *at = names; *at != '\0'; at += strspn(at, " ")) {
    size_t one = strcspn(at, " ");
    if (one == size && g_ascii_strncasecmp(at, name, size) == 0)
      return true;
    at += one;
  }
  return false;
}

const char *
haul_options_find_idle(const char *name, bool *takes_value)
{
  const char *positive = g_str_has_prefix(name, "no") ? name + strlen("no") : name;
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    if (!is_among(table[i].names, name)
        && !(table[i].also_no && is_among(table[i].names, positive)))
      continue;
    *takes_value = table[i].takes_value;
    return table[i].why;
  }
  return NULL;
}
