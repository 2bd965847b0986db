/*
 * A connection to a server, the host's own: name look-up, TCP, TLS, deadlines, cancellation.
 *
 * One thread uses a stream at a time. Every call waits at most for the deadlines of DESIGN.md and
 * returns at once when the run is cancelled. After an error a stream is dead: close it. Writing
 * never deadlocks with a peer that waits for us to read: what arrives meanwhile is kept.
 *
 * Errors: HAUL_ERROR_CONNECTION for what another connection may cure (reason "connect",
 * "timeout", "closed"), HAUL_ERROR_ACCOUNT for what it cannot ("tls", "resolve").
 */
#ifndef MAILHAUL_STREAM_H
#define MAILHAUL_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mailhaul/account.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

typedef struct HaulStream HaulStream;

/* The settings that haul_stream_open() reads; a network backend puts them into its table. */
#define HAUL_STREAM_SETTINGS                                                                       \
  { "host", 's', NULL, "Name or address of the server." },                                         \
      { "port", 'n', "0", "TCP port; 0: the usual one for the kind of TLS." },                     \
      { "tls", 's', "implicit", "implicit, starttls, or none (clear text: loopback only)." },      \
      { "tls-ca", 'p', "", "File of CA certificates to trust besides the system's." },             \
      { "tls-pin", 's', "", "Public keys to trust instead of any CA, as sha256:DIGEST,..." },      \
      { "tls-cert", 'p', "", "File of our own certificate, for a server that asks for it." },      \
      { "tls-key", 'p', "", "File of its key, if that is not in the same file." },                 \
      { "inet", 's', "any", "Kind of addresses to connect to: 4, 6 or any." },                     \
      { "tunnel", 's', "", "Command to talk to by its standard input and output, not a host." },   \
      { "insecure", 'b', "false", "Whether clear text may leave this machine." },                  \
  {                                                                                                \
    "timeout", 'd', "120", "Seconds a silent server is waited for; scales all deadlines."          \
  }

typedef enum { HAUL_TLS_IMPLICIT, HAUL_TLS_STARTTLS, HAUL_TLS_NONE } HaulTls;

/*
 * Connects to the host of @account, or starts its tunnel, and shakes hands where TLS is implicit: with the name checked,
 * TLS 1.2 or later. Clear text is refused unless the address is loopback or "insecure" is set, or
 * a tunnel carries it: through one there is no TLS unless the user has set "tls".
 *
 * @tls_port, @clear_port: the usual ports for implicit TLS and for the rest.
 */
HAUL_PUBLIC HaulStream *haul_stream_open(const HaulAccount *account, uint16_t tls_port,
                                         uint16_t clear_port, GError **error);
HAUL_PUBLIC void haul_stream_close(HaulStream *stream);

/* What the user asked for; a plugin upgrades where it says HAUL_TLS_STARTTLS. */
HAUL_PUBLIC HaulTls haul_stream_tls(const HaulStream *stream);
HAUL_PUBLIC bool haul_stream_is_encrypted(const HaulStream *stream);

/* Whether the other end is a process that the user had us start: it may know us already. */
HAUL_PUBLIC bool haul_stream_is_tunnel(const HaulStream *stream);

/* Shakes hands on a clear stream. Octets that came before it are an attack (CVE-2021-22947): an
 * error with HAUL_ERROR_ACCOUNT and reason "tls". */
HAUL_PUBLIC bool haul_stream_start_tls(HaulStream *stream, GError **error);

/*
 * Gets what binds a login to this TLS connection and no other (RFC 5056).
 *
 * @type: gets "tls-exporter" (RFC 9266), or "tls-unique" (RFC 5929) before TLS 1.3; static.
 * Returns NULL in clear text.
 */
HAUL_PUBLIC GBytes *haul_stream_channel_binding(const HaulStream *stream, const char **type);

/*
 * Compresses both ways from here on (DEFLATE, RFC 4978): all that was written so far is sent as it
 * is, and the next octet read is compressed. What is not DEFLATE is an error "protocol".
 */
HAUL_PUBLIC bool haul_stream_compress(HaulStream *stream, GError **error);
HAUL_PUBLIC bool haul_stream_is_compressed(const HaulStream *stream);

/*
 * Measures the link, and tells of its slower way: how many octets a second passed while it was waited
 * for, by haul_stream_read() or with octets left to be sent. Time spent elsewhere does not count.
 *
 * Returns 0 until that can be told, after half a second of waiting.
 */
HAUL_PUBLIC uint64_t haul_stream_rate(const HaulStream *stream);

/* Says that the server has done something that it was asked for. Its time for the next thing, in
 * which less than 1 KiB a minute is as bad as silence, begins here, or when something is sent. */
HAUL_PUBLIC void haul_stream_answered(HaulStream *stream);

/*
 * Reads one line, of at most @limit octets.
 *
 * Returns it without its CRLF (or LF), lent until the next call on @stream, followed by a NUL that
 * does not count; it may hold NULs itself. @length: its octets.
 */
HAUL_PUBLIC const char *
haul_stream_read_line(HaulStream *stream, size_t limit, size_t *length, GError **error);

/* Reads 1 to @size octets. Returns how many; 0 on error (an end is one). */
HAUL_PUBLIC size_t haul_stream_read(HaulStream *stream, void *buffer, size_t size, GError **error);

/* Whether a read would find something without waiting. */
HAUL_PUBLIC bool haul_stream_pending(HaulStream *stream);

/* Queues octets, sending when a good deal has gathered; flush sends the rest. A read flushes first,
 * so an unsent command is never waited upon. */
HAUL_PUBLIC bool
haul_stream_write(HaulStream *stream, const void *octets, size_t size, GError **error);
HAUL_PUBLIC bool
haul_stream_printf(HaulStream *stream, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
HAUL_PUBLIC bool haul_stream_flush(HaulStream *stream, GError **error);

/* Flushes, and waits so long at most until a read would find something, an error too: the peer may take
 * its time, and no deadline runs. Errors: HAUL_ERROR_CANCELLED, and those of haul_stream_flush(). */
HAUL_PUBLIC bool
haul_stream_wait(HaulStream *stream, unsigned milliseconds, bool *readable, GError **error);

/* Flushes, and does nothing for so long: the peer asked for a pause. */
HAUL_PUBLIC bool haul_stream_pause(HaulStream *stream, unsigned milliseconds, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulStream, haul_stream_close)

G_END_DECLS
#endif /* MAILHAUL_STREAM_H */
