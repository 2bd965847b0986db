/*
 * The fields of a message's header, as octets: found, selected, never changed. What a field means
 * is for others.
 */
#include <mailhaul/text.h>

#include <string.h>

/* A header may be as long as its message; what a matcher may look at is not. */
#define HEADER_LIMIT ((size_t)256 << 10)

/* Returns the length of the first line of @size octets, its line end included. */
static size_t
line_length(const uint8_t *octets, size_t size)
{
  const uint8_t *end = memchr(octets, '\n', size);
  return end == NULL ? size : (size_t)(end - octets) + 1;
}

/* How many octets at the end of a line are its line end. */
static size_t
line_end(const uint8_t *line, size_t length)
{
  if (length == 0 || line[length - 1] != '\n')
    return 0;
  return length >= 2 && line[length - 2] == '\r' ? 2 : 1;
}

static bool
is_blank(uint8_t octet)
{
  return octet == ' ' || octet == '\t';
}

size_t
haul_header_end(const uint8_t *octets, size_t size)
{
  for (size_t at = 0; at < size;) {
    size_t length = line_length(octets + at, size - at);
    size_t end = line_end(octets + at, length);
    at += length;
    if (end > 0 && end == length)
      return at;
  }
  return size;
}

/* One field: @size octets with their line ends, the value without the last. */
typedef struct {
  const uint8_t *octets;
  size_t size;
  size_t name_size; /* 0: not a field */
  size_t value_at;
} Field;

/* Measures the name of a line. RFC 5322 §2.2: printable ASCII but for the colon; §4.5.8: blanks
 * may stand before that. */
static void
read_name(Field *field, size_t line)
{
  size_t name = 0;
  while (name < line && field->octets[name] > 32 && field->octets[name] < 127
         && field->octets[name] != ':')
    name++;
  size_t colon = name;
  while (colon < line && is_blank(field->octets[colon]))
    colon++;
  if (colon < line && field->octets[colon] == ':') {
    field->name_size = name;
    field->value_at = colon + 1;
  }
}

/* Reads the field, or what stands in the place of one, at *@at. False at the end of the header. */
static bool
next_field(const uint8_t *header, size_t size, size_t *at, Field *field)
{
  if (*at >= size)
    return false;
  size_t length = line_length(header + *at, size - *at);
  if (length == line_end(header + *at, length))
    return false;

  *field = (Field){ .octets = header + *at };
  read_name(field, length);
  *at += length;
  while (*at < size && is_blank(header[*at]))
    *at += line_length(header + *at, size - *at);
  field->size = (size_t)(header + *at - field->octets);
  return true;
}

/* Whether @field may go on behind what we look at. */
static bool
is_cut(const Field *field, const uint8_t *header, size_t size, size_t whole)
{
  return size < whole && field->octets + field->size == header + size;
}

void
haul_header_each(const uint8_t *header, size_t size, HaulFieldFunc each, void *data)
{
  size_t looked = MIN(size, HEADER_LIMIT), at = 0;
  Field field;
  while (next_field(header, looked, &at, &field)) {
    if (field.name_size == 0 || is_cut(&field, header, looked, size))
      continue;
    size_t end = field.size - line_end(field.octets, field.size);
    if (!each((const char *)field.octets, field.name_size, field.octets + field.value_at,
              end - field.value_at, data))
      return;
  }
}

static bool
is_named(const Field *field, const char *const *names)
{
  for (; *names != NULL; names++)
    if (strlen(*names) == field->name_size
        && g_ascii_strncasecmp(*names, (const char *)field->octets, field->name_size) == 0)
      return true;
  return false;
}

void
haul_header_select(const uint8_t *header, size_t size, const char *const *names, GByteArray *out)
{
  size_t looked = MIN(size, HEADER_LIMIT), at = 0;
  Field field;
  while (next_field(header, looked, &at, &field))
    if (field.name_size > 0 && is_named(&field, names) && !is_cut(&field, header, looked, size))
      g_byte_array_append(out, field.octets, (unsigned)field.size);
}
