/* Mailbox names and canonical paths. See names.h. */
#include "names.h"

#include <mailhaul/text.h>
#include <string.h>

static void
namespace_free(gpointer data)
{
  ImapNamespace *one = data;
  g_free(one->prefix);
  g_free(one);
}

void
imap_names_init(ImapNames *names)
{
  *names = (ImapNames){ .prefix = g_strdup(""),
                        .more = g_ptr_array_new_with_free_func(namespace_free),
                        .others = g_ptr_array_new_with_free_func(namespace_free) };
}

void
imap_names_free(ImapNames *names)
{
  g_clear_pointer(&names->prefix, g_free);
  g_clear_pointer(&names->more, g_ptr_array_unref);
  g_clear_pointer(&names->others, g_ptr_array_unref);
}

void
imap_names_set(ImapNames *names, const GArray *entries)
{
  bool first = true;
  g_ptr_array_set_size(names->more, 0); /* a server may say it twice */
  g_ptr_array_set_size(names->others, 0);
  for (guint i = 0; i < entries->len; i++) {
    const ImapNamespaceEntry *entry = &g_array_index(entries, ImapNamespaceEntry, i);
    char *prefix = imap_span_dup(&entry->prefix, NULL);
    if (entry->kind == IMAP_PERSONAL
        && first) { /* of several, the first is where new mailboxes go */
      g_free(names->prefix);
      names->prefix = prefix;
      names->prefix_size = strlen(prefix);
      names->separator = entry->separator;
      names->known = true;
      first = false;
    } else {
      ImapNamespace *one = g_new(ImapNamespace, 1);
      *one = (ImapNamespace){ prefix, strlen(prefix), entry->separator };
      g_ptr_array_add(entry->kind == IMAP_PERSONAL ? names->more : names->others, one);
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

/* Whether @wire is in a namespace, or its root: "Shared" is the root of "Shared/". */
static bool
is_within(const char *wire, const ImapNamespace *one)
{
  return has_prefix(wire, one->prefix)
         || (one->size > 1 && one->prefix[one->size - 1] == one->separator
             && strlen(wire) == one->size - 1 && has_prefix(one->prefix, wire));
}

/* Returns that of @namespaces, with the longest prefix, that @wire is in; NULL for none. */
static const ImapNamespace *
find_namespace(const GPtrArray *namespaces, const char *wire)
{
  const ImapNamespace *found = NULL;
  for (guint i = 0; i < namespaces->len; i++) {
    const ImapNamespace *one = g_ptr_array_index(namespaces, i);
    if (is_within(wire, one) && (found == NULL || one->size > found->size))
      found = one;
  }
  return found;
}

/* A prefix shorter than ours holds us, not the reverse. What is in no namespace is nobody else's. */
bool
imap_names_is_personal(const ImapNames *names, const char *wire)
{
  const ImapNamespace *other = find_namespace(names->others, wire);
  if (other == NULL || haul_path_is_inbox(wire)
      || (has_prefix(wire, names->prefix) && names->prefix_size >= other->size))
    return true;
  const ImapNamespace *own = find_namespace(names->more, wire);
  return own != NULL && own->size >= other->size;
}

/* Returns which of the further personal namespaces tells @wire from the names of the first; NULL if none
 * does. */
static const ImapNamespace *
find_further(const ImapNames *names, const char *wire)
{
  const ImapNamespace *found =
      has_prefix(wire, names->prefix) ? NULL : find_namespace(names->more, wire);
  return found != NULL && found->size > 0 ? found : NULL;
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
  bool is_first = has_prefix(wire, names->prefix);
  const ImapNamespace *further = find_further(names, wire);
  g_autofree char *name = decode(wire + (is_first ? names->prefix_size : 0), names->utf8);
  g_autofree char *path =
      haul_path_from_native(name, further != NULL ? further->separator : separator, NULL);
  if (further == NULL && names->prefix_size > 0 && is_inbox_all_through(path))
    return g_strconcat("INBOX/", path, NULL);
  return g_steal_pointer(&path);
}

static char *
encode(const ImapNames *names, const char *path, char separator)
{
  g_autofree char *name = haul_path_to_native(path, separator, NULL);
  return names->utf8 ? g_steal_pointer(&name) : haul_utf7_encode(name);
}

char *
imap_names_to_wire(const ImapNames *names, const char *path)
{
  if (haul_path_is_inbox(path))
    return g_strdup("INBOX");
  for (guint i = 0; i < names->more->len; i++) {
    const ImapNamespace *further = g_ptr_array_index(names->more, i);
    g_autofree char *wire = encode(names, path, further->separator);
    if (find_further(names, wire) == further)
      return g_steal_pointer(&wire);
  }
  if (names->prefix_size > 0 && is_inbox_all_through(path))
    path = strchr(path, '/') + 1;
  g_autofree char *encoded = encode(names, path, names->separator);
  return g_strconcat(names->prefix, encoded, NULL);
}
