/*
 * What lies in a folder: its messages in order of delivery. Kept small: an entry and a file name
 * each, for there may be a million.
 */
#ifndef MAILDIR_SCAN_H
#define MAILDIR_SCAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "folder.h"

typedef struct {
  uint64_t seconds; /* of delivery: what the name begins with */
  uint32_t name;    /* where it begins in names */
  bool in_new;
  bool is_double; /* another file has its base: its id is the whole name, or "./" and that */
} MaildirEntry;

typedef struct {
  GString *names;  /* owned; NUL-terminated, one behind the other */
  GArray *entries; /* owned; of MaildirEntry, in order */
  GArray *
      by_name; /* owned; of uint32_t: indices of entries in the order of their names; NULL: as they are */
  char *stamp; /* owned; maildir_folder_stamp() before it was read */
} MaildirScan;

void maildir_scan_init(MaildirScan *scan);
void maildir_scan_clear(MaildirScan *scan);

/*
 * Reads the folder anew, with its keywords. While others rename files in it, it is read until two
 * readings agree, so that none is missed.
 *
 * Regular files count, but for those whose name begins with a dot.
 * Errors: HAUL_ERROR_FOLDER "select".
 */
bool maildir_scan_read(MaildirScan *scan, MaildirFolder *folder, GError **error);

static inline MaildirEntry *
maildir_scan_entry(const MaildirScan *scan, size_t index)
{
  return &g_array_index(scan->entries, MaildirEntry, index);
}

/* The file name of an entry; valid until the scan is read again or renamed in. */
const char *maildir_scan_name(const MaildirScan *scan, const MaildirEntry *entry);

/* The id of an entry: its length, at the beginning of its name. */
size_t maildir_scan_id_size(const MaildirScan *scan, const MaildirEntry *entry);

/* Returns the index of the entry whose id is the first that is not below @id, by name. */
size_t maildir_scan_lower_bound(const MaildirScan *scan, const char *id);
/* Returns the entry with that id, or NULL. */
MaildirEntry *maildir_scan_find(const MaildirScan *scan, const char *id);

/* Notes that the entry has another file name now, in cur; its id stays. */
void maildir_scan_renamed(MaildirScan *scan, MaildirEntry *entry, const char *name);

/* Returns a set of entries, one octet each (1: within one of the ranges); to be freed. */
uint8_t *maildir_scan_choose(const MaildirScan *scan, const HaulRange *ranges, size_t n_ranges);

#endif /* MAILDIR_SCAN_H */
