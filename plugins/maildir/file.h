/*
 * Files beside the messages, and errors of the file system: small files read whole and replaced
 * whole, always by a descriptor of their folder and never through a symbolic link.
 */
#ifndef MAILDIR_FILE_H
#define MAILDIR_FILE_H

#include <dirent.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <mailhaul/error.h>

/* How files are made in a tree. */
typedef struct {
  bool sync;      /* whether they are to be on disk before they count */
  bool give_away; /* run as root in somebody's tree: files become that user's */
  uid_t uid;
  gid_t gid;
} MaildirCreation;

/* Sets @error to what was tried and the text of @errnum. Returns false. */
bool maildir_error(GError **error, HaulError reach, const char *reason, int errnum,
                   const char *format, ...) G_GNUC_PRINTF(5, 6);

/* The same for a failed write: a full disk and a file system that takes no writes end the account,
 * a file that is too large for it only the message. */
bool maildir_write_error(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same for a write in a folder, which may be gone meanwhile: that ends the folder. */
bool maildir_folder_error(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Opens the folder @name in @dir, unless it is a symbolic link. Returns -1 with errno. */
int maildir_file_open_dir(int dir, const char *name);

/* Opens the file @name in @dir to lock it: for writing, if that may be, for NFS gives an exclusive lock to
 * no other (flock(2)). Returns -1 with errno. */
int maildir_file_open_to_lock(int dir, const char *name);

/* Opens the folder @dir, again, for reading its entries; close by closedir(). NULL with errno. */
DIR *maildir_file_list(int dir);

/* Makes the folder @name in @dir, 0700; one that exists is fine. False with errno. */
bool maildir_file_make_dir(int dir, const char *name, const MaildirCreation *creation);

/* Gives a file just made to the owner of the tree. False with errno. */
bool maildir_file_give(int fd, const MaildirCreation *creation);

bool maildir_file_write_all(int fd, const void *octets, size_t size); /* false with errno */

/*
 * Reads the file @name in @dir into @out, at most @limit octets of it. One that is not there is
 * empty. @cut, if not NULL: gets whether there was more. @reach: of an error.
 */
bool maildir_file_read(int dir, const char *name, size_t limit, GString *out, bool *cut,
                       HaulError reach, GError **error);

/*
 * Replaces the file @name in @dir at once by @text; readers see the old one or the new one.
 *
 * @tmp: folder in the same file system where it is written first. @keep: whether one that exists
 * stays, which is no error either.
 */
bool maildir_file_replace(int dir, int tmp, const char *name, const char *text, size_t size,
                          bool keep, const MaildirCreation *creation, GError **error);

/* Renames, but never over another file: then false with errno EEXIST, as for other failures. */
bool maildir_file_rename_new(int from_dir, const char *from, int to_dir, const char *to);

/* A name in tmp that nobody has, of a file that is no message; to be freed. leavings.c knows it. */
char *maildir_file_name_aside(void);

/* A time for a name: microseconds since 1970, later than any given before in this process. */
uint64_t maildir_file_unique_time(void);

#endif /* MAILDIR_FILE_H */
