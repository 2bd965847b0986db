/* Reading transcripts: lines into kinds, steps into words. */
#include "script.h"

#include <string.h>

static bool
hex_escape(const char *at, char *octet)
{
  if (at[0] != '\\' || at[1] != 'x' || !g_ascii_isxdigit(at[2]) || !g_ascii_isxdigit(at[3]))
    return false;
  *octet = (char)(g_ascii_xdigit_value(at[2]) * 16 + g_ascii_xdigit_value(at[3]));
  return true;
}

/* What goes over the wire: as written, but \xNN is one octet. \Seen stays what it is. */
static GString *
wire_text(const char *text)
{
  GString *out = g_string_new(NULL);
  while (*text != '\0') {
    char octet;
    if (hex_escape(text, &octet)) {
      g_string_append_c(out, octet);
      text += 4;
    } else {
      g_string_append_c(out, *text++);
    }
  }
  return out;
}

/* Takes "S: text", "C*12: text" and their like apart. */
static bool
parse_wire(const char *text, Line *line)
{
  line->kind = text[0] == 'S' ? LINE_SERVER : LINE_CLIENT;
  const char *at = text + 1;
  line->repeat = 1;
  if (*at == '*') {
    char *end;
    line->repeat = (unsigned)g_ascii_strtoull(at + 1, &end, 10);
    at = end;
  }
  if (*at != ':')
    return false;
  at++;
  line->text = wire_text(*at == ' ' ? at + 1 : at);
  return true;
}

static bool
parse_line(const char *text, Line *line)
{
  static const struct {
    const char *text;
    LineKind kind;
  } deeds[] = {
    { "S! tls", LINE_TLS },
    { "S! deflate", LINE_DEFLATE },
    { "S! close", LINE_CLOSE },
    { "S! silence", LINE_SILENCE },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(deeds); i++)
    if (strcmp(text, deeds[i].text) == 0) {
      line->kind = deeds[i].kind;
      line->text = g_string_new(text + strlen("S! "));
      return true;
    }
  if (text[0] == 'S' || text[0] == 'C')
    return parse_wire(text, line);
  if (g_str_has_prefix(text, ">> ") || g_str_has_prefix(text, "=> ")) {
    line->kind = text[0] == '>' ? LINE_STEP : LINE_RESULT;
    line->text = g_string_new(text + 3);
    return true;
  }
  return false;
}

Script *
script_read(const char *path, GError **error)
{
  g_autofree char *whole = NULL;
  if (!g_file_get_contents(path, &whole, NULL, error))
    return NULL;
  g_autoptr(Script) script = g_new0(Script, 1);
  script->path = g_strdup(path);
  script->lines = g_array_new(FALSE, TRUE, sizeof(Line));

  g_auto(GStrv) texts = g_strsplit(whole, "\n", -1);
  for (unsigned i = 0; texts[i] != NULL; i++) {
    if (texts[i][0] == '\0' || texts[i][0] == '#')
      continue;
    Line line = { .number = i + 1 };
    if (!parse_line(texts[i], &line)) {
      g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s:%u: not a line of a transcript: %s",
                  path, i + 1, texts[i]);
      return NULL;
    }
    g_array_append_val(script->lines, line);
  }
  return g_steal_pointer(&script);
}

void
script_free(Script *script)
{
  for (unsigned i = 0; i < script->lines->len; i++)
    g_string_free(g_array_index(script->lines, Line, i).text, TRUE);
  g_array_free(script->lines, TRUE);
  g_free(script->path);
  g_free(script);
}

bool
line_is_server(const Line *line)
{
  return line->kind != LINE_STEP && line->kind != LINE_RESULT;
}

static void
free_word(void *word)
{
  g_string_free(word, TRUE);
}

/* Appends what the escape at @at stands for; returns where it ends. */
static const char *
take_escape(const char *at, GString *word)
{
  char octet;
  if (hex_escape(at, &octet)) {
    g_string_append_c(word, octet);
    return at + 4;
  }
  switch (at[1]) {
  case 'r':
    g_string_append_c(word, '\r');
    break;
  case 'n':
    g_string_append_c(word, '\n');
    break;
  default:
    g_string_append_c(word, at[1]);
  }
  return at + 2;
}

GPtrArray *
script_words(const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func(free_word);
  const char *at = text;
  for (;;) {
    at += strspn(at, " ");
    if (*at == '\0')
      return words;
    GString *word = g_string_new(NULL);
    bool quoted = false;
    while (*at != '\0' && (quoted || *at != ' ')) {
      if (*at == '"') {
        quoted = !quoted;
        at++;
      } else if (quoted && *at == '\\' && at[1] != '\0') {
        at = take_escape(at, word);
      } else {
        g_string_append_c(word, *at++);
      }
    }
    g_ptr_array_add(words, word);
  }
}

void
script_show(GString *out, const void *octets, size_t size)
{
  const unsigned char *at = octets;
  for (size_t i = 0; i < size; i++) {
    if (at[i] == '\r')
      g_string_append(out, "\\r");
    else if (at[i] == '\n')
      g_string_append(out, "\\n");
    else if (at[i] == '"' || at[i] == '\\')
      g_string_append_printf(out, "\\%c", at[i]);
    else if (at[i] < ' ' || at[i] > '~')
      g_string_append_printf(out, "\\x%02x", at[i]);
    else
      g_string_append_c(out, (char)at[i]);
  }
}
