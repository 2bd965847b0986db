/*
 * The chain of matchers: what makes two messages the same one, as --match says.
 *
 * "A,B" asks B where A has no key; "A+B" has a key if A has one, a part of it that has none counting
 * as empty. Which of the links gave a key is part of the key. "auto" is HAUL_CHAIN_AUTO; with it the
 * Date field, if there is one, is part of every key, for an id alone does not make two messages one;
 * arrival is part of none, for POP3 does not tell it and not every tool keeps it in a copy.
 */
#ifndef HAUL_CORE_MATCH_H
#define HAUL_CORE_MATCH_H

#include <glib.h>
#include <stdbool.h>

#include <mailhaul/message.h>

#include "digest.h"

#define HAUL_CHAIN_AUTO "message-id+received,received+size-date,content"

typedef struct HaulChain HaulChain;

/* Parses a chain and loads its matchers. Errors: "usage", and those of haul_plugin_load(). */
HaulChain *haul_chain_parse(const char *text, GError **error);
void haul_chain_free(HaulChain *chain);

/* The chain that --match and --useheader ask for, to be freed: of @headers (NULL for none) all that a message
 * has, and its content if it has none of them. Errors: "usage", where both ask for something. */
char *haul_chain_text(const char *match, const char *const *headers, GError **error);

/* Whether it is ours to choose what makes two messages the same one. */
bool haul_chain_is_auto(const HaulChain *chain);

/* The header fields that its matchers read: NULL-terminated, lent. */
const char *const *haul_chain_header_fields(const HaulChain *chain);

typedef enum {
  HAUL_KEY_FOUND,
  HAUL_KEY_NONE,       /* no link has one: the message matches nothing    */
  HAUL_KEY_NEEDS_BODY, /* the next link wants the message, which is absent */
} HaulKeyResult;

/* Computes keys; one per thread. */
typedef struct HaulKeyMaker HaulKeyMaker;
HaulKeyMaker *haul_key_maker_new(const HaulChain *chain); /* borrowed */
void haul_key_maker_free(HaulKeyMaker *maker);

/* The key of an item as list() gives it, with the header fields of the chain. */
HaulKeyResult haul_key_of_item(HaulKeyMaker *maker, const HaulItem *item, HaulKey *key);

/* The key of a message, all zero if it has none, and the SHA-256 of its octets. */
bool haul_key_of_message(HaulKeyMaker *maker, const HaulMessage *message, HaulKey *key,
                         uint8_t sha256[HAUL_SHA256_SIZE]);

/* A hash of what follows the header, but for empty lines at the end, which some servers add, and
 * for how lines end: where keys are equal, it tells whether the messages are. False if the spool cannot be read. */
bool haul_content_of_message(const HaulMessage *message, HaulKey *content);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulChain, haul_chain_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulKeyMaker, haul_key_maker_free)

#endif /* HAUL_CORE_MATCH_H */
