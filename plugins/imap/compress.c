/*
 * Compression. See compress.h.
 *
 * A server compresses some 25 MB/s of mail on one of its processors, and mail comes out at about
 * half its size: where the link is faster than that, compression makes a copy slower, and always
 * dearer. So the link is measured while messages pass, and nothing is compressed until it has shown
 * itself slow.
 */
#include "compress.h"

#include <mailhaul/log.h>
#include <string.h>

#include "extensions.h"

#define SLOW_OCTETS_S 25000000u

bool
imap_compress_is_due(const ImapSession *session)
{
  if (!imap_session_can(session, IMAP_CAP_COMPRESS) || haul_stream_is_compressed(session->stream))
    return false;
  const char *wish = haul_account_string(session->account, "compress");
  if (strcmp(wish, "auto") != 0)
    return strcmp(wish, "yes") == 0;
  uint64_t rate = haul_stream_rate(session->stream);
  return rate != 0 && rate < SLOW_OCTETS_S;
}

bool
imap_compress_is_open(const ImapSession *session)
{
  return imap_session_can(session, IMAP_CAP_COMPRESS) && !haul_stream_is_compressed(session->stream)
         && strcmp(haul_account_string(session->account, "compress"), "auto") == 0;
}

bool
imap_compress(ImapSession *session, GError **error)
{
  if (!imap_compress_is_due(session) || session->mid_command
      || !g_queue_is_empty(&session->commands))
    return true;
  g_auto(ImapReply) reply = { 0 };
  ImapCommand command = { .name = "COMPRESS", .reply = &reply };
  uint64_t rate = haul_stream_rate(session->stream);
  if (!imap_session_send(session, &command, error, "COMPRESS DEFLATE")
      || !imap_session_wait(session, &reply, error))
    return false;
  if (g_strcmp0(reply.code, "COMPRESSIONACTIVE") == 0) { /* TLS does it (RFC 4978 §3) */
    imap_extensions_drop(session, IMAP_CAP_COMPRESS);
    return true;
  }
  if (reply.condition != IMAP_OK) {
    imap_extensions_forgo(session, IMAP_CAP_COMPRESS);
    return true;
  }
  haul_log(HAUL_LOG_DEBUG,
           "%s: compressed from here on, the link passes %" G_GUINT64_FORMAT " kB/s",
           haul_account_side(session->account), rate / 1000);
  bool compressed = haul_stream_compress(session->stream, error);
  session->dead |= !compressed;
  return compressed;
}
