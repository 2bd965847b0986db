/* Who was found at a place on this machine. See acquaintance.h. */
#include "acquaintance.h"

#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/log.h>

#define GROUP "account"
/* A file of ours is some hundred octets; what is larger is none. */
#define MOST_OCTETS (64u << 10)

/* The file that knows who is at @place, to be freed. */
static char *
path_of(const char *state_folder, const char *place)
{
  g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, place, -1);
  g_autofree char *name = g_strdup_printf("%.32s.known", sum);
  return g_build_filename(state_folder, name, NULL);
}

/* What a key file can hold, whatever octets a path has. */
static void
set_text(GKeyFile *keys, const char *key, const char *text)
{
  g_autofree char *escaped = g_strescape(text, NULL);
  g_key_file_set_string(keys, GROUP, key, escaped);
}

static char *
get_text(GKeyFile *keys, const char *key)
{
  g_autofree char *escaped = g_key_file_get_string(keys, GROUP, key, NULL);
  return escaped != NULL ? g_strcompress(escaped) : NULL;
}

/* Returns who is known to be at @place, to be freed; NULL if nobody is. */
static char *
read_identity(const char *path, const char *place)
{
  g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
  g_autoptr(GKeyFile) keys = g_key_file_new();
  gsize size = file != NULL ? g_mapped_file_get_length(file) : 0;
  if (size == 0 || size > MOST_OCTETS)
    return NULL;
  g_autoptr(GError) why = NULL;
  if (!g_key_file_load_from_data(keys, g_mapped_file_get_contents(file), size, G_KEY_FILE_NONE,
                                 &why)) {
    haul_log(HAUL_LOG_DEBUG, "%s: %s", path, why->message);
    return NULL;
  }
  g_autofree char *whose = get_text(keys, "place");
  return g_strcmp0(whose, place) == 0 ? get_text(keys, "identity") : NULL;
}

void
haul_acquaintance_recall(const char *state_folder, HaulAccount *account)
{
  g_autofree char *place = haul_account_place(account);
  if (place == NULL)
    return;
  g_autofree char *path = path_of(state_folder, place);
  g_autofree char *identity = read_identity(path, place);
  if (identity != NULL && *identity != '\0')
    haul_account_set_known_identity(account, identity);
}

bool
haul_acquaintance_note(const char *state_folder, const HaulAccount *account, const char *identity,
                       GError **error)
{
  g_autofree char *place = haul_account_place(account);
  if (place == NULL || g_strcmp0(haul_account_known_identity(account), identity) == 0)
    return true;
  g_autofree char *path = path_of(state_folder, place);
  g_autoptr(GKeyFile) keys = g_key_file_new();
  set_text(keys, "place", place);
  set_text(keys, "identity", identity);
  gsize size;
  g_autofree char *text = g_key_file_to_data(keys, &size, NULL);
  g_autoptr(GError) why = NULL;
  if (g_file_set_contents_full(path, text, (gssize)size,
                               G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                               &why))
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT,
                 g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? "disk-full" : "state",
                 "%s", why->message);
  return false;
}
