/* One open folder. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mailhaul/log.h>
#include <mailhaul/text.h>

#include "leavings.h"
#include "courier.h"
#include "dotlock.h"
#include "place.h"

#define NO_NAME "a Maildir holds none with blanks or control characters"

static bool
open_part(const MaildirFolder *folder, const char *name, int *fd, GError **error)
{
  const MaildirTree *tree = folder->tree;
  if (folder->writable && !maildir_file_make_dir(folder->fd, name, &tree->creation))
    return maildir_folder_error(error, errno, "cannot create %s/%s", folder->where, name);
  *fd = maildir_file_open_dir(folder->fd, name);
  if (*fd >= 0 || (errno == ENOENT && !folder->writable))
    return true;
  return maildir_error(error, HAUL_ERROR_FOLDER, "select", errno, "cannot open %s/%s",
                       folder->where, name);
}

MaildirFolder *
maildir_folder_open(MaildirTree *tree, const char *path, HaulIntent intent, GError **error)
{
  g_autoptr(GError) why = NULL;
  g_autofree char *directory = maildir_tree_find(tree, path, &why);
  if (directory == NULL) {
    if (why != NULL)
      g_propagate_error(error, g_steal_pointer(&why));
    else
      haul_set_error(error, HAUL_ERROR_FOLDER, "no-folder", "%s has no folder %s", tree->root,
                     path);
    return NULL;
  }
  g_autoptr(MaildirFolder) folder = g_new0(MaildirFolder, 1);
  folder->references = 1;
  folder->path = g_strdup(path);
  folder->directory = g_steal_pointer(&directory);
  folder->where = strcmp(folder->directory, ".") == 0
                      ? g_strdup(tree->root)
                      : g_build_filename(tree->root, folder->directory, NULL);
  folder->tree = tree;
  folder->fd = folder->cur = folder->new = folder->tmp = -1;
  folder->writable = (intent & HAUL_WRITE) != 0 && tree->writable;
  if (tree->fd < 0)
    return g_steal_pointer(&folder);
  folder->fd = maildir_place_open(tree->fd, folder->directory);
  if (folder->fd < 0 && errno == ENOENT && haul_path_is_inbox(path) && !folder->writable)
    return g_steal_pointer(&folder); /* a tree of which each folder is a directory may lack it */
  if (folder->fd < 0) {
    maildir_error(error, HAUL_ERROR_FOLDER, "select", errno, "cannot open %s", folder->where);
    return NULL;
  }
  struct stat status;
  bool is_whole =
      !folder->writable || fstatat(folder->fd, "cur", &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!open_part(folder, "cur", &folder->cur, error)
      || !open_part(folder, "new", &folder->new, error)
      || (folder->writable && !open_part(folder, "tmp", &folder->tmp, error))
      || !maildir_keywords_load(&folder->keywords, folder->fd, error))
    return NULL;
  if (!is_whole && tree->creation.sync && fsync(folder->fd) != 0) {
    maildir_folder_error(error, errno, "cannot write %s", folder->where);
    return NULL;
  }
  if (folder->writable)
    maildir_leavings_clear(tree, folder->tmp);
  return g_steal_pointer(&folder);
}

MaildirFolder *
maildir_folder_ref(MaildirFolder *folder)
{
  folder->references++;
  return folder;
}

void
maildir_folder_unref(MaildirFolder *folder)
{
  if (folder == NULL || --folder->references > 0)
    return;
  const int descriptors[] = { folder->fd, folder->cur, folder->new, folder->tmp };
  for (size_t i = 0; i < G_N_ELEMENTS(descriptors); i++)
    if (descriptors[i] >= 0)
      close(descriptors[i]);
  maildir_keywords_clear(&folder->keywords);
  maildir_beyond_free(folder->beyond);
  if (folder->refused != NULL)
    g_hash_table_unref(folder->refused);
  g_free(folder->path);
  g_free(folder->directory);
  g_free(folder->where);
  g_free(folder);
}

/* Change. */

static int64_t
nanoseconds(const struct timespec *time)
{
  return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* Appends what tells a change of this file. The time of change counts beside that of modification: nobody
 * can set it back. */
static void
stamp_one(GString *stamp, const struct stat *status)
{
  g_string_append_printf(stamp,
                         "%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER
                         "x.%" G_GINT64_MODIFIER "x;",
                         (uint64_t)status->st_ino, nanoseconds(&status->st_mtim),
                         nanoseconds(&status->st_ctim), (uint64_t)status->st_size);
}

char *
maildir_folder_stamp(const MaildirFolder *folder)
{
  GString *stamp = g_string_new(NULL);
  const int parts[] = { folder->cur, folder->new };
  struct stat status;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if (parts[i] >= 0 && fstat(parts[i], &status) == 0)
      stamp_one(stamp, &status);
    else
      g_string_append_c(stamp, ';');
  return g_string_free(stamp, FALSE);
}

/*
 * A sum over all names of files, in whatever order they are read: of two hashes each, for 64 bits are few
 * for what must not be mistaken. A time stamp would be cheaper, and tell nothing of what happens within one
 * tick of the file system's clock.
 */
typedef struct {
  uint64_t n_messages, n_octets;
  uint64_t sum[2];
} Census;

/* Spreads every bit over all others (the finaliser of MurmurHash3). */
static uint64_t
mix(uint64_t hash)
{
  hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
  hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
  return hash ^ hash >> 33;
}

static void
add_name(Census *census, const char *name, uint64_t seed)
{
  uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325); /* FNV-1a */
  for (; *name != '\0'; name++)
    hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
  census->sum[0] += mix(hash);
  census->sum[1] += mix(hash ^ UINT64_C(0x9e3779b97f4a7c15));
}

/* The token of what was counted, with what the letters mean and which keywords are beyond them. */
static char *
census_token(const MaildirFolder *folder, Census *census)
{
  GString *token = g_string_new(NULL);
  struct stat status;
  for (unsigned i = 0; i < MAILDIR_N_KEYWORDS; i++)
    if (folder->keywords.names[i] != NULL)
      add_name(census, folder->keywords.names[i], 2 + i);
  g_string_append_printf(token, "%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER "x;", census->sum[0],
                         census->sum[1]);
  static const char *const beside[] = { MAILDIR_BEYOND_FILE, MAILDIR_COURIER_KEYWORDS };
  for (size_t i = 0; folder->fd >= 0 && i < G_N_ELEMENTS(beside); i++)
    if (fstatat(folder->fd, beside[i], &status, AT_SYMLINK_NOFOLLOW) == 0)
      stamp_one(token, &status);
  return g_string_free(token, FALSE);
}

bool
maildir_folder_is_message(const MaildirFolder *folder, int part, const struct dirent *entry,
                          bool tell)
{
  const char *name = entry->d_name;
  struct stat status;
  if (name[0] == '.')
    return false;
  if (entry->d_type == DT_REG
      || (entry->d_type == DT_UNKNOWN && fstatat(part, name, &status, AT_SYMLINK_NOFOLLOW) == 0
          && S_ISREG(status.st_mode)))
    return true;
  g_autofree char *what = g_strconcat(folder->where, "/", name, NULL);
  if (tell && maildir_root_tells(folder->tree, what))
    haul_log(HAUL_LOG_WARNING, "%s: %s is no regular file and was left out", folder->path, name);
  return false;
}

static bool
count_part(const MaildirFolder *folder, int part, uint64_t seed, Census *census)
{
  if (part < 0)
    return true;
  DIR *listing = maildir_file_list(part);
  if (listing == NULL)
    return false;
  struct dirent *entry;
  while (errno = 0, (entry = readdir(listing)) != NULL) {
    const char *name = entry->d_name;
    if (!maildir_folder_is_message(folder, part, entry, true))
      continue;
    uint64_t size;
    census->n_messages++;
    add_name(census, name, seed);
    if (census->n_octets != HAUL_UNKNOWN)
      census->n_octets = maildir_name_field(name, maildir_name_base(name), 'W', &size)
                             ? census->n_octets + MIN(size, HAUL_UNKNOWN - 1 - census->n_octets)
                             : HAUL_UNKNOWN;
  }
  int failure = errno;
  closedir(listing);
  errno = failure;
  return failure == 0;
}

char *
maildir_folder_count(const MaildirFolder *folder, uint64_t *n_messages, uint64_t *n_octets,
                     GError **error)
{
  Census census = { 0 };
  if (!count_part(folder, folder->new, 0, &census)
      || !count_part(folder, folder->cur, 1, &census)) {
    maildir_error(error, HAUL_ERROR_FOLDER, "select", errno, "cannot read %s", folder->where);
    return NULL;
  }
  *n_messages = census.n_messages;
  *n_octets = census.n_octets;
  return census_token(folder, &census);
}

/* Keywords. */

bool
maildir_folder_load_keywords(MaildirFolder *folder, GError **error)
{
  if (folder->fd < 0)
    return true;
  if (folder->beyond == NULL)
    folder->beyond = maildir_beyond_new();
  if (!maildir_keywords_load(&folder->keywords, folder->fd, error)
      || !maildir_beyond_load(folder->beyond, folder->fd, error))
    return false;
  if (!folder->writable) /* else what is read would be written, in another form */
    maildir_courier_load(folder->beyond, folder->fd, folder->where);
  return true;
}

MaildirFlags
maildir_folder_flags(const MaildirFolder *folder, const char *name)
{
  MaildirFlags flags = maildir_name_flags(name);
  if (folder->beyond != NULL)
    flags.beyond = maildir_beyond_find(folder->beyond, name, maildir_name_base(name));
  return flags;
}

const char *const *
maildir_folder_keywords(const MaildirFolder *folder, const MaildirFlags *flags,
                        MaildirKeywordList *list)
{
  size_t n = 0;
  bool passed = flags->passed;
  for (unsigned i = 0; i < MAILDIR_N_KEYWORDS; i++) {
    const char *name = folder->keywords.names[i];
    if ((flags->letters >> i & 1) == 0 || name == NULL)
      continue;
    list->names[n++] = name;
    if (g_ascii_strcasecmp(name, MAILDIR_PASSED) == 0)
      passed = false;
  }
  if (passed)
    list->names[n++] = MAILDIR_PASSED;
  for (size_t i = 0; flags->beyond != NULL && flags->beyond[i] != NULL; i++)
    list->names[n++] = flags->beyond[i];
  list->names[n] = NULL;
  return n > 0 ? list->names : NULL;
}

static void
tell_refused(MaildirFolder *folder, const char *name, const char *why)
{
  if (folder->refused == NULL)
    folder->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (g_hash_table_size(folder->refused) < 1000
      && g_hash_table_add(folder->refused, g_strdup(name)))
    haul_log(HAUL_LOG_WARNING, "%s: the keyword %s is left out: %s", folder->path, name, why);
}

/* Returns why the folder cannot be given a keyword that it does not know; NULL if it can. */
static const char *
why_no_keyword(const MaildirFolder *folder, const char *name)
{
  if (!maildir_keywords_is_name(name))
    return NO_NAME;
  /* Where only cur, new and tmp may be written, what letters mean is kept by others. */
  return faccessat(folder->fd, ".", W_OK, AT_EACCESS) == 0 ? NULL : "the folder takes no new file";
}

/* Gives a keyword a letter: Dovecot holds its lock of the list of UIDs while it changes what letters mean,
 * and so do we. Returns -1 where none is left, or with @error. */
static int
assign_letter(MaildirFolder *folder, const char *name, GError **error)
{
  if (maildir_keywords_is_full(&folder->keywords))
    return -1;
  const MaildirTree *tree = folder->tree;
  int lock = maildir_dotlock_take(folder->fd, folder->tmp, folder->where, tree->account,
                                  &tree->creation, error);
  if (lock < 0)
    return -1;
  int letter =
      maildir_keywords_assign(&folder->keywords, tree, folder->fd, folder->tmp, name, error);
  maildir_dotlock_release(folder->fd, lock);
  folder->keywords_unsettled |= letter >= 0;
  return letter;
}

/* Adds a keyword that has found no letter. */
static bool
add_beyond(MaildirFolder *folder, const char *name, MaildirFlags *flags, GError **error)
{
  if (folder->beyond == NULL && !maildir_folder_load_keywords(folder, error))
    return false;
  flags->beyond = maildir_beyond_with(folder->beyond, flags->beyond, name);
  return true;
}

bool
maildir_folder_add_keywords(MaildirFolder *folder, const char *const *names, MaildirFlags *flags,
                            GError **error)
{
  for (; names != NULL && *names != NULL; names++) {
    const char *name = *names;
    /* P is what other programs know, the letter what Dovecot shows: both. */
    bool passed = g_ascii_strcasecmp(name, MAILDIR_PASSED) == 0;
    if (passed)
      flags->passed = true;
    int letter = maildir_keywords_find(&folder->keywords, name);
    const char *refused = letter < 0 ? why_no_keyword(folder, name) : NULL;
    if (letter < 0 && refused == NULL) {
      g_autoptr(GError) why = NULL;
      letter = assign_letter(folder, name, &why);
      if (why != NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
      }
    }
    if (letter >= 0)
      flags->letters |= 1u << letter;
    else if (refused != NULL)
      tell_refused(folder, name, refused);
    else if (!passed && !add_beyond(folder, name, flags, error))
      return false;
  }
  return true;
}

void
maildir_folder_remove_keywords(const MaildirFolder *folder, const char *const *names,
                               MaildirFlags *flags)
{
  for (; names != NULL && *names != NULL; names++) {
    int letter = maildir_keywords_find(&folder->keywords, *names);
    if (letter >= 0)
      flags->letters &= ~(1u << letter);
    if (g_ascii_strcasecmp(*names, MAILDIR_PASSED) == 0)
      flags->passed = false;
    if (flags->beyond != NULL)
      flags->beyond = maildir_beyond_without(folder->beyond, flags->beyond, *names);
  }
}

void
maildir_folder_keep_keywords(MaildirFolder *folder, const char *base, const MaildirFlags *flags)
{
  if (folder->beyond != NULL
      && !maildir_beyond_put(folder->beyond, base, maildir_name_base(base), flags->beyond))
    tell_refused(folder, flags->beyond[0], NO_NAME);
}

bool
maildir_folder_settle_keywords(MaildirFolder *folder, GError **error)
{
  if (folder->beyond != NULL
      && !maildir_beyond_write(folder->beyond, folder->tree, folder->fd, folder->tmp, error))
    return false;
  if (folder->keywords_unsettled && folder->tree->creation.sync
      && !maildir_keywords_settle(folder->fd, error))
    return false;
  folder->keywords_unsettled = false;
  return true;
}
