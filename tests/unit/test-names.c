/* Tests names.c, utf7.c and display.c. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include <mailhaul/text.h>

static bool
equal(const char *got, const char *wanted, const char *of)
{
  if (g_strcmp0(got, wanted) == 0)
    return true;
  printf("of \"%s\": got \"%s\", wanted \"%s\"\n", of, got != NULL ? got : "(null)", wanted);
  return false;
}

/* Writes the @number-th string over @alphabet: every one comes, the short ones first. */
static void
nth_string(const char *alphabet, unsigned number, char *out)
{
  size_t base = strlen(alphabet), n = 0;
  for (; number > 0; number = (number - 1) / (unsigned)base)
    out[n++] = alphabet[(number - 1) % base];
  out[n] = '\0';
}

static void
mailbox_names_are_encoded_as_servers_write_them(void)
{
  static const struct {
    const char *utf8, *encoded;
  } table[] = {
    { "", "" },
    { "INBOX", "INBOX" },
    { "a&b", "a&-b" },
    { "&", "&-" },
    { "Entw\303\274rfe", "Entw&APw-rfe" },
    { "~peter/mail/\345\217\260\345\214\227/\346\227\245\346\234\254\350\252\236",
      "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
    { "\303\251&\303\251", "&AOk-&-&AOk-" },
    { "\342\230\272!", "&Jjo-!" },
    { "\360\237\230\200", "&2D3eAA-" },
    { "\360\237\230\200x\303\251", "&2D3eAA-x&AOk-" },
    { "\302\200", "&AIA-" },
    { "\357\277\277", "&,,8-" },
    { " ~", " ~" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *encoded = haul_utf7_encode(table[i].utf8);
    CU_ASSERT(equal(encoded, table[i].encoded, table[i].utf8));
    g_autofree char *decoded = haul_utf7_decode(table[i].encoded);
    CU_ASSERT(equal(decoded, table[i].utf8, table[i].encoded));
  }
}

static void
malformed_mailbox_names_are_not_decoded(void)
{
  static const char *const names[] = {
    "&",        "a&",         "&A",     "&AA",      "&AAA",   "&AOk", "&AAA-", /* NUL */
    "&AC8-",                                                                   /* '/' */
    "&AC4ALg-",                                                                /* ".." */
    "&AA0ACg-",                                                                /* CR LF */
    "&AH8-",                                                                   /* DEL */
    "&2AA-",                                        /* a high surrogate alone */
    "&3AA-",                                        /* a low one */
    "&2AAAQQ-", "&2D3YPQ-",                         /* two high ones */
    "&AOl-",                                        /* a padding bit is set */
    "&AOkA-",                                       /* a digit too many */
    "&A-",      "&AO-",       "&AOk=-", "&U/BTFw-", /* RFC 2045's '/' */
    "&AO k-",   "&AOk-&AOk-",                       /* one run written as two */
    "\303\251", "a\tb",       "a\177",  "&AOk-\n",  "&AOk-&", "&!-",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *decoded = haul_utf7_decode(names[i]);
    if (decoded != NULL)
      printf("\"%s\" became \"%s\"\n", names[i], decoded);
    CU_ASSERT_PTR_NULL(decoded);
  }
}

static void
encoding_and_decoding_undo_each_other(void)
{
  uint32_t seed = 7;
  for (int round = 0; round < 20000; round++) {
    g_autoptr(GString) name = g_string_new(NULL);
    for (uint32_t left = next_random(&seed) % 12; left > 0; left--) {
      static const gunichar limits[] = { 0x7f, 0x7f, 0x800, 0x10000, 0x110000 };
      gunichar character = next_random(&seed) % limits[next_random(&seed) % 5];
      if (character >= 0x20 && character != 0x7f && g_unichar_validate(character))
        g_string_append_unichar(name, character);
    }
    g_autofree char *encoded = haul_utf7_encode(name->str);
    g_autofree char *decoded = haul_utf7_decode(encoded);
    CU_ASSERT(equal(decoded, name->str, encoded));
  }

  /* The other way: what is decoded at all has one way to be written. */
  unsigned n_decoded = 0;
  for (int round = 0; round < 200000; round++) {
    char name[16], *end = name;
    for (uint32_t left = next_random(&seed) % 12; left > 0; left--)
      *end++ = "&-AO2kw,8"[next_random(&seed) % 9];
    *end = '\0';
    g_autofree char *decoded = haul_utf7_decode(name);
    if (decoded == NULL)
      continue;
    n_decoded++;
    g_autofree char *encoded = haul_utf7_encode(decoded);
    CU_ASSERT(g_utf8_validate(decoded, -1, NULL) && equal(encoded, name, decoded));
  }
  CU_ASSERT(n_decoded > 1000);
}

static void
what_a_place_cannot_hold_is_escaped(void)
{
  static const struct {
    const char *level, *unheld, *escaped;
  } table[] = {
    { "a/b", "/", "a%2Fb" },         { "a.b/c", "./", "a%2Eb%2Fc" },
    { "100%", "/", "100%" },         { "a%2Fb", "/", "a%252Fb" },
    { "a%2fb", "/", "a%2fb" },       { "a%2Eb", "/", "a%2Eb" },
    { "a%252Fb", "/", "a%25252Fb" }, { "%25", "/", "%25" },
    { "%%2F", "/", "%%252F" },       { "%/", "/", "%%2F" },
    { "%2/F", "/", "%2%2FF" },       { "a\tb\r\n\177", "", "a%09b%0D%0A%7F" },
    { "a%0Ab", "", "a%250Ab" },      { "\303\274", "/", "\303\274" },
    { "%00", "/", "%00" },           { "", "/", "" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *escaped = haul_name_escape(table[i].level, table[i].unheld);
    CU_ASSERT(equal(escaped, table[i].escaped, table[i].level));
    g_autofree char *back = haul_name_unescape(escaped, table[i].unheld);
    CU_ASSERT(equal(back, table[i].level, escaped));
  }
}

static void
escaping_and_unescaping_undo_each_other_for_all_short_strings(void)
{
  char text[16];
  for (unsigned i = 0; i < 350000; i++) { /* every one of up to 7 octets */
    nth_string("%25F0/", i, text);
    g_autofree char *escaped = haul_name_escape(text, "/");
    g_autofree char *back = haul_name_unescape(escaped, "/");
    if (strcmp(back, text) != 0 || strchr(escaped, '/') != NULL) {
      CU_ASSERT(equal(back, text, escaped));
      CU_FAIL("escape, unescape");
    }
    if (strchr(text, '/') != NULL)
      continue;
    g_autofree char *unescaped = haul_name_unescape(text, "/");
    g_autofree char *again = haul_name_escape(unescaped, "/");
    if (strcmp(again, text) != 0) {
      CU_ASSERT(equal(again, text, unescaped));
      CU_FAIL("unescape, escape");
    }
  }
}

static void
names_become_canonical_paths(void)
{
  static const struct {
    const char *name;
    char separator;
    const char *unheld, *path;
  } table[] = {
    { "INBOX", '.', NULL, "INBOX" },
    { "inbox", '.', NULL, "INBOX" },
    { "Inbox.Sent", '.', NULL, "INBOX/Sent" },
    { "inboxes", '.', NULL, "inboxes" },
    { "a.inbox", '.', NULL, "a/inbox" },
    { "a.b.c", '.', NULL, "a/b/c" },
    { "a/b.c", '.', NULL, "a%2Fb/c" },
    { "a.b/c", '/', NULL, "a.b/c" },
    { "a%2Eb", '.', NULL, "a.b" },
    { "a%2Fb", '.', NULL, "a%252Fb" },
    { "a%2Fb", '/', NULL, "a%2Fb" },
    { "a\\b", '\\', NULL, "a/b" },
    { "a//b", '/', NULL, "a/%00/b" },
    { "/a", '/', NULL, "%00/a" },
    { "a/", '/', NULL, "a/%00" },
    { "%00", '/', NULL, "%2500" },
    { "", '/', NULL, "%00" },
    { "a.%00.b", '.', ".", "a/%00/b" },
    { "a.%2500.b", '.', ".", "a/%2500/b" },
    { "a/b", '\0', NULL, "a/b" },
    { "a%2Fb", '\0', NULL, "a%2Fb" },
    { "a%2Fb", '\0', "/", "a/b" },
    { "a%252Fb", '\0', "/", "a%2Fb" },
    { "a%3Ab.c", '.', ":", "a:b/c" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *path =
        haul_path_from_native(table[i].name, table[i].separator, table[i].unheld);
    CU_ASSERT(equal(path, table[i].path, table[i].name));
    g_autofree char *name = haul_path_to_native(path, table[i].separator, table[i].unheld);
    CU_ASSERT(g_ascii_strcasecmp(name, table[i].name) == 0);
  }
}

static void
paths_and_names_undo_each_other_for_all_short_strings(void)
{
  static const struct {
    char separator;
    const char *unheld;
  } places[] = { { '.', NULL }, { '/', NULL },  { '.', "/" },  { '.', "./" },
                 { '/', "/." }, { '\0', NULL }, { '\0', "/" }, { '\\', ":" } };
  char text[16];
  for (unsigned i = 0; i < 37448; i++) { /* every one of up to 5 octets */
    nth_string("%25FE0/.", i, text);
    for (size_t j = 0; j < G_N_ELEMENTS(places); j++) {
      char separator = places[j].separator;
      const char *unheld = places[j].unheld;
      /* A place's own name has only what the place can hold. */
      g_autofree char *dotted = g_strdelimit(g_strdup(text), "\\", '.');
      bool strict = unheld != NULL && separator != '\0' && strchr(unheld, separator) != NULL;
      bool possible = true;
      for (const char *at = dotted; *at != '\0'; at++)
        if (*at != separator && unheld != NULL && strchr(unheld, *at) != NULL)
          possible = false;
      size_t length = strlen(dotted);
      if (strict) {
        char twice[] = { separator, separator, '\0' };
        possible = possible && length > 0 && strstr(dotted, twice) == NULL && dotted[0] != separator
                   && dotted[length - 1] != separator;
      }
      if (possible) {
        g_autofree char *path = haul_path_from_native(dotted, separator, unheld);
        g_autofree char *name = haul_path_to_native(path, separator, unheld);
        if (strcmp(name, dotted) != 0) {
          CU_ASSERT(equal(name, dotted, path));
          CU_FAIL("to_native(from_native(name))");
        }
        CU_ASSERT(strstr(path, "//") == NULL && *path != '/' && !g_str_has_suffix(path, "/"));
      }
      if (length == 0 || *text == '/' || text[length - 1] == '/' || strstr(text, "//") != NULL)
        continue;
      g_autofree char *name = haul_path_to_native(text, separator, unheld);
      g_autofree char *path = haul_path_from_native(name, separator, unheld);
      if (strcmp(path, text) != 0) {
        CU_ASSERT(equal(path, text, name));
        CU_FAIL("from_native(to_native(path))");
      }
      for (const char *at = name; *at != '\0'; at++)
        CU_ASSERT(*at == separator || unheld == NULL || strchr(unheld, *at) == NULL);
    }
  }
}

static void
different_paths_have_different_names_everywhere(void)
{
  /* Sources of every kind, through the canonical path, to destinations of every kind and back. */
  uint32_t seed = 99;
  static const char *const parts[] = { "%", "25", "2F", "2E",  "%2E",      "%00",
                                       "/", ".",  "\\", "%5C", "\303\244", "INBOX",
                                       "x", " ",  "%0", "2",   "5",        "\t" };
  static const char separators[] = { '.', '/', '\\', '\0' };
  for (int round = 0; round < 50000; round++) {
    g_autoptr(GString) name = g_string_new("_");
    for (uint32_t left = next_random(&seed) % 8; left > 0; left--)
      g_string_append(name, parts[next_random(&seed) % G_N_ELEMENTS(parts)]);
    char from = separators[next_random(&seed) % 4], to = separators[next_random(&seed) % 4];
    g_autofree char *path = haul_path_from_native(name->str, from, NULL);
    g_autofree char *there = haul_path_to_native(path, to, NULL);
    g_autofree char *back = haul_path_from_native(there, to, NULL);
    CU_ASSERT(equal(back, path, there));
    if (strchr(name->str, '\t') == NULL) {
      g_autofree char *again = haul_path_to_native(back, from, NULL);
      CU_ASSERT(equal(again, name->str, path));
    }
  }
}

static void
a_hostile_separator_does_no_harm(void)
{
  static const char *const names[] = { "%25%2F25", "a2b2c", "%%%", "FFF", "2", "%2", "%" };
  for (int separator = -128; separator < 128; separator++) {
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
      g_autofree char *path = haul_path_from_native(names[i], (char)separator, NULL);
      g_autofree char *name = haul_path_to_native(path, (char)separator, NULL);
      CU_ASSERT(strlen(path) < 64 && strlen(name) < 64);
    }
  }
}

static void
inbox_is_inbox_in_any_case(void)
{
  CU_ASSERT(haul_path_is_inbox("INBOX"));
  CU_ASSERT(haul_path_is_inbox("iNbOx"));
  CU_ASSERT(!haul_path_is_inbox("INBOX/x"));
  CU_ASSERT(!haul_path_is_inbox("INBO"));
  CU_ASSERT(!haul_path_is_inbox(""));
}

static void
nothing_shown_can_move_the_cursor_or_forge_a_line(void)
{
  static const struct {
    const char *text;
    size_t length;
    const char *shown;
  } table[] = {
    { "plain \\ text", 12, "plain \\ text" },
    { "\303\244\342\202\254\360\237\230\200", 9, "\303\244\342\202\254\360\237\230\200" },
    { "a\r\nb", 4, "a\\u{D}\\u{A}b" },
    { "\033[2J", 4, "\\u{1B}[2J" },
    { "a\0b", 3, "a\\u{0}b" },
    { "\177", 1, "\\u{7F}" },
    { "\302\205", 2, "\\u{85}" },
    { "x\342\200\256y", 5, "x\\u{202E}y" },
    { "\342\200\213\357\273\277", 6, "\\u{200B}\\u{FEFF}" },
    { "\342\201\246\342\200\250", 6, "\\u{2066}\\u{2028}" },
    { "\363\240\200\201", 4, "\\u{E0001}" },
    { "\377\303", 2, "\\xFF\\xC3" },
    { "\303(", 2, "\\xC3(" },
    { "\355\240\200", 3, "\\xED\\xA0\\x80" },
    { "\300\200", 2, "\\xC0\\x80" },
    { "\364\220\200\200", 4, "\\xF4\\x90\\x80\\x80" },
    { "\342\202\0", 3, "\\xE2\\x82\\u{0}" },
    { "", 0, "" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *copy = g_memdup2(table[i].text, table[i].length); /* exact, for checkers */
    g_autofree char *shown = haul_text_display(copy, table[i].length);
    CU_ASSERT(equal(shown, table[i].shown, table[i].text));
  }
}

static void
long_text_is_cut_at_512_octets(void)
{
  g_autofree char *text = g_strnfill(2000, 'a');
  g_autofree char *whole = haul_text_display(text, 512);
  CU_ASSERT(strlen(whole) == 512 && strspn(whole, "a") == 512);
  g_autofree char *cut = haul_text_display(text, 513);
  CU_ASSERT(strlen(cut) == 512 && g_str_has_suffix(cut, "a..."));

  uint32_t seed = 3;
  for (int round = 0; round < 2000; round++) {
    char octets[700];
    for (size_t i = 0; i < sizeof octets; i++)
      octets[i] = (char)next_random(&seed);
    g_autofree char *shown = haul_text_display(octets, next_random(&seed) % sizeof octets);
    CU_ASSERT(g_utf8_validate(shown, -1, NULL) && strlen(shown) <= 512);
    g_autofree char *again = haul_text_display(shown, strlen(shown));
    CU_ASSERT(equal(again, shown, shown));
  }
}

int
main(void)
{
  static const Case cases[] = {
    CASE(mailbox_names_are_encoded_as_servers_write_them),
    CASE(malformed_mailbox_names_are_not_decoded),
    CASE(encoding_and_decoding_undo_each_other),
    CASE(what_a_place_cannot_hold_is_escaped),
    CASE(escaping_and_unescaping_undo_each_other_for_all_short_strings),
    CASE(names_become_canonical_paths),
    CASE(paths_and_names_undo_each_other_for_all_short_strings),
    CASE(different_paths_have_different_names_everywhere),
    CASE(a_hostile_separator_does_no_harm),
    CASE(inbox_is_inbox_in_any_case),
    CASE(nothing_shown_can_move_the_cursor_or_forge_a_line),
    CASE(long_text_is_cut_at_512_octets),
  };
  return RUN_SUITE("names", cases);
}
