/* Mailbox names and canonical paths. See names.h. */
#include "names.h"

#include <mailhaul/text.h>
#include <string.h>

void
imap_names_init(ImapNames *names)
{
  *names = (ImapNames){ .prefix = g_strdup(""), .others = g_ptr_array_new_with_free_func(g_free) };
}

void
imap_names_free(ImapNames *names)
{
  g_clear_pointer(&names->prefix, g_free);
  g_clear_pointer(&names->others, g_ptr_array_unref);
}

void
imap_names_set(ImapNames *names, const GArray *entries)
{
  bool first = true;
  g_ptr_array_set_size(names->others, 0); /* a server may say it twice */
  for (guint i = 0; i < entries->len; i++) {
    const ImapNamespaceEntry *entry = &g_array_index(entries, ImapNamespaceEntry, i);
    char *prefix = imap_span_dup(&entry->prefix, NULL);
    if (entry->kind != IMAP_PERSONAL) {
      g_ptr_array_add(names->others, prefix);
    } else if (first) { /* of several, the first is where new mailboxes go */
      g_free(names->prefix);
      names->prefix = prefix;
      names->prefix_size = strlen(prefix);
      names->separator = entry->separator;
      names->known = true;
      first = false;
    } else {
      g_free(prefix);
    }
  }
}

void
imap_names_guess(ImapNames *names, char **wires, size_t n_wires, char separator)
{
  char prefix[] = { 'I', 'N', 'B', 'O', 'X', separator, '\0' };
  size_t n_below = 0;
  names->separator = separator;
  for (size_t i = 0; i < n_wires; i++) {
    if (haul_path_is_inbox(wires[i]))
      continue;
    if (separator == '\0' || g_ascii_strncasecmp(wires[i], prefix, sizeof prefix - 1) != 0)
      return;
    n_below++;
  }
  if (n_below == 0)
    return;
  g_free(names->prefix);
  names->prefix = g_strdup(prefix);
  names->prefix_size = sizeof prefix - 1;
}

/* Whether @wire begins with @prefix, in which INBOX may be written in any case. */
static bool
has_prefix(const char *wire, const char *prefix)
{
  size_t inbox = g_ascii_strncasecmp(prefix, "INBOX", 5) == 0 ? 5 : 0;
  return g_ascii_strncasecmp(wire, prefix, inbox) == 0
         && g_str_has_prefix(wire + strnlen(wire, inbox), prefix + inbox);
}

bool
imap_names_is_personal(const ImapNames *names, const char *wire)
{
  if (haul_path_is_inbox(wire))
    return true;
  if (!has_prefix(wire, names->prefix))
    return false;
  for (guint i = 0; i < names->others->len; i++) {
    const char *other = g_ptr_array_index(names->others, i);
    size_t size = strlen(other);
    /* "Shared" is the root of "Shared/". A prefix shorter than ours holds us, not the reverse. */
    if (size > names->prefix_size
        && (g_str_has_prefix(wire, other)
            || (strlen(wire) == size - 1 && strncmp(wire, other, size - 1) == 0)))
      return false;
  }
  return true;
}

static bool
is_inbox_all_through(const char *path)
{
  g_auto(GStrv) levels = g_strsplit(path, "/", -1);
  for (guint i = 0; levels[i] != NULL; i++) {
    if (!haul_path_is_inbox(levels[i]))
      return false;
  }
  return true;
}

/* Returns the name in UTF-8. */
static char *
decode(const char *wire, bool utf8)
{
  char *decoded = utf8 ? NULL : haul_utf7_decode(wire);
  if (decoded != NULL)
    return decoded;
  if (g_utf8_validate(wire, -1, NULL))
    return g_strdup(wire);
  GString *escaped = g_string_new(NULL);
  for (const unsigned char *at = (const unsigned char *)wire; *at != '\0'; at++) {
    if (*at >= 0x80)
      g_string_append_printf(escaped, "%%%02X", *at);
    else
      g_string_append_c(escaped, (char)*at);
  }
  return g_string_free(escaped, FALSE);
}

char *
imap_names_to_path(const ImapNames *names, const char *wire, char separator)
{
  if (haul_path_is_inbox(wire))
    return g_strdup("INBOX");
  g_autofree char *name = decode(wire + names->prefix_size, names->utf8);
  g_autofree char *path = haul_path_from_native(name, separator, NULL);
  if (names->prefix_size > 0 && is_inbox_all_through(path))
    return g_strconcat("INBOX/", path, NULL);
  return g_steal_pointer(&path);
}

char *
imap_names_to_wire(const ImapNames *names, const char *path)
{
  if (haul_path_is_inbox(path))
    return g_strdup("INBOX");
  if (names->prefix_size > 0 && is_inbox_all_through(path))
    path = strchr(path, '/') + 1;
  g_autofree char *name = haul_path_to_native(path, names->separator, NULL);
  g_autofree char *encoded = names->utf8 ? g_strdup(name) : haul_utf7_encode(name);
  return g_strconcat(names->prefix, encoded, NULL);
}
