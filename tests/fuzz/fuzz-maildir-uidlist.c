/* The file dovecot-uidlist: what is read and printed says the same, and a message that is delivered gets a UID
 * that no other one has. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include "../../plugins/maildir/uidlist.h"

#define GUID "0123456789abcdef0123456789abcdef"

/* Feeds the lines of @text; appends what they say to @out, printed. */
static bool
read_list(MaildirUidlist *list, const char *text, size_t size, GString *out)
{
  maildir_uidlist_init(list);
  const char *end = text + size;
  for (const char *lf; (lf = memchr(text, '\n', (size_t)(end - text))) != NULL; text = lf + 1) {
    bool is_head = list->version == 0;
    g_autofree char *exact = g_memdup2(text, (gsize)(lf - text) + 1); /* nothing lies behind it */
    if (!maildir_uidlist_feed(list, exact, (size_t)(lf - text)))
      return false;
    MaildirUidline line;
    if (!is_head) {
      FUZZ_ASSERT(maildir_uidlist_parse_line(list->version, exact, (size_t)(lf - text), &line));
      FUZZ_ASSERT(line.uid < list->next && line.base_size > 0);
      maildir_uidlist_print_parsed(&line, out);
    }
  }
  return list->version != 0;
}

/* Some UIDs that messages want: the octets of the text. */
static void
try_places(const MaildirUidlist *list, const uint8_t *data, size_t size)
{
  MaildirPlace places[16] = { 0 };
  size_t n = MIN(size, G_N_ELEMENTS(places));
  uint32_t lost = list->uids->len > 0 ? g_array_index(list->uids, uint32_t, 0) : 0;
  for (size_t i = 0; i < n; i++)
    places[i].wanted = data[size - 1 - i] % 40;
  uint32_t source_next = size > 0 ? data[0] : 0;
  bool indexed = size > 1 && data[1] % 2 != 0;
  if (!maildir_uidlist_place(list, &lost, lost != 0, source_next, indexed, places, n))
    return;
  for (size_t i = 0; i < n; i++) {
    const MaildirPlace *one = &places[i];
    bool has = maildir_uidlist_has(list, one->uid);
    FUZZ_ASSERT(one->uid > 0 && one->uid < UINT32_MAX);
    FUZZ_ASSERT(has == (one->kind == MAILDIR_PLACE_OF) && (!has || one->uid == lost));
    FUZZ_ASSERT(one->uid == one->wanted || one->uid >= MAX(list->next, source_next));
    FUZZ_ASSERT(!indexed || has || one->uid >= list->next);
    if (one->kind == MAILDIR_PLACE_BEHIND && list->uids->len > 0)
      FUZZ_ASSERT(one->uid > g_array_index(list->uids, uint32_t, list->uids->len - 1));
    for (size_t k = 0; k < i; k++)
      FUZZ_ASSERT(places[k].uid != one->uid);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  MaildirUidlist list, again;
  g_autoptr(GString) lines = g_string_new(NULL), same = g_string_new(NULL);
  if (read_list(&list, (const char *)data, size, lines)) {
    g_autoptr(GString) printed = g_string_new(NULL);
    maildir_uidlist_print_head(&list, list.validity, list.next, GUID, printed);
    g_string_append_len(printed, lines->str, (gssize)lines->len);
    FUZZ_ASSERT(read_list(&again, printed->str, printed->len, same));
    FUZZ_ASSERT(again.validity == list.validity && again.next == list.next);
    FUZZ_ASSERT(again.uids->len == list.uids->len && g_string_equal(lines, same));
    maildir_uidlist_clear(&again);
    try_places(&list, data, size);
  }
  maildir_uidlist_clear(&list);
  return 0;
}

const char *const fuzz_seeds[] = {
  "3 V1700000000 N18 G" GUID "\n7 Pwhqtswo00WBw :1.M1P2.host,S=12,W=13\n9 :b\n",
  "3 N4 V7 Xa\n1 S1 W2 P :a:2,S\n3 :b\n",
  "1 7 4\n1 a\n3 b:2,S\n",
  "3 V7 N30\n5 :a\n6 :b\n\x06\x05\x07\x04",
  "3 V7 N1\n4294967294 :z\n",
  NULL,
};
