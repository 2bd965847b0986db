/*
 * Labels of messages (X-GM-LABELS) as paths of folders. They are names like those of LIST, modified
 * UTF-7, or words such as \\Sent for folders that LIST tells by their special use.
 */
#ifndef IMAP_LABELS_H
#define IMAP_LABELS_H

#include "store.h"

/*
 * Appends the paths that @labels (of ImapSpan) stand for, to be freed by the array: those of folders
 * other than the selected one. What names no folder that could be opened is left out.
 */
void imap_labels_append_paths(HaulStore *store, const GArray *labels, GPtrArray *paths);

#endif /* IMAP_LABELS_H */
