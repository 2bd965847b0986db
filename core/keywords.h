/*
 * Sets of keywords as numbers. Folders hold thousands of messages and a handful of different sets;
 * each set is kept once, and 0 is the empty one. Names compare without regard to ASCII case and keep
 * the spelling that was seen first. Safe to use from several threads.
 */
#ifndef HAUL_CORE_KEYWORDS_H
#define HAUL_CORE_KEYWORDS_H

#include <glib.h>
#include <stdint.h>

typedef struct HaulKeywords HaulKeywords;

HaulKeywords *haul_keywords_new(void);
void haul_keywords_free(HaulKeywords *keywords);

/* More sets there are not, for numbers have 24 bits: what would be another is empty. */
#define HAUL_KEYWORDS_LIMIT (1u << 24)

/* @names: NULL-terminated, or NULL. */
uint32_t haul_keywords_intern(HaulKeywords *keywords, const char *const *names);
/* @text: names separated by blanks. */
uint32_t haul_keywords_parse(HaulKeywords *keywords, const char *text);

/* Lent for the life of @keywords: sorted, NULL-terminated; never NULL. */
const char *const *haul_keywords_names(HaulKeywords *keywords, uint32_t set);
/* The names joined by blanks, to be freed. */
char *haul_keywords_text(HaulKeywords *keywords, uint32_t set);

uint32_t haul_keywords_minus(HaulKeywords *keywords, uint32_t a, uint32_t b);
uint32_t haul_keywords_plus(HaulKeywords *keywords, uint32_t a, uint32_t b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulKeywords, haul_keywords_free)

#endif /* HAUL_CORE_KEYWORDS_H */
