/* File names and line ends of Maildir: flags written to a name are read from it, names of folders come
 * back, the order of ids is total, and a message that is stored with LF is read as it was, however it is cut. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/message.h>
#include <mailhaul/text.h>

#include "../../plugins/maildir/lines.h"
#include "../../plugins/maildir/name.h"
#include "../../plugins/maildir/naming.h"

static void
try_name(const char *name)
{
  size_t base = maildir_name_base(name);
  FUZZ_ASSERT(base <= strlen(name) && memchr(name, ':', base) == NULL);
  uint64_t value;
  if (maildir_name_field(name, base, 'S', &value))
    FUZZ_ASSERT(strstr(name, ",S=") != NULL);
  (void)maildir_name_seconds(name);

  MaildirFlags flags = maildir_name_flags(name), set = { HAUL_SEEN | HAUL_DRAFT, 5, true, NULL };
  FUZZ_ASSERT((flags.flags & ~(uint32_t)HAUL_ALL_FLAGS) == 0 && flags.letters < 1u << 26);
  g_autofree char *changed = maildir_name_with_flags(name, &set);
  MaildirFlags again = maildir_name_flags(changed);
  FUZZ_ASSERT(maildir_name_base(changed) == base && memcmp(changed, name, base) == 0);
  FUZZ_ASSERT(again.flags == set.flags && again.letters == set.letters && again.passed);
  g_autofree char *same = maildir_name_with_flags(changed, &again);
  FUZZ_ASSERT(strcmp(same, changed) == 0);

  g_autofree char *host = maildir_name_host(name);
  FUZZ_ASSERT(strlen(host) <= 64 && strpbrk(host, "/:,") == NULL);
}

/* Names of folders, @text taken once for a name on disk and once for a path. */
static void
try_folder(MaildirNaming naming, const char *text)
{
  g_autofree char *path = maildir_naming_path(naming, text);
  FUZZ_ASSERT(g_utf8_validate(path, -1, NULL));
  g_autofree char *name = maildir_naming_name(naming, path);
  if (name != NULL) {
    g_autofree char *back = maildir_naming_path(naming, name);
    FUZZ_ASSERT(strcmp(back, path) == 0);
  }

  if (!g_utf8_validate(text, -1, NULL))
    return;
  g_autofree char *other_path = haul_path_from_native(text, '/', "/");
  g_autofree char *other_name = maildir_naming_name(naming, other_path);
  if (other_name == NULL) { /* INBOX, or nothing at all */
    FUZZ_ASSERT(haul_path_is_inbox(other_path) || g_str_has_prefix(other_path, "%00"));
    return;
  }
  g_auto(GStrv) levels = g_strsplit(other_name, "/", -1);
  FUZZ_ASSERT(naming.separator == '/' || g_strv_length(levels) == 1);
  for (char **level = levels; *level != NULL; level++) {
    FUZZ_ASSERT((*level)[0] != '\0' && (!naming.is_bare || (*level)[0] != '.'));
    FUZZ_ASSERT(!naming.is_bare || (strcmp(*level, "cur") != 0 && strcmp(*level, "tmp") != 0));
    FUZZ_ASSERT(g_str_is_ascii(*level));
  }
  g_autofree char *back = maildir_naming_path(naming, other_name);
  FUZZ_ASSERT(strcmp(back, other_path) == 0);
}

static int
sign(int number)
{
  return number < 0 ? -1 : number > 0;
}

/* Three ids of one text: order is total. */
static void
try_order(const char *text, size_t size)
{
  size_t third = size / 3;
  const char *a = text, *b = text + third, *c = text + 2 * third;
  size_t c_size = size - 2 * third;
  int ab = maildir_name_compare(a, third, b, third), ba = maildir_name_compare(b, third, a, third);
  int bc = maildir_name_compare(b, third, c, c_size),
      ac = maildir_name_compare(a, third, c, c_size);
  FUZZ_ASSERT(sign(ab) == -sign(ba) && maildir_name_compare(a, third, a, third) == 0);
  FUZZ_ASSERT((ab == 0) == (memcmp(a, b, third) == 0));
  if (ab <= 0 && bc <= 0)
    FUZZ_ASSERT(ac <= 0);
  if (ab >= 0 && bc >= 0)
    FUZZ_ASSERT(ac >= 0);
}

/* To the disk and back, in pieces of @step. */
static void
try_lines(const uint8_t *octets, size_t size, size_t step)
{
  MaildirLines lines = { 0 }, whole = { 0 };
  g_autofree uint8_t *disk = g_malloc(2 * size + 2), *wire = g_malloc(2 * size + 2);
  size_t n_disk = 0, n_wire = 0;
  bool held = false;
  maildir_lines_feed(&whole, octets, size);
  for (size_t at = 0; at < size; at += step) {
    size_t piece = MIN(step, size - at);
    maildir_lines_feed(&lines, octets + at, piece);
    n_disk += maildir_lines_to_lf(&held, octets + at, piece, disk + n_disk);
  }
  if (held)
    disk[n_disk++] = '\r';
  FUZZ_ASSERT(lines.n_lf == whole.n_lf && lines.n_crlf == whole.n_crlf
              && lines.n_crcrlf == whole.n_crcrlf && lines.octets == size);
  FUZZ_ASSERT(n_disk == maildir_lines_lf_size(&lines));
  MaildirLines once = { 0 };
  FUZZ_ASSERT(maildir_lines_convert(&once, octets, size, wire) == n_disk
              && (size == 0 || memcmp(wire, disk, n_disk) == 0));
  FUZZ_ASSERT(once.n_lf == whole.n_lf && once.n_crlf == whole.n_crlf
              && once.n_crcrlf == whole.n_crcrlf && once.octets == size);
  uint8_t last = 0;
  for (size_t at = 0, used; at < n_disk; at += used)
    n_wire +=
        maildir_lines_to_crlf(&last, disk + at, MIN(step, n_disk - at), &used, wire + n_wire, step);
  if (maildir_lines_convertible(&lines))
    FUZZ_ASSERT(n_wire == size && (size == 0 || memcmp(wire, octets, size) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autofree uint8_t *exact = g_memdup2(data, size + (size == 0));
  try_name(text);
  static const MaildirNaming namings[] = {
    { '.', false }, { '/', true }, { '.', true }, { '_', true }
  };
  for (size_t i = 0; i < G_N_ELEMENTS(namings); i++)
    try_folder(namings[i], text);
  try_order((const char *)exact, size);
  try_lines(exact, size, 1);
  try_lines(exact, size, 7);
  try_lines(exact, size, size + 1);
  return 0;
}

const char *const fuzz_seeds[] = {
  "1700000000.M1P2.host,S=12,W=13:2,FS",
  "1.a.h:2,SaZz,extra",
  "9:2,:2,S",
  "1,S=99999999999999999999,V=1",
  "1.a.h;2,FS",
  "10.a 9.a 09.a",
  "A/.B/cur/%63ur/%2563ur/tmp",
  "Entw&APw-rfe.M&APw-ll &- Co",
  "inbox/x//\303\244/a\314\210/\344&AGE-",
  "INBOX.a_b.%2E%00.%2500",
  "a\r\nb\r\r\n\nc\r",
  "\n\r\n\r",
  NULL,
};
