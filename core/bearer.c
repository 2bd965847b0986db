/* OAUTHBEARER and XOAUTH2, neither of which GNU SASL 2.2 knows. See bearer.h. */
#include "bearer.h"

#include <string.h>

#include <mailhaul/text.h>

bool
haul_bearer_is_token(const char *text)
{
  const char *at = text;
  while (*at > ' ' && *at < 0x7f)
    at++;
  return at > text && *at == '\0';
}

GString *
haul_bearer_oauthbearer(const char *user, const char *host, uint64_t port, const char *token)
{
  GString *out = g_string_sized_new(strlen(user) * 3 + strlen(host) + strlen(token) + 80);
  g_string_append(out, "n,a=");
  for (; *user != '\0'; user++) { /* saslname, RFC 5801 §4 */
    if (*user == ',')
      g_string_append(out, "=2C");
    else if (*user == '=')
      g_string_append(out, "=3D");
    else
      g_string_append_c(out, *user);
  }
  g_string_append_printf(out, ",\001host=%s\001", host);
  if (port != 0)
    g_string_append_printf(out, "port=%" G_GUINT64_FORMAT "\001", port);
  g_string_append_printf(out, "auth=Bearer %s\001\001", token);
  return out;
}

GString *
haul_bearer_xoauth2(const char *user, const char *token)
{
  GString *out = g_string_sized_new(strlen(user) + strlen(token) + 40);
  g_string_append_printf(out, "user=%s\001auth=Bearer %s\001\001", user, token);
  return out;
}

char *
haul_bearer_status(const char *octets, size_t size, const char *token)
{
  static const char key[] = "\"status\"";
  g_autofree char *text = g_strndup(octets, size); /* JSON holds no NUL */
  const char *at = strstr(text, key);
  if (at == NULL)
    return NULL;
  at += sizeof key - 1;
  at += strspn(at, " \t\r\n");
  if (*at != ':')
    return NULL;
  at++;
  at += strspn(at, " \t\r\n");
  /* Google writes a string, as the RFC wants; a number is as good. */
  const char *end;
  if (*at == '"') {
    at++;
    end = at + strcspn(at, "\"");
  } else {
    end = at + strspn(at, "0123456789");
  }
  g_autofree char *status = g_strndup(at, (size_t)(end - at));
  if (*status == '\0' || (token != NULL && *token != '\0' && strstr(status, token) != NULL))
    return NULL;
  return haul_text_display(status, strlen(status));
}
