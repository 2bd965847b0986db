/* LIST, STATUS, NAMESPACE and QUOTA: what is written again with the values that were read, reads the same;
 * a path leads back to its mailbox. */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#include "../../plugins/imap/names.h"
#include "../../plugins/imap/response.h"

static bool
is_within(const ImapSpan *span, const char *text, size_t size)
{
  return span->at == NULL || (span->at >= text && span->at + span->size <= text + size);
}

/* Writes @span as a literal. */
static void
append_literal(GString *out, const ImapSpan *span)
{
  size_t size;
  g_autofree char *octets = imap_span_dup(span, &size);
  g_string_append_printf(out, "{%zu}\r\n", size);
  g_string_append_len(out, octets, (gssize)size);
}

static bool
same_string(const ImapSpan *a, const ImapSpan *b)
{
  size_t a_size, b_size;
  g_autofree char *a_octets = imap_span_dup(a, &a_size);
  g_autofree char *b_octets = imap_span_dup(b, &b_size);
  return a_size == b_size && memcmp(a_octets, b_octets, a_size) == 0;
}

static void
try_list(const char *text, size_t size)
{
  ImapCursor cursor = { text, text + size };
  ImapListEntry entry, again;
  if (!imap_parse_list(&cursor, &entry))
    return;
  FUZZ_ASSERT(is_within(&entry.name, text, size) && cursor.at <= text + size);
  FUZZ_ASSERT(entry.separator == '\0' || (entry.separator > ' ' && entry.separator <= '~'));
  FUZZ_ASSERT(!entry.bad_separator || entry.separator == '\0');
  g_autoptr(GString) out = g_string_new("() ");
  if (entry.separator == '\0')
    g_string_append(out, "NIL");
  else
    imap_append_quoted(out, &entry.separator, 1);
  g_string_append_c(out, ' ');
  append_literal(out, &entry.name);
  cursor = (ImapCursor){ out->str, out->str + out->len };
  FUZZ_ASSERT(imap_parse_list(&cursor, &again) && !again.bad_separator);
  FUZZ_ASSERT(again.separator == entry.separator && same_string(&entry.name, &again.name));
}

static void
append_field(GString *out, const char *name, uint64_t value)
{
  if (value != HAUL_UNKNOWN)
    g_string_append_printf(out, "%s %" G_GUINT64_FORMAT " ", name, value);
}

static void
try_status(const char *text, size_t size)
{
  ImapCursor cursor = { text, text + size };
  ImapStatusData status, again;
  if (!imap_parse_status(&cursor, &status))
    return;
  FUZZ_ASSERT(is_within(&status.name, text, size) && is_within(&status.mailbox_id, text, size));
  FUZZ_ASSERT(status.mailbox_id.size <= IMAP_OBJECT_ID_LIMIT);
  g_autoptr(GString) out = g_string_new(NULL);
  append_literal(out, &status.name);
  g_string_append(out, " (");
  append_field(out, "MESSAGES", status.messages);
  append_field(out, "UIDNEXT", status.uid_next);
  append_field(out, "UIDVALIDITY", status.uid_validity);
  append_field(out, "SIZE", status.size);
  append_field(out, "HIGHESTMODSEQ", status.mod_sequence);
  g_string_append(out, ")");
  cursor = (ImapCursor){ out->str, out->str + out->len };
  FUZZ_ASSERT(imap_parse_status(&cursor, &again) && same_string(&status.name, &again.name));
  FUZZ_ASSERT(again.messages == status.messages && again.uid_next == status.uid_next
              && again.uid_validity == status.uid_validity && again.size == status.size
              && again.mod_sequence == status.mod_sequence);
}

/* A path leads back to the mailbox that it was made of, if its name can be written at all. */
static void
try_name(const ImapNames *names, const char *wire)
{
  if (*wire == '\0' || !imap_names_is_personal(names, wire))
    return;
  g_autofree char *path = imap_names_to_path(names, wire, names->separator);
  FUZZ_ASSERT(g_utf8_validate(path, -1, NULL));
  FUZZ_ASSERT(!haul_path_is_inbox(path) || haul_path_is_inbox(wire));
  if (*path == '\0')
    return;
  g_autofree char *again = imap_names_to_wire(names, path);
  g_autofree char *path_again = imap_names_to_path(names, again, names->separator);
  g_autofree char *twice = imap_names_to_wire(names, path_again);
  FUZZ_ASSERT(strcmp(again, twice) == 0);
}

static void
try_namespaces(const char *text, size_t size)
{
  ImapCursor cursor = { text, text + size };
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ImapNamespaceEntry));
  if (!imap_parse_namespaces(&cursor, entries))
    return;
  FUZZ_ASSERT(entries->len <= IMAP_NAMESPACES_LIMIT);
  for (guint i = 0; i < entries->len; i++)
    FUZZ_ASSERT(is_within(&g_array_index(entries, ImapNamespaceEntry, i).prefix, text, size));
  ImapNames names;
  imap_names_init(&names);
  imap_names_set(&names, entries);
  g_autofree char *wire = g_strndup(text, MIN(size, 100u));
  g_autofree char *below = g_strconcat(names.prefix, wire, NULL);
  try_name(&names, wire);
  try_name(&names, below);
  for (guint i = 0; i < names.more->len; i++) {
    g_autofree char *further =
        g_strconcat(((ImapNamespace *)g_ptr_array_index(names.more, i))->prefix, wire, NULL);
    try_name(&names, further);
  }
  names.utf8 = true;
  try_name(&names, wire);
  imap_names_free(&names);
}

static void
try_quota(const char *text, size_t size)
{
  ImapCursor cursor = { text, text + size };
  ImapQuota quota;
  if (!imap_parse_quota(&cursor, &quota))
    return;
  FUZZ_ASSERT((quota.used_octets == HAUL_UNKNOWN) == (quota.limit_octets == HAUL_UNKNOWN));
  uint64_t room = imap_quota_room(&quota);
  FUZZ_ASSERT((room == HAUL_UNKNOWN) == (quota.limit_octets == HAUL_UNKNOWN));
  FUZZ_ASSERT(room == HAUL_UNKNOWN || room <= quota.limit_octets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2(data, size + (size == 0)); /* exact, for checkers */
  try_list(text, size);
  try_status(text, size);
  try_namespaces(text, size);
  try_quota(text, size);
  return 0;
}

const char *const fuzz_seeds[] = {
  "(\\HasNoChildren \\Sent) \"/\" \"Entw&APw-rfe\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
  "(\\Noselect) NIL INBOX",
  "() \"\\\\\" {3}\r\na\"b",
  "() \"ab\" &AC4ALg-",
  "{3}\r\na\"b (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 HIGHESTMODSEQ 4 MAILBOXID (x) SIZE 9) ",
  "\"a b\" (MESSAGES NIL X (1 (2)))",
  "((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"shared.\" \".\" \"X\" (\"y\")))",
  "((\"\" \"/\")) NIL NIL",
  "((\"INBOX.\" \".\")(\"Archive/\" \"/\")(\"INBOX.a.\" \".\")(\"\" \".\")) ((\"Archive/b/\" "
  "\"/\")) NIL",
  "\"\" (STORAGE 10 512 MESSAGE 1 18446744073709551616)",
  "user a b (STORAGE 18446744073709551615 1)",
  "((\"\" \"\\\\\")(\"#\" NIL)) ((\"~\" \"/\")) NIL",
  NULL,
};
