/*
 * Modified UTF-7, in which IMAP servers write mailbox names (RFC 3501 §5.1.3). Strict: a name that
 * is not exactly what the encoder would have written is not decoded, so one folder has one name.
 */
#include <mailhaul/text.h>

#include <string.h>

/* Base64 of RFC 2045 with ',' for '/', and without padding. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
stands_for_itself(unsigned char octet)
{
  return octet >= 0x20 && octet <= 0x7e;
}

typedef struct {
  uint32_t bits; /* not yet written, the n_bits lowest */
  unsigned n_bits;
} Bits;

static void
encode_unit(GString *out, Bits *pending, uint16_t unit)
{
  pending->bits = pending->bits << 16 | unit;
  pending->n_bits += 16;
  while (pending->n_bits >= 6) {
    pending->n_bits -= 6;
    g_string_append_c(out, alphabet[pending->bits >> pending->n_bits & 0x3f]);
  }
}

static void
encode_character(GString *out, Bits *pending, gunichar character)
{
  if (character <= 0xffff) {
    encode_unit(out, pending, (uint16_t)character);
    return;
  }
  character -= 0x10000;
  encode_unit(out, pending, (uint16_t)(0xd800 | character >> 10));
  encode_unit(out, pending, (uint16_t)(0xdc00 | (character & 0x3ff)));
}

char *
haul_utf7_encode(const char *utf8)
{
  GString *out = g_string_sized_new(strlen(utf8) + 8);
  const char *at = utf8;
  while (*at != '\0') {
    if (stands_for_itself((unsigned char)*at)) {
      g_string_append_c(out, *at);
      if (*at == '&')
        g_string_append_c(out, '-');
      at++;
      continue;
    }
    Bits pending = { 0, 0 };
    g_string_append_c(out, '&');
    for (; *at != '\0' && !stands_for_itself((unsigned char)*at); at = g_utf8_next_char(at))
      encode_character(out, &pending, g_utf8_get_char(at));
    if (pending.n_bits > 0)
      g_string_append_c(out, alphabet[pending.bits << (6 - pending.n_bits) & 0x3f]);
    g_string_append_c(out, '-');
  }
  return g_string_free(out, FALSE);
}

/* Appends the character that @unit completes; false if it cannot follow @high (0: none open). */
static bool
decode_unit(GString *out, uint16_t *high, uint16_t unit)
{
  if (*high != 0) {
    if (unit < 0xdc00 || unit > 0xdfff)
      return false;
    g_string_append_unichar(out, 0x10000 + ((gunichar)(*high & 0x3ff) << 10 | (unit & 0x3ff)));
    *high = 0;
    return true;
  }
  if (unit >= 0xdc00 && unit <= 0xdfff)
    return false;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    *high = unit;
    return true;
  }
  /* Encoded ASCII would be a second way to write a separator, a ".." or a line end. */
  if (unit < 0x80)
    return false;
  g_string_append_unichar(out, unit);
  return true;
}

/* Decodes the base64 after an '&'. Returns what follows its '-'; NULL if it is not well formed. */
static const char *
decode_shift(GString *out, const char *at)
{
  Bits pending = { 0, 0 };
  uint16_t high = 0;
  for (; *at != '-'; at++) {
    const char *digit = *at != '\0' ? strchr(alphabet, *at) : NULL;
    if (digit == NULL)
      return NULL;
    pending.bits = (pending.bits << 6 | (uint32_t)(digit - alphabet)) & 0x3fffff;
    pending.n_bits += 6;
    if (pending.n_bits < 16)
      continue;
    pending.n_bits -= 16;
    if (!decode_unit(out, &high, (uint16_t)(pending.bits >> pending.n_bits)))
      return NULL;
  }
  /* The rest pads the last digit: too few bits to need a digit of their own, and all zero. */
  if (high != 0 || pending.n_bits >= 6 || (pending.bits & ((1u << pending.n_bits) - 1)) != 0)
    return NULL;
  at++;
  /* "-&" joins what one run would hold; "&-" after it is an ampersand. */
  return at[0] == '&' && at[1] != '-' ? NULL : at;
}

char *
haul_utf7_decode(const char *name)
{
  g_autoptr(GString) out = g_string_sized_new(strlen(name) + 8);
  const char *at = name;
  while (*at != '\0') {
    if (!stands_for_itself((unsigned char)*at))
      return NULL;
    if (*at != '&') {
      g_string_append_c(out, *at++);
    } else if (at[1] == '-') {
      g_string_append_c(out, '&');
      at += 2;
    } else {
      at = decode_shift(out, at + 1);
      if (at == NULL)
        return NULL;
    }
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}
