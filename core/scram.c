/* A server's first message of SCRAM. See scram.h. */
#include "scram.h"

#include <string.h>

#include <mailhaul/error.h>

static bool
refuse(GError **error, const char *reason, const char *what)
{
  haul_set_error(error, HAUL_ERROR_ACCOUNT, reason, "SCRAM: %s", what);
  return false;
}

/* Value of the attribute @name in @parts, NULL if it is not there. */
static const char *
attribute(char *const *parts, char name)
{
  for (; *parts != NULL; parts++)
    if ((*parts)[0] == name && (*parts)[1] == '=')
      return *parts + 2;
  return NULL;
}

bool
haul_scram_check(const char *message, size_t size, const char *nonce, GError **error)
{
  if (memchr(message, '\0', size) != NULL)
    return refuse(error, "protocol", "the server's message holds a NUL");
  g_autofree char *text = g_strndup(message, size);
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  const char *theirs = attribute(parts, 'r'), *salt = attribute(parts, 's'),
             *iterations = attribute(parts, 'i');
  guint64 n;
  if (attribute(parts, 'm') != NULL)
    return refuse(error, "protocol", "the server demands an extension");
  if (theirs == NULL || salt == NULL || *salt == '\0' || iterations == NULL)
    return refuse(error, "protocol", "the server's first message is none");
  if (!g_str_has_prefix(theirs, nonce) || theirs[strlen(nonce)] == '\0')
    return refuse(error, "login", "the server answers another client (its nonce is not ours)");
  if (!g_ascii_string_to_unsigned(iterations, 10, 1, HAUL_SCRAM_ITERATIONS_LIMIT, &n, NULL))
    return refuse(error, "protocol", "the server asks for more than 2,000,000 iterations, or none");
  return true;
}

char *
haul_scram_nonce(const char *message, size_t size)
{
  g_autofree char *text = g_strndup(message, size);
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  return g_strdup(attribute(parts, 'r'));
}
