/* Tests deflate.c: what a server may do to it, and that what goes in comes out. */
#include "suite.h"

#define ZLIB_CONST
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "deflate.h"

#define MIB ((size_t)1 << 20)

/* Returns @size octets in raw DEFLATE; @finish: with the last block. */
static GByteArray *
squeeze(const void *octets, size_t size, bool finish)
{
  z_stream stream = { 0 };
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  GByteArray *out = g_byte_array_new();
  stream.next_in = octets;
  stream.avail_in = (uInt)size;
  do {
    unsigned char buffer[4096];
    stream.next_out = buffer;
    stream.avail_out = sizeof buffer;
    deflate(&stream, finish ? Z_FINISH : Z_SYNC_FLUSH);
    g_byte_array_append(out, buffer, (guint)(sizeof buffer - stream.avail_out));
  } while (stream.avail_out == 0);
  deflateEnd(&stream);
  return out;
}

/* Feeds @octets, at most @at_once at a time, and expands into pieces of @room. Returns what came of
 * it; @out gets the octets. */
static HaulInflate
expand(HaulDeflate *deflate, const GByteArray *octets, size_t at_once, size_t room, GString *out)
{
  size_t fed = 0;
  g_autofree char *buffer = g_malloc(room);
  for (;;) {
    size_t got;
    HaulInflate inflated = haul_inflate(deflate, buffer, room, &got);
    g_string_append_len(out, buffer, (gssize)got);
    if (inflated == HAUL_INFLATE_DONE)
      continue;
    if (inflated != HAUL_INFLATE_STARVED || fed == octets->len)
      return inflated;
    size_t size;
    void *raw = haul_inflate_room(deflate, &size);
    CU_ASSERT_FATAL(size > 0);
    size = MIN(MIN(size, at_once), octets->len - fed);
    memcpy(raw, octets->data + fed, size);
    haul_inflate_add(deflate, size);
    fed += size;
  }
}

static void
what_goes_in_comes_out_however_it_is_cut(void)
{
  uint32_t seed = 5;
  for (unsigned kind = 0; kind < 3; kind++) { /* text, noise, nothing but one octet */
    g_autofree char *octets = g_malloc(MIB);
    for (size_t i = 0; i < MIB; i++)
      octets[i] = kind == 0   ? "the quick brown fox "[i % 20]
                  : kind == 1 ? (char)next_random(&seed)
                              : 'x';
    for (int level = 1; level <= 9; level += 4) {
      HaulDeflate *deflate = haul_deflate_new(level);
      g_autoptr(GByteArray) squeezed = g_byte_array_new();
      for (size_t from = 0; from < MIB;) {
        size_t piece_size = 1 + next_random(&seed) % 100000, n = MIN(piece_size, MIB - from),
               left = n;
        const char *next = octets + from, *piece;
        bool flush = next_random(&seed) % 2 == 0 || from + n == MIB;
        for (bool more = true; more;) {
          size_t size;
          more = haul_deflate(deflate, &next, &left, flush, &piece, &size);
          g_byte_array_append(squeezed, (const guint8 *)piece, (guint)size);
        }
        CU_ASSERT(left == 0 && haul_deflate_holds(deflate) == !flush);
        from += n;
      }
      CU_ASSERT(squeezed->len < (kind == 1 ? MIB + MIB / 100 : MIB / 20));
      static const size_t cuts[][2] = { { 1, 70000 }, { 70000, 1 }, { 1500, 1000 } };
      for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
        HaulDeflate *other = haul_deflate_new(1);
        g_autoptr(GString) out = g_string_new(NULL);
        CU_ASSERT(expand(other, squeezed, cuts[i][0], cuts[i][1], out) == HAUL_INFLATE_STARVED);
        CU_ASSERT(out->len == MIB && memcmp(out->str, octets, MIB) == 0);
        haul_deflate_free(other);
      }
      haul_deflate_free(deflate);
    }
  }
}

static void
a_bomb_fills_no_more_than_the_room_it_is_given(void)
{
  g_autofree char *zeros = g_malloc0(64 * MIB);
  g_autoptr(GByteArray) bomb = squeeze(zeros, 64 * MIB, false);
  CU_ASSERT(bomb->len < 70000); /* close to the utmost of DEFLATE */
  HaulDeflate *deflate = haul_deflate_new(1);
  size_t size, got, n_taken = 0;
  memcpy(haul_inflate_room(deflate, &size), bomb->data, 60000);
  haul_inflate_add(deflate, 60000);
  char buffer[1000];
  while (n_taken < 1000
         && haul_inflate(deflate, buffer, sizeof buffer, &got) == HAUL_INFLATE_DONE) {
    CU_ASSERT_FATAL(got <= sizeof buffer);
    n_taken++;
  }
  CU_ASSERT(n_taken == 1000);
  haul_inflate_room(deflate, &size); /* what is not expanded waits where it was */
  CU_ASSERT(size < 10000);
  haul_deflate_free(deflate);
}

static void
what_is_broken_is_broken(void)
{
  static const char text[] = "* OK ready\r\n";
  g_autoptr(GByteArray) good = squeeze(text, strlen(text), false);
  /* Clear text; a block of the kind that does not exist (RFC 1951 §3.2.3); gzip's header. */
  static const char *const table[] = { "* OK not compressed\r\n", "\007\007\007",
                                       "\037\213\010\001" };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    for (int after = 0; after < 2; after++) {
      HaulDeflate *deflate = haul_deflate_new(1);
      g_autoptr(GByteArray) octets = g_byte_array_new();
      if (after)
        g_byte_array_append(octets, good->data, good->len);
      g_byte_array_append(octets, (const guint8 *)table[i], (guint)strlen(table[i]));
      g_autoptr(GString) out = g_string_new(NULL);
      CU_ASSERT(expand(deflate, octets, 1, 100, out) == HAUL_INFLATE_BROKEN);
      CU_ASSERT(!after || g_str_has_prefix(out->str, text)); /* what was good came first */
      haul_deflate_free(deflate);
    }
  }
}

static void
nothing_comes_after_the_last_block(void)
{
  static const char text[] = "* BYE\r\n";
  g_autoptr(GByteArray) octets = squeeze(text, strlen(text), true);
  g_byte_array_append(octets, (const guint8 *)"more", 4);
  HaulDeflate *deflate = haul_deflate_new(1);
  g_autoptr(GString) out = g_string_new(NULL);
  CU_ASSERT(expand(deflate, octets, 1, 100, out) == HAUL_INFLATE_ENDED);
  CU_ASSERT_STRING_EQUAL(out->str, text);
  haul_deflate_free(deflate);
}

static void
endless_empty_blocks_end(void)
{
  /* Stored blocks of no octets (RFC 1951 §3.2.4), which say nothing for ever. */
  static const guint8 empty[] = { 0x00, 0x00, 0x00, 0xff, 0xff };
  g_autoptr(GByteArray) octets = g_byte_array_new();
  while (octets->len < 2 * MIB)
    g_byte_array_append(octets, empty, sizeof empty);
  HaulDeflate *deflate = haul_deflate_new(1);
  g_autoptr(GString) out = g_string_new(NULL);
  CU_ASSERT(expand(deflate, octets, 60000, 100, out) == HAUL_INFLATE_BROKEN);
  CU_ASSERT(out->len == 0);
  haul_deflate_free(deflate);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(what_goes_in_comes_out_however_it_is_cut),
    CASE(a_bomb_fills_no_more_than_the_room_it_is_given),
    CASE(what_is_broken_is_broken),
    CASE(nothing_comes_after_the_last_block),
    CASE(endless_empty_blocks_end),
  };
  return RUN_SUITE("deflate", cases);
}
