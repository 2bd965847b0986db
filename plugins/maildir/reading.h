/*
 * One message being read: what its name tells, and its file, wherever that is by now. What is made
 * of it, reader.c knows.
 */
#ifndef MAILDIR_READING_H
#define MAILDIR_READING_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "store.h"

typedef struct {
  HaulItem item;
  char id[NAME_MAX + 1];
  char name[NAME_MAX + 1];
  MaildirKeywordList keywords;
  int fd;             /* -1 until opened */
  bool is_gone;       /* looked for in vain: it was removed meanwhile */
  struct stat status; /* of the open file */
} MaildirReading;

/* Sets what the name tells; the item points into @reading. Nothing is opened. */
void maildir_reading_begin(MaildirReading *reading, const HaulStore *store, const MaildirScan *scan,
                           const MaildirEntry *entry);
void maildir_reading_end(MaildirReading *reading); /* closes the file */

/* Opens the file. Errors: HAUL_ERROR_MESSAGE "unfetchable"; farther where the folder cannot be
 * read. */
bool maildir_reading_open(MaildirReading *reading, HaulStore *store, const MaildirEntry *entry,
                          GError **error);

/* Whether the octets are to be read as they are (lines.h). */
bool maildir_reading_is_verbatim(const MaildirReading *reading);

/* Reads up to @size octets from where the file stands, less only at its end. -1 with errno. */
ssize_t maildir_reading_read(MaildirReading *reading, uint8_t *buffer, size_t size);

/* Sets @error to say that the message could not be read, or is not there. Returns false. */
bool maildir_reading_failed(GError **error, const HaulStore *store, const MaildirReading *reading,
                            int errnum);
bool maildir_reading_gone(GError **error, const HaulStore *store, const char *id);

#endif /* MAILDIR_READING_H */
