/* What POP3 looks at while a message passes (plugins/pop3/head.c, ids.c, glued.c, status.c): it finds the same in
 * whatever pieces the message comes, and what it makes an id of is never taken for a UIDL. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/text.h>

#include "../../plugins/pop3/glued.h"
#include "../../plugins/pop3/head.h"
#include "../../plugins/pop3/ids.h"
#include "../../plugins/pop3/status.h"

typedef struct {
  char *id; /* owned */
  size_t header_size;
  uint32_t flags;
  bool is_glued;
} Found;

static Found
look_at(const uint8_t *message, size_t size, size_t piece)
{
  Found found = { 0 };
  Pop3Head head;
  Pop3Print print = { 0 };
  Pop3Glued glued = { .announced = size / 2 };
  bool begun = false;
  pop3_head_init(&head);
  for (size_t at = 0; at < size; at += piece) {
    g_autofree uint8_t *octets = g_memdup2(message + at, MIN(piece, size - at)); /* exact */
    size_t n = MIN(piece, size - at), used = pop3_head_feed(&head, octets, n);
    FUZZ_ASSERT(used <= n && (used == n || head.is_complete));
    pop3_glued_feed(&glued, octets, n);
    if (head.is_complete && !begun) {
      pop3_print_begin(&print, head.octets->data, head.octets->len, head.is_cut);
      begun = true;
    }
    if (begun)
      pop3_print_feed(&print, octets + used, n - used);
  }
  if (!begun)
    pop3_print_begin(&print, head.octets->data, head.octets->len, head.is_cut);
  found.header_size = head.octets->len;
  found.flags = pop3_status_flags(head.octets->data, head.octets->len);
  found.is_glued = glued.found;
  found.id = pop3_print_end(&print);
  pop3_head_clear(&head);
  return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  size_t piece = data[0] % 40 + 1;
  Found whole = look_at(data + 1, size - 1, MAX(size, 1));
  Found parts = look_at(data + 1, size - 1, piece);
  FUZZ_ASSERT(strcmp(whole.id, parts.id) == 0 && whole.header_size == parts.header_size);
  FUZZ_ASSERT(whole.flags == parts.flags && whole.is_glued == parts.is_glued);
  FUZZ_ASSERT((whole.flags & ~(uint32_t)HAUL_ALL_FLAGS) == 0 && !(whole.flags & HAUL_DELETED));
  FUZZ_ASSERT(whole.header_size == haul_header_end(data + 1, size - 1)
              || whole.header_size == POP3_HEAD_LIMIT);
  FUZZ_ASSERT(pop3_ids_is_made(whole.id) && !pop3_ids_is_uidl(whole.id, strlen(whole.id)));
  g_autofree char *second = pop3_ids_nth(whole.id, 2), *first = pop3_ids_first(second);
  FUZZ_ASSERT(strcmp(first, whole.id) == 0 && strcmp(second, first) != 0);
  if (pop3_ids_is_uidl((const char *)data, size)) {
    g_autofree char *uidl = g_strndup((const char *)data, size);
    FUZZ_ASSERT(strlen(uidl) == size && !pop3_ids_is_made(uidl));
  }
  g_free(whole.id);
  g_free(parts.id);
  return 0;
}

const char *const fuzz_seeds[] = {
  "\001Received: a\r\n b\r\nSubject: x\r\n\r\nbody\r\n",
  "\002Status: RO\r\nX-Status: AFTD\r\nX-UIDL: a\r\n b\r\n\r\n",
  "\003text.\r\n+OK 7 octets\r\nmore\r\n.\r\n-ERR no\r\n",
  "\004no header\n\nx",
  "\005\r\r\n\n\r\n",
  "000000016b03fc0c",
  NULL,
};
