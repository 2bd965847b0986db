/*
 * Search keys as IMAP writes them (RFC 9051 §6.4.4, and YOUNGER and OLDER of RFC 5032): parsed once, and
 * held against what is known of a message. So a selection means the same where a server searches and where
 * none does. Pure.
 *
 * A server looks into parts that are encoded; here BODY and TEXT look at the octets as they lie there, and
 * at header fields decoded.
 */
#ifndef HAUL_CORE_SEARCH_KEY_H
#define HAUL_CORE_SEARCH_KEY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <mailhaul/message.h>

typedef enum {
  HAUL_SEARCH_ALL,
  HAUL_SEARCH_AND, /* of its children */
  HAUL_SEARCH_OR,
  HAUL_SEARCH_FLAG,    /* number: HaulFlags */
  HAUL_SEARCH_KEYWORD, /* text */
  HAUL_SEARCH_BEFORE,  /* number: days since 1970, as are the following */
  HAUL_SEARCH_ON,
  HAUL_SEARCH_SINCE,
  HAUL_SEARCH_SENTBEFORE,
  HAUL_SEARCH_SENTON,
  HAUL_SEARCH_SENTSINCE,
  HAUL_SEARCH_YOUNGER, /* number: seconds */
  HAUL_SEARCH_OLDER,
  HAUL_SEARCH_LARGER, /* number: octets */
  HAUL_SEARCH_SMALLER,
  HAUL_SEARCH_HEADER, /* field, text */
  HAUL_SEARCH_BODY,   /* text */
  HAUL_SEARCH_TEXT,
  HAUL_SEARCH_UID,    /* ranges */
  HAUL_SEARCH_OPAQUE, /* what only a server knows; text: its name */
} HaulSearchOp;

typedef struct HaulSearchKey HaulSearchKey;
struct HaulSearchKey {
  HaulSearchOp op;
  bool negated;
  GPtrArray *children; /* owned; of HaulSearchKey, owned; or NULL */
  int64_t number;
  char *field;    /* owned, or NULL */
  char *text;     /* owned, or NULL; UTF-8 */
  char *folded;   /* owned, or NULL: the text without case */
  GArray *ranges; /* owned, or NULL; of pairs of uint64_t */
};

/* Parses a key, or several that must all hold. Errors: "usage", with what is wrong with it. */
HaulSearchKey *haul_search_key_parse(const char *text, GError **error);
void haul_search_key_free(HaulSearchKey *key); /* NULL is fine */

/* The name of what only a server can look for; NULL: all can be held against an item. */
const char *haul_search_key_opaque(const HaulSearchKey *key);

typedef enum {
  HAUL_SEARCH_NEEDS_SIZE = 1 << 0,
  HAUL_SEARCH_NEEDS_DATE = 1 << 1,
  HAUL_SEARCH_NEEDS_OCTETS = 1 << 2, /* of the whole message */
} HaulSearchNeeds;

/* What has to be known of a message. @fields: gets the names of header fields added (lent). */
uint32_t haul_search_key_needs(const HaulSearchKey *key, GPtrArray *fields);

/* What is known of a message: as of a listing with the fields needed, and its octets where these are. */
typedef struct {
  const HaulItem *item;
  /* Lends octets from @offset on, as haul_message_window(); NULL where they are not needed. */
  const uint8_t *(*window)(void *data, uint64_t offset, size_t *size);
  void *data;
  int64_t now; /* Unix seconds */
} HaulSearchSubject;

/* Whether the key, which has nothing opaque, holds. Linear in what is looked at. */
bool haul_search_key_holds(const HaulSearchKey *key, const HaulSearchSubject *subject);

/* A value of a header field as people read it: unfolded, encoded words (RFC 2047) decoded, in valid UTF-8.
 * To be freed. */
char *haul_search_decode(const uint8_t *value, size_t size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulSearchKey, haul_search_key_free)

#endif /* HAUL_CORE_SEARCH_KEY_H */
