/*
 * Directories below the root, by their path from there: reached level by level, never through a symbolic
 * link, however long the path; made; and whether one has just the name by which it was found.
 */
#ifndef MAILDIR_PLACE_H
#define MAILDIR_PLACE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "file.h"

/* Opens the directory @path below @root, "." for that itself. Returns -1 with errno. */
int maildir_place_open(int root, const char *path);

/* Whether the directory at @path is a folder: no link, and with mail or marked so. Where it could not be
 * looked at, errno is not 0. */
bool maildir_place_has_folder(int root, const char *path);

/* Makes the directory @path and those above it, on disk where that is wanted; what exists is fine.
 * Returns it opened, or -1 with errno. */
int maildir_place_make(int root, const char *path, const MaildirCreation *creation);

/*
 * Whether the directory @path has this very name, each level of it. Some file systems take names for the
 * same that differ by case, or by blanks and dots at their end.
 *
 * @other: if it has not, gets the path as it is spelt, to be freed; NULL if it is not there. May be NULL.
 */
bool maildir_place_is_spelt(int root, const char *path, char **other);

/* Whether @name in @dir is a symbolic link to a directory. */
bool maildir_place_is_link(int dir, const char *name);

#endif /* MAILDIR_PLACE_H */
