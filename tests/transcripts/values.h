/* The values of the contract, to and from the words of a transcript. Pure. */
#ifndef TRANSCRIPTS_VALUES_H
#define TRANSCRIPTS_VALUES_H

#include <mailhaul/plugin.h>

/* Takes a list of flags apart at commas. Returns the system flags; keywords are appended to @keywords,
 * which frees them, and a NULL. */
uint32_t parse_flags(const char *list, GPtrArray *keywords);

/* Parses "1:5,7,9:*". Returns HaulRanges; their ends live in @kept, an array of string vectors. */
GArray *parse_ranges(const char *text, GPtrArray *kept);

/* Returns the line for an item: @kind, id, and what is known; @body, or NULL: shown up to 200 octets. */
char *show_item(const char *kind, const HaulItem *item, const GString *body);

/* Returns the HaulFolderAttributes of a word such as "\Sent"; 0 if it is none. */
uint32_t parse_use(const char *word);

char *show_folder(const HaulFolder *folder);

#endif /* TRANSCRIPTS_VALUES_H */
