/*
 * Streams: buffers on both ways of a link, lines and bulk, and compression between the two. How
 * octets move and how long they are waited for is link.c's.
 *
 * While octets cannot be sent, those that arrive are read, so that two ends that both send do not
 * wait for each other.
 */
#include <mailhaul/stream.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <mailhaul/error.h>

#include "account.h"
#include "deflate.h"
#include "link.h"

#define BUFFER_OCTETS ((size_t)64 << 10)
/* What is kept of input while we cannot send; beyond it we only wait. */
#define UNREAD_LIMIT_OCTETS ((size_t)4 << 20)
#define SPARE_OCTETS ((size_t)4 << 10)      /* less room than this is not worth a system call */
#define DIRECT_OCTETS ((size_t)16 << 10)    /* from here on a read bypasses the buffer */
#define MEASURE_US (G_TIME_SPAN_SECOND / 2) /* of waiting: what a measurement takes */
#define SLOW_OCTETS_S ((uint64_t)4 << 20)   /* below it, octets are worth more than time */
#define LEVEL_SLOW 6                        /* of zlib */
#define LEVEL_FAST 1

/* How fast the link is one way: octets that passed, and time that passed while it was waited for. */
typedef struct {
  uint64_t octets;
  int64_t waited_us;
  uint64_t rate; /* octets a second, of the last MEASURE_US; 0: not known */
} Measure;

struct HaulStream {
  HaulLink link;        /* owned */
  HaulDeflate *deflate; /* owned; NULL while not compressed */
  Measure up, down;
  HaulTls wanted;
  GError *failure; /* owned; why the stream is dead, or NULL */
  GError *end;     /* owned; why nothing more will come: kills once the buffer is empty */

  char *in; /* owned */
  size_t in_capacity;
  size_t in_start, in_end; /* the unread octets */
  size_t in_scanned;       /* how many of them are known to hold no line end */
  char *out;               /* owned; BUFFER_OCTETS */
  size_t out_size;
};

/* Gives the caller what killed @stream. */
static bool
report(const HaulStream *stream, GError **error)
{
  g_propagate_error(error, g_error_copy(stream->failure));
  return false;
}

static size_t
unread(const HaulStream *stream)
{
  return stream->in_end - stream->in_start;
}

static void
consume(HaulStream *stream, size_t octets)
{
  stream->in_start += octets;
  stream->in_scanned = 0;
}

static void
make_room(HaulStream *stream)
{
  size_t kept = unread(stream);
  if (kept == 0) {
    stream->in_start = stream->in_end = 0;
    if (stream->in_capacity > 4 * BUFFER_OCTETS) {
      g_free(stream->in);
      stream->in = g_malloc(stream->in_capacity = BUFFER_OCTETS);
    }
  }
  if (stream->in_capacity - stream->in_end >= SPARE_OCTETS)
    return;
  /* Half of it was consumed since the last move, or it doubles: linear either way. */
  if (kept > stream->in_capacity / 2)
    stream->in = g_realloc(stream->in, stream->in_capacity *= 2);
  memmove(stream->in, stream->in + stream->in_start, kept);
  stream->in_start = 0;
  stream->in_end = kept;
}

static void
measure(Measure *measured, uint64_t octets, int64_t waited_us)
{
  measured->octets += octets;
  measured->waited_us += waited_us;
  if (measured->waited_us < MEASURE_US)
    return;
  measured->rate = MAX(1, measured->octets * G_USEC_PER_SEC / (uint64_t)measured->waited_us);
  measured->octets = 0;
  measured->waited_us = 0;
}

/*
 * Waits for the link, and measures it.
 *
 * Up, it was busy if octets were left to be sent when the wait was over. Down, it was if we are in
 * the middle of something, as @bulk says: else it is the server that we wait for. What came by
 * itself, while nobody waited, makes it look faster than it is, never slower.
 */
static bool
await(HaulStream *stream, short events, bool bulk, short *came)
{
  size_t backlog = haul_link_backlog(&stream->link);
  int64_t before_us = g_get_monotonic_time();
  if (!haul_link_await(&stream->link, events, came, &stream->failure))
    return false;
  int64_t waited_us = g_get_monotonic_time() - before_us;
  size_t left = backlog > 0 ? haul_link_backlog(&stream->link) : 0;
  if (left > 0)
    measure(&stream->up, backlog - MIN(left, backlog), waited_us);
  if (bulk)
    measure(&stream->down, 0, waited_us);
  return true;
}

/* Receives and expands what is there, into @buffer. FAILED: stream->end says why. */
static HaulIo
receive_compressed(HaulStream *stream, void *buffer, size_t size, size_t *got)
{
  for (;;) {
    HaulInflate inflated = haul_inflate(stream->deflate, buffer, size, got);
    if (inflated == HAUL_INFLATE_DONE)
      return HAUL_IO_DONE;
    if (stream->end != NULL)
      return HAUL_IO_FAILED;
    if (inflated != HAUL_INFLATE_STARVED) {
      haul_set_error(&stream->end, HAUL_ERROR_CONNECTION, "protocol",
                     inflated == HAUL_INFLATE_ENDED ? "%s: the server ended the compressed data"
                                                    : "%s: what the server sends is not compressed "
                                                      "as it should be",
                     stream->link.peer.name);
      return HAUL_IO_FAILED;
    }
    size_t room, moved;
    void *raw = haul_inflate_room(stream->deflate, &room);
    HaulIo io = haul_link_receive(&stream->link, raw, room, &moved, &stream->end);
    if (io != HAUL_IO_DONE)
      return io;
    haul_inflate_add(stream->deflate, moved);
    stream->down.octets += moved;
  }
}

/* Receives what is there, into @buffer. FAILED: stream->end says why. */
static HaulIo
receive(HaulStream *stream, void *buffer, size_t size, size_t *got)
{
  if (stream->deflate != NULL)
    return receive_compressed(stream, buffer, size, got);
  if (stream->end != NULL)
    return HAUL_IO_FAILED;
  HaulIo io = haul_link_receive(&stream->link, buffer, size, got, &stream->end);
  stream->down.octets += *got;
  return io;
}

/* Receives what is there, into the buffer. */
static HaulIo
fill(HaulStream *stream)
{
  make_room(stream);
  size_t got;
  HaulIo io =
      receive(stream, stream->in + stream->in_end, stream->in_capacity - stream->in_end, &got);
  if (io == HAUL_IO_DONE)
    stream->in_end += got;
  return io;
}

/* Sends octets as they are. */
static bool
transmit(HaulStream *stream, const char *octets, size_t size)
{
  if (size > 0)
    haul_link_be_patient(&stream->link);
  while (size > 0) {
    if (!haul_link_check(&stream->link, &stream->failure))
      return false;
    size_t sent;
    HaulIo io = haul_link_transmit(&stream->link, octets, size, &sent, &stream->failure);
    if (io == HAUL_IO_FAILED)
      return false;
    if (io == HAUL_IO_DONE) {
      octets += sent;
      size -= sent;
      continue;
    }
    short events = io == HAUL_IO_WAIT_OUT ? POLLOUT : POLLIN;
    bool drain = stream->end == NULL && unread(stream) < UNREAD_LIMIT_OCTETS;
    short came;
    if (!await(stream, drain ? events | POLLIN : events, false, &came))
      return false;
    if (drain && (came & ~POLLOUT) != 0)
      fill(stream); /* its trouble, if any, is the next read's */
  }
  return true;
}

/* @flush: whether the peer is to be able to read all of it. */
static bool
send_all(HaulStream *stream, const char *octets, size_t size, bool flush)
{
  if (stream->deflate == NULL)
    return transmit(stream, octets, size);
  if (size == 0 && !haul_deflate_holds(stream->deflate))
    return true;
  for (bool more = true; more;) {
    const char *piece;
    size_t piece_size;
    more = haul_deflate(stream->deflate, &octets, &size, flush, &piece, &piece_size);
    if (piece_size > 0 && !transmit(stream, piece, piece_size))
      return false;
  }
  return true;
}

static bool
send_out(HaulStream *stream, bool flush)
{
  size_t size = stream->out_size;
  stream->out_size = 0;
  return send_all(stream, stream->out, size, flush);
}

static bool
holds_output(const HaulStream *stream)
{
  return stream->out_size > 0 || (stream->deflate != NULL && haul_deflate_holds(stream->deflate));
}

/* After an attempt to receive that came to @io: makes another one worth while. @bulk: as await(). */
static bool
wait_to_read(HaulStream *stream, HaulIo io, bool bulk)
{
  if (io == HAUL_IO_FAILED) {
    stream->failure = g_error_copy(stream->end);
    return false;
  }
  if (holds_output(stream))
    return send_out(stream, true); /* may have received something as well */
  short came;
  return await(stream, io == HAUL_IO_WAIT_OUT ? POLLOUT : POLLIN, bulk, &came);
}

static bool
parse_tls(const HaulAccount *account, HaulTls *tls, GError **error)
{
  static const char *const names[] = { "implicit", "starttls", "none" };
  const char *asked = haul_account_string(account, "tls");
  for (unsigned i = 0; asked != NULL && i < G_N_ELEMENTS(names); i++) {
    if (strcmp(asked, names[i]) == 0) {
      *tls = (HaulTls)i;
      return true;
    }
  }
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage",
                 "the setting \"tls\" of side %u is implicit, starttls or none",
                 haul_account_number_of_side(account));
  return false;
}

/* A setting that plugins of before do not declare; "" where it is not set. */
static const char *
newer_setting(const HaulAccount *account, const char *key)
{
  const char *value = haul_account_has(account, key) ? haul_account_string(account, key) : NULL;
  return value == NULL ? "" : value;
}

static bool
parse_family(const HaulAccount *account, int *family, GError **error)
{
  const char *asked = newer_setting(account, "inet");
  if (strcmp(asked, "4") == 0 || strcmp(asked, "6") == 0) {
    *family = *asked == '4' ? AF_INET : AF_INET6;
    return true;
  }
  *family = AF_UNSPEC;
  if (*asked == '\0' || strcmp(asked, "any") == 0)
    return true;
  haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "--inet%u is 4, 6 or any",
                 haul_account_number_of_side(account));
  return false;
}

static bool
configure_tunnel(HaulStream *stream, const HaulAccount *account)
{
  const char *host = haul_account_string(account, "host");
  unsigned side = haul_account_number_of_side(account);
  stream->link.command = g_strdup(newer_setting(account, "tunnel"));
  if (!haul_account_is_set(account, "tls"))
    stream->wanted = HAUL_TLS_NONE;
  if (stream->wanted != HAUL_TLS_NONE && (host == NULL || *host == '\0')
      && *newer_setting(account, "tls-pin") == '\0') {
    haul_set_error(&stream->failure, HAUL_ERROR_ACCOUNT, "usage",
                   "TLS through a tunnel needs to know whose: use --host%u NAME, or --tls-pin%u",
                   side, side);
    return false;
  }
  return haul_tunnel_peer_init(&stream->link.peer, stream->link.command, host == NULL ? "" : host,
                               side, haul_account_cancel(account), &stream->failure);
}

static bool
configure(HaulStream *stream, const HaulAccount *account, uint16_t tls_port, uint16_t clear_port)
{
  if (!parse_tls(account, &stream->wanted, &stream->failure))
    return false;
  uint64_t port = haul_account_number(account, "port");
  if (port == 0)
    port = stream->wanted == HAUL_TLS_IMPLICIT ? tls_port : clear_port;
  stream->link.timeout_s = haul_account_number(account, "timeout");
  stream->link.trust = (HaulTrustTerms){
    .ca_file = g_strdup(haul_account_string(account, "tls-ca")),
    .pins = g_strdup(newer_setting(account, "tls-pin")),
    .certificate = g_strdup(newer_setting(account, "tls-cert")),
    .key = g_strdup(newer_setting(account, "tls-key")),
    .side = haul_account_number_of_side(account),
  };
  if (*newer_setting(account, "tunnel") != '\0')
    return configure_tunnel(stream, account);
  int family;
  if (!parse_family(account, &family, &stream->failure))
    return false;
  bool fine = haul_peer_init(&stream->link.peer, haul_account_string(account, "host"), port,
                             haul_account_number_of_side(account), haul_account_cancel(account),
                             &stream->failure);
  stream->link.peer.family = family;
  return fine;
}

static bool
make_connection(HaulStream *stream, bool loopback_only)
{
  return haul_link_open(&stream->link, loopback_only, &stream->failure)
         && (stream->wanted != HAUL_TLS_IMPLICIT
             || haul_link_encrypt(&stream->link, &stream->failure));
}

HaulStream *
haul_stream_open(const HaulAccount *account, uint16_t tls_port, uint16_t clear_port, GError **error)
{
  g_autoptr(HaulStream) stream = g_new0(HaulStream, 1);
  stream->link.duplex = (HaulDuplex){ -1, -1 };
  stream->in = g_malloc(stream->in_capacity = BUFFER_OCTETS);
  stream->out = g_malloc(BUFFER_OCTETS);
  if (!configure(stream, account, tls_port, clear_port)) {
    report(stream, error);
    return NULL;
  }
  bool loopback_only = stream->wanted == HAUL_TLS_NONE && !haul_account_bool(account, "insecure");
  if (!make_connection(stream, loopback_only)) {
    report(stream, error);
    return NULL;
  }
  return g_steal_pointer(&stream);
}

void
haul_stream_close(HaulStream *stream)
{
  if (stream == NULL)
    return;
  haul_link_clear(&stream->link);
  g_clear_error(&stream->failure);
  g_clear_error(&stream->end);
  haul_deflate_free(stream->deflate);
  explicit_bzero(stream->out, BUFFER_OCTETS); /* passwords went through it */
  g_free(stream->out);
  g_free(stream->in);
  g_free(stream);
}

HaulTls
haul_stream_tls(const HaulStream *stream)
{
  return stream->wanted;
}

bool
haul_stream_is_encrypted(const HaulStream *stream)
{
  return stream->link.tls != NULL;
}

bool
haul_stream_start_tls(HaulStream *stream, GError **error)
{
  g_assert(stream->link.tls == NULL);
  if (!haul_stream_flush(stream, error))
    return false;
  if (unread(stream) > 0 || haul_link_peek(&stream->link)) {
    haul_set_error(&stream->failure, HAUL_ERROR_ACCOUNT, "tls",
                   "%s: octets in clear text came after the answer to STARTTLS: somebody may be "
                   "between us and the server",
                   stream->link.peer.name);
    return report(stream, error);
  }
  return haul_link_encrypt(&stream->link, &stream->failure) || report(stream, error);
}

GBytes *
haul_stream_channel_binding(const HaulStream *stream, const char **type)
{
  return stream->link.tls == NULL ? NULL : haul_tls_channel_binding(stream->link.tls, type);
}

bool
haul_stream_is_tunnel(const HaulStream *stream)
{
  return stream->link.command != NULL;
}

bool
haul_stream_compress(HaulStream *stream, GError **error)
{
  g_assert(stream->deflate == NULL);
  if (!haul_stream_flush(stream, error))
    return false;
  uint64_t rate = haul_stream_rate(stream);
  stream->deflate = haul_deflate_new(rate != 0 && rate < SLOW_OCTETS_S ? LEVEL_SLOW : LEVEL_FAST);
  /* The server need not wait for us: what came behind its last line is compressed. */
  size_t room;
  void *raw = haul_inflate_room(stream->deflate, &room);
  size_t early = unread(stream);
  if (early > room) {
    haul_set_error(&stream->failure, HAUL_ERROR_CONNECTION, "protocol",
                   "%s: too much came before it was asked for", stream->link.peer.name);
    return report(stream, error);
  }
  memcpy(raw, stream->in + stream->in_start, early);
  haul_inflate_add(stream->deflate, early);
  consume(stream, early);
  return true;
}

bool
haul_stream_is_compressed(const HaulStream *stream)
{
  return stream->deflate != NULL;
}

uint64_t
haul_stream_rate(const HaulStream *stream)
{
  uint64_t up = stream->up.rate, down = stream->down.rate;
  return up == 0 || down == 0 ? up + down : MIN(up, down);
}

void
haul_stream_answered(HaulStream *stream)
{
  haul_link_be_patient(&stream->link);
}

/* Takes the line that ends with the '\n' at @end out of the buffer, and ends it with a NUL. */
static char *
take_line(HaulStream *stream, char *end, size_t *length)
{
  char *line = stream->in + stream->in_start;
  consume(stream, (size_t)(end + 1 - line));
  if (end > line && end[-1] == '\r')
    end--;
  *end = '\0';
  *length = (size_t)(end - line);
  return line;
}

const char *
haul_stream_read_line(HaulStream *stream, size_t limit, size_t *length, GError **error)
{
  while (stream->failure == NULL) {
    char *line = stream->in + stream->in_start;
    size_t have = unread(stream);
    char *end = memchr(line + stream->in_scanned, '\n', have - stream->in_scanned);
    if (end != NULL) {
      char *taken = take_line(stream, end, length);
      if (*length <= limit)
        return taken;
    }
    stream->in_scanned = have;
    /* One octet more may be the CR of a line end whose LF is still to come. */
    if (end != NULL || (have > limit && have - limit > 1)) {
      haul_set_error(&stream->failure, HAUL_ERROR_CONNECTION, "protocol",
                     "%s: the server sent a line of more than %zu octets", stream->link.peer.name,
                     limit);
      break;
    }
    if (!haul_link_check(&stream->link, &stream->failure))
      break;
    HaulIo io = fill(stream);
    if (io != HAUL_IO_DONE && !wait_to_read(stream, io, false))
      break;
  }
  report(stream, error);
  return NULL;
}

size_t
haul_stream_read(HaulStream *stream, void *buffer, size_t size, GError **error)
{
  g_assert(size > 0);
  while (stream->failure == NULL) {
    size_t have = unread(stream);
    if (have > 0) {
      size_t part = MIN(have, size);
      memcpy(buffer, stream->in + stream->in_start, part);
      consume(stream, part);
      return part;
    }
    if (!haul_link_check(&stream->link, &stream->failure))
      break;
    size_t got = 0;
    HaulIo io = size >= DIRECT_OCTETS ? receive(stream, buffer, size, &got) : fill(stream);
    if (got > 0)
      return got;
    if (io != HAUL_IO_DONE && !wait_to_read(stream, io, true))
      break;
  }
  report(stream, error);
  return 0;
}

bool
haul_stream_pending(HaulStream *stream)
{
  if (stream->failure != NULL || unread(stream) > 0)
    return true; /* an error, too, is found without waiting */
  HaulIo io = fill(stream);
  return io == HAUL_IO_DONE || io == HAUL_IO_FAILED;
}

bool
haul_stream_write(HaulStream *stream, const void *octets, size_t size, GError **error)
{
  if (stream->failure != NULL)
    return report(stream, error);
  const char *next = octets;
  if (size > BUFFER_OCTETS - stream->out_size) {
    size_t part = BUFFER_OCTETS - stream->out_size;
    if (stream->out_size > 0) {
      memcpy(stream->out + stream->out_size, next, part);
      stream->out_size += part;
      next += part;
      size -= part;
      if (!send_out(stream, false))
        return report(stream, error);
    }
    if (size >= BUFFER_OCTETS)
      return send_all(stream, next, size, false) || report(stream, error);
  }
  if (size > 0)
    memcpy(stream->out + stream->out_size, next, size);
  stream->out_size += size;
  return true;
}

bool
haul_stream_printf(HaulStream *stream, GError **error, const char *format, ...)
{
  size_t room = BUFFER_OCTETS - stream->out_size;
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(stream->out + stream->out_size, room, format, arguments);
  va_end(arguments);
  g_assert(size >= 0);
  if ((size_t)size < room && stream->failure == NULL) {
    stream->out_size += (size_t)size;
    return true;
  }

  va_start(arguments, format);
  char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  bool written = haul_stream_write(stream, text, (size_t)size, error);
  explicit_bzero(text, (size_t)size);
  g_free(text);
  return written;
}

bool
haul_stream_flush(HaulStream *stream, GError **error)
{
  if (stream->failure != NULL || !send_out(stream, true))
    return report(stream, error);
  return true;
}

bool
haul_stream_pause(HaulStream *stream, unsigned milliseconds, GError **error)
{
  if (!haul_stream_flush(stream, error))
    return false;
  haul_cancel_wait(stream->link.peer.cancel, NULL, 0,
                   g_get_monotonic_time() + milliseconds * INT64_C(1000));
  return haul_link_check(&stream->link, &stream->failure) || report(stream, error);
}

bool
haul_stream_wait(HaulStream *stream, unsigned milliseconds, bool *readable, GError **error)
{
  int64_t until_us = g_get_monotonic_time() + milliseconds * INT64_C(1000);
  *readable = false;
  if (!haul_stream_flush(stream, error))
    return false;
  for (;;) {
    *readable = haul_stream_pending(stream);
    if (*readable)
      return true;
    struct pollfd in = { .fd = stream->link.duplex.in, .events = POLLIN };
    HaulWait wait = haul_cancel_wait(stream->link.peer.cancel, &in, 1, until_us);
    if (wait == HAUL_WAIT_DEADLINE)
      return true;
    if (wait == HAUL_WAIT_CANCELLED)
      return haul_link_check(&stream->link, &stream->failure) || report(stream, error);
  }
}
