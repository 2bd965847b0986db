/* Capabilities. See capability.h. */
#include "capability.h"

#include <string.h>

#include <mailhaul/sasl.h>

#include "limits.h"
#include "wire.h"

void
pop3_capabilities_forget(Pop3Capabilities *capabilities)
{
  *capabilities = (Pop3Capabilities){
    .set = POP3_CAN_TOP | POP3_CAN_UIDL | POP3_CAN_USER,
    /* There is no other way to show a token, and who has one has no password that could be locked. */
    .mechanisms = HAUL_SASL_XOAUTH2,
  };
}

void
pop3_capabilities_begin(Pop3Capabilities *capabilities)
{
  *capabilities = (Pop3Capabilities){ .known = true };
}

/* Takes the next word; false at the end. */
static bool
take_word(const char **at, const char *end, const char **word, size_t *size)
{
  while (*at < end && (**at == ' ' || **at == '\t'))
    ++*at;
  *word = *at;
  while (*at < end && **at != ' ' && **at != '\t')
    ++*at;
  *size = (size_t)(*at - *word);
  return *size > 0;
}

static bool
word_is(const char *word, size_t size, const char *name)
{
  return strlen(name) == size && g_ascii_strncasecmp(word, name, size) == 0;
}

void
pop3_capabilities_take(Pop3Capabilities *capabilities, const char *line, size_t size)
{
  static const struct {
    const char *name;
    Pop3Capability capability;
  } names[] = {
    { "TOP", POP3_CAN_TOP },
    { "UIDL", POP3_CAN_UIDL },
    { "PIPELINING", POP3_CAN_PIPELINING },
    { "RESP-CODES", POP3_CAN_RESP_CODES },
    { "AUTH-RESP-CODE", POP3_CAN_AUTH_RESP_CODE },
    { "USER", POP3_CAN_USER },
    { "UTF8", POP3_CAN_UTF8 },
  };
  const char *at = line, *end = line + size, *word;
  size_t length;
  if (!take_word(&at, end, &word, &length))
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (word_is(word, length, names[i].name))
      capabilities->set |= names[i].capability;

  bool is_sasl = word_is(word, length, "SASL"), is_utf8 = word_is(word, length, "UTF8");
  bool is_delay = word_is(word, length, "LOGIN-DELAY");
  bool is_name = word_is(word, length, "IMPLEMENTATION");
  if (!is_sasl && !is_utf8 && !is_delay && !is_name)
    return;
  for (unsigned n = 0; n < POP3_MECHANISMS_LIMIT && take_word(&at, end, &word, &length); n++) {
    if (is_sasl)
      capabilities->mechanisms |= haul_sasl_mechanism(word, length);
    else if (is_utf8 && word_is(word, length, "USER"))
      capabilities->set |= POP3_CAN_UTF8_USER;
    else if (is_name && word_is(word, length, "Cyrus"))
      capabilities->is_cyrus = true;
    else if (is_delay && n == 0 && pop3_wire_size(word, length) != UINT64_MAX)
      capabilities->login_delay_s = (uint32_t)MIN(pop3_wire_size(word, length), UINT32_MAX);
  }
}
