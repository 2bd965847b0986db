/*
 * A message on its way: a sealed, immutable, reference-counted body together with its item.
 */
#ifndef MAILHAUL_MESSAGE_H
#define MAILHAUL_MESSAGE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <mailhaul/visibility.h>

G_BEGIN_DECLS

#define HAUL_UNKNOWN UINT64_MAX
#define HAUL_NO_DATE INT64_MIN

typedef struct HaulMessage HaulMessage;

/* The five system flags (RFC 9051 §2.3.2). */
typedef enum {
  HAUL_SEEN = 1 << 0,
  HAUL_ANSWERED = 1 << 1,
  HAUL_FLAGGED = 1 << 2,
  HAUL_DELETED = 1 << 3,
  HAUL_DRAFT = 1 << 4,
  HAUL_ALL_FLAGS = (1 << 5) - 1,
} HaulFlags;

/* What is known of a message without its body. Frozen for the life of HAUL_ABI_VERSION. */
typedef struct {
  const char *id;              /* names the message within (folder, epoch): UID, UIDL, base name */
  const char *object_id;       /* names the content in the whole account, where the store knows:
                                  EMAILID (RFC 8474), X-GM-MSGID; else NULL                      */
  uint64_t size;               /* octets with CRLF line ends, or HAUL_UNKNOWN; a hint            */
  int64_t date;                /* arrival (INTERNALDATE), Unix seconds, or HAUL_NO_DATE          */
  int32_t date_zone;           /* its zone, seconds east of UTC                                  */
  uint32_t flags;              /* HaulFlags                                                      */
  const char *const *keywords; /* NULL-terminated; NULL for none                                 */
  const char *const *labels;   /* further folders it is in (X-GM-LABELS), canonical paths; NULL  */
  const uint8_t *header;       /* the fields that were asked for, or NULL                        */
  size_t header_size;
} HaulItem;

/* The item of a sealed message: its size is the true number of octets. Lent by @message. */
HAUL_PUBLIC const HaulItem *haul_message_item(const HaulMessage *message);

/*
 * Shows a part of the body: octets as they passed, line ends CRLF where the store keeps lines.
 *
 * @offset: from where; @size: gets how many octets follow there, at most 1 MiB at a time.
 * Returns them, valid until the next call on @message by any thread, or unref; NULL at the end,
 * or (before it) if the spool cannot be read. One thread at a time looks at a message.
 */
HAUL_PUBLIC const uint8_t *
haul_message_window(const HaulMessage *message, uint64_t offset, size_t *size);

HAUL_PUBLIC HaulMessage *haul_message_ref(HaulMessage *message);
HAUL_PUBLIC void haul_message_unref(HaulMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulMessage, haul_message_unref)

G_END_DECLS
#endif /* MAILHAUL_MESSAGE_H */
