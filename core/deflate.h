/*
 * Compression of both ways of a connection (RFC 1951), as COMPRESS=DEFLATE wants it (RFC 4978). It
 * moves octets between memory and memory; stream.c has the connection.
 *
 * What comes is expanded only into the room that its reader has, so that no ratio (DEFLATE's is at
 * most 1032:1) costs memory, and a reader's limits hold for what is read, not for what was sent.
 */
#ifndef HAUL_CORE_DEFLATE_H
#define HAUL_CORE_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct HaulDeflate HaulDeflate;

/* @level: of zlib, 1 (fast) to 9 (small). */
HaulDeflate *haul_deflate_new(int level);
void haul_deflate_free(HaulDeflate *deflate); /* wipes what was said */

typedef enum {
  HAUL_INFLATE_DONE,    /* at least one octet came out       */
  HAUL_INFLATE_STARVED, /* give it more                      */
  HAUL_INFLATE_ENDED,   /* the last block is over            */
  HAUL_INFLATE_BROKEN,  /* not DEFLATE, or too much of nothing */
} HaulInflate;

/* Lends the room for compressed octets: some, if the last expansion starved. */
void *haul_inflate_room(HaulDeflate *deflate, size_t *size);
/* Says that @size octets were put there. */
void haul_inflate_add(HaulDeflate *deflate, size_t size);
/* Expands into @buffer, up to @size octets. */
HaulInflate haul_inflate(HaulDeflate *deflate, void *buffer, size_t size, size_t *got);

/*
 * Compresses some of *octets, which it moves on.
 *
 * @flush: whether all of it is to be there for the peer to read, once nothing more comes out.
 * @size: gets how much of the result, which is lent until the next call, is to be sent now.
 * Returns whether to call it again.
 */
bool haul_deflate(HaulDeflate *deflate, const char **octets, size_t *n_octets, bool flush,
                  const char **out, size_t *size);

/* Whether something was taken that no flush has let out. */
bool haul_deflate_holds(const HaulDeflate *deflate);

#endif /* HAUL_CORE_DEFLATE_H */
