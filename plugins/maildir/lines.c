/* The two forms of a message. */
#include "lines.h"

#include <string.h>

void
maildir_lines_feed(MaildirLines *lines, const uint8_t *octets, size_t size)
{
  if (size == 0)
    return;
  const uint8_t *end = octets + size;
  for (const uint8_t *at = octets; (at = memchr(at, '\n', (size_t)(end - at))) != NULL;) {
    size_t before = (size_t)(at - octets);
    uint8_t one = before > 0 ? at[-1] : lines->last;
    uint8_t two = before > 1 ? at[-2] : before > 0 ? lines->last : lines->before_last;
    lines->n_lf++;
    if (one == '\r') {
      lines->n_crlf++;
      if (two == '\r')
        lines->n_crcrlf++;
    }
    if (++at == end)
      break;
  }
  lines->octets += size;
  lines->before_last = size > 1 ? end[-2] : lines->last;
  lines->last = end[-1];
}

bool
maildir_lines_convertible(const MaildirLines *lines)
{
  return lines->n_lf == lines->n_crlf && lines->n_crcrlf == 0;
}

bool
maildir_lines_has_bare_lf(const MaildirLines *lines)
{
  return lines->n_lf != lines->n_crlf;
}

uint64_t
maildir_lines_lf_size(const MaildirLines *lines)
{
  return lines->octets - lines->n_crlf;
}

uint64_t
maildir_lines_crlf_size(const MaildirLines *lines)
{
  return lines->octets + (lines->n_lf - lines->n_crlf);
}

size_t
maildir_lines_to_lf(bool *held, const uint8_t *octets, size_t size, uint8_t *out)
{
  if (size == 0)
    return 0;
  uint8_t *out_at = out;
  if (*held && octets[0] != '\n')
    *out_at++ = '\r';
  *held = octets[size - 1] == '\r';
  const uint8_t *at = octets, *end = octets + size - (*held ? 1 : 0);
  while (at < end) {
    const uint8_t *lf = memchr(at, '\n', (size_t)(end - at));
    const uint8_t *stop = lf == NULL ? end : lf;
    size_t run = (size_t)(stop - at);
    if (lf != NULL && run > 0 && lf[-1] == '\r')
      run--;
    memcpy(out_at, at, run);
    out_at += run;
    if (lf == NULL)
      break;
    *out_at++ = '\n';
    at = lf + 1;
  }
  return (size_t)(out_at - out);
}

size_t
maildir_lines_convert(MaildirLines *lines, const uint8_t *octets, size_t size, uint8_t *out)
{
  const uint8_t *at = octets, *end = octets + size;
  uint8_t *out_at = out;
  while (at < end) {
    const uint8_t *lf = memchr(at, '\n', (size_t)(end - at));
    size_t run = (size_t)((lf != NULL ? lf : end) - at);
    bool is_crlf = lf != NULL && run > 0 && lf[-1] == '\r';
    lines->n_lf += lf != NULL;
    lines->n_crlf += is_crlf;
    lines->n_crcrlf += is_crlf && run > 1 && lf[-2] == '\r';
    memcpy(out_at, at, run - is_crlf);
    out_at += run - is_crlf;
    if (lf == NULL)
      break;
    *out_at++ = '\n';
    at = lf + 1;
  }
  lines->octets = size;
  lines->last = size > 0 ? end[-1] : 0;
  lines->before_last = size > 1 ? end[-2] : 0;
  return (size_t)(out_at - out);
}

size_t
maildir_lines_to_crlf(uint8_t *last, const uint8_t *octets, size_t size, size_t *used, uint8_t *out,
                      size_t room)
{
  const uint8_t *at = octets, *end = octets + size;
  uint8_t *out_at = out, *out_end = out + room;
  while (at < end && out_at < out_end) {
    if (*at == '\n') {
      /* The CR may be all that fits; the LF is then met again, with its CR before it. */
      *out_at++ = *last == '\r' ? *at++ : '\r';
      *last = out_at[-1];
      continue;
    }
    size_t span = (size_t)(end - at), left = (size_t)(out_end - out_at);
    if (span > left)
      span = left;
    const uint8_t *lf = memchr(at, '\n', span);
    if (lf != NULL)
      span = (size_t)(lf - at);
    memcpy(out_at, at, span);
    at += span;
    out_at += span;
    *last = at[-1];
  }
  *used = (size_t)(at - octets);
  return (size_t)(out_at - out);
}
