/* Compression by zlib. See deflate.h. */
#include "deflate.h"

#include <glib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define PIECE_OCTETS ((size_t)64 << 10)
/* Blocks may be empty, and some after each flush are. So many octets of nothing else are a server
 * that keeps us busy. */
#define BARREN_LIMIT_OCTETS ((size_t)1 << 20)
#define RAW_WINDOW (-MAX_WBITS) /* without zlib's header (RFC 4978 §3) */

struct HaulDeflate {
  z_stream in, out;
  size_t barren; /* octets taken in since one came out */
  bool holds;
  unsigned char in_octets[PIECE_OCTETS], out_octets[PIECE_OCTETS];
};

HaulDeflate *
haul_deflate_new(int level)
{
  HaulDeflate *deflate = g_new0(HaulDeflate, 1);
  int in = inflateInit2(&deflate->in, RAW_WINDOW);
  int out =
      deflateInit2(&deflate->out, level, Z_DEFLATED, RAW_WINDOW, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  g_assert(in == Z_OK && out == Z_OK); /* only memory can have been short */
  return deflate;
}

void
haul_deflate_free(HaulDeflate *deflate)
{
  if (deflate == NULL)
    return;
  inflateEnd(&deflate->in);
  deflateEnd(&deflate->out);
  explicit_bzero(deflate, sizeof *deflate);
  g_free(deflate);
}

void *
haul_inflate_room(HaulDeflate *deflate, size_t *size)
{
  if (deflate->in.avail_in > 0)
    memmove(deflate->in_octets, deflate->in.next_in, deflate->in.avail_in);
  deflate->in.next_in = deflate->in_octets;
  *size = PIECE_OCTETS - deflate->in.avail_in;
  return deflate->in_octets + deflate->in.avail_in;
}

void
haul_inflate_add(HaulDeflate *deflate, size_t size)
{
  deflate->in.avail_in += (uInt)size;
}

HaulInflate
haul_inflate(HaulDeflate *deflate, void *buffer, size_t size, size_t *got)
{
  z_stream *in = &deflate->in;
  in->next_out = buffer;
  in->avail_out = (uInt)MIN(size, G_MAXUINT);
  uInt room = in->avail_out, had = in->avail_in;
  int result = inflate(in, Z_SYNC_FLUSH);
  *got = room - in->avail_out;
  deflate->barren = *got > 0 ? 0 : deflate->barren + (had - in->avail_in);
  if (*got > 0)
    return HAUL_INFLATE_DONE; /* what is wrong behind it comes next time */
  if (result == Z_STREAM_END)
    return HAUL_INFLATE_ENDED;
  if ((result != Z_OK && result != Z_BUF_ERROR) || deflate->barren > BARREN_LIMIT_OCTETS)
    return HAUL_INFLATE_BROKEN;
  return HAUL_INFLATE_STARVED;
}

bool
haul_deflate(HaulDeflate *self, const char **octets, size_t *n_octets, bool flush, const char **out,
             size_t *size)
{
  z_stream *stream = &self->out;
  uInt offered = (uInt)MIN(*n_octets, G_MAXUINT);
  stream->next_in = (const Bytef *)*octets;
  stream->avail_in = offered;
  stream->next_out = self->out_octets;
  stream->avail_out = sizeof self->out_octets;
  bool last = flush && offered == *n_octets;
  int result = deflate(stream, last ? Z_SYNC_FLUSH : Z_NO_FLUSH);
  g_assert(result == Z_OK || result == Z_BUF_ERROR); /* nothing to do is no failure */

  uInt taken = offered - stream->avail_in;
  *octets += taken;
  *n_octets -= taken;
  *out = (const char *)self->out_octets;
  *size = sizeof self->out_octets - stream->avail_out;
  /* With the buffer full, zlib may hold more of the same flush. */
  bool more = *n_octets > 0 || stream->avail_out == 0;
  self->holds = more || !last;
  return more;
}

bool
haul_deflate_holds(const HaulDeflate *deflate)
{
  return deflate->holds;
}
