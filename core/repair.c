/* Repairs, line by line. See repair.h. */
#include "repair.h"

#include <stdbool.h>
#include <string.h>

#include "encoded-word.h"

/* RFC 5322 §2.1.1. */
#define LONGEST_LINE 998u
/* So much of a line is looked at in one piece. */
#define LONGEST_PIECE 16384u

#define SET(rank) (1u << (rank))

struct HaulRepairer {
  unsigned set, done;
  bool in_header;
  bool holds_cr;    /* it came, and what follows decides */
  bool begins_line; /* what is in piece does */
  uint8_t last;     /* of what was emitted */
  size_t column;    /* of the line as it was emitted */
  HaulFieldKind kind;
  GByteArray *piece; /* owned; of a line */
};

unsigned
haul_repair_up_to(HaulRepair rank)
{
  return SET(rank + 1) - 1;
}

char *
haul_repair_names(unsigned set)
{
  static const char *const names[HAUL_N_REPAIRS] = {
    [HAUL_REPAIR_END] = "last line end",   [HAUL_REPAIR_BARE] = "bare line ends",
    [HAUL_REPAIR_NUL] = "NUL octets",      [HAUL_REPAIR_LONG] = "long lines",
    [HAUL_REPAIR_HEADER] = "8-bit header",
  };
  GString *text = g_string_new(NULL);
  for (unsigned rank = 0; rank < HAUL_N_REPAIRS; rank++)
    if ((set & SET(rank)) != 0)
      g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", names[rank]);
  return g_string_free(text, FALSE);
}

HaulRepairer *
haul_repairer_new(unsigned set)
{
  HaulRepairer *repairer = g_new0(HaulRepairer, 1);
  repairer->set = set;
  repairer->in_header = repairer->begins_line = true;
  repairer->last = '\n';
  repairer->piece = g_byte_array_new();
  return repairer;
}

void
haul_repairer_free(HaulRepairer *repairer)
{
  if (repairer == NULL)
    return;
  g_byte_array_unref(repairer->piece);
  g_free(repairer);
}

static void
emit(HaulRepairer *repairer, const void *octets, size_t size, GByteArray *out)
{
  if (size == 0)
    return;
  g_byte_array_append(out, octets, (guint)size);
  repairer->last = ((const uint8_t *)octets)[size - 1];
}

static bool
is_blank(uint8_t octet)
{
  return octet == ' ' || octet == '\t';
}

/* Where a field's line of more than @room octets is folded: before its last blank that has text on its left;
 * 0 if there is none. */
static size_t
find_fold(const uint8_t *line, size_t room)
{
  for (size_t at = room; at > 0; at--) {
    if (!is_blank(line[at]))
      continue;
    for (size_t left = at; left-- > 0;)
      if (!is_blank(line[left]))
        return at;
    return 0;
  }
  return 0;
}

/* Where a line of more than @room octets is broken: not within a character of UTF-8, if it is one. */
static size_t
find_break(const uint8_t *line, size_t room)
{
  for (size_t at = room; at > 0 && room - at < 4; at--)
    if ((line[at] & 0xc0) != 0x80)
      return at;
  return room;
}

/* Emits a piece of a line without its end, broken where it gets too long. */
static void
emit_broken(HaulRepairer *repairer, const uint8_t *octets, size_t size, GByteArray *out)
{
  while (repairer->column + size > LONGEST_LINE) {
    size_t room = LONGEST_LINE - repairer->column;
    size_t cut = repairer->in_header ? find_fold(octets, room) : find_break(octets, room);
    bool folds = cut > 0 && repairer->in_header;
    if (cut == 0)
      cut = room;
    emit(repairer, octets, cut, out);
    emit(repairer, "\r\n ", folds || !repairer->in_header ? 2 : 3, out);
    repairer->column = folds || !repairer->in_header ? 0 : 1;
    repairer->done |= SET(HAUL_REPAIR_LONG);
    octets += cut;
    size -= cut;
  }
  emit(repairer, octets, size, out);
  repairer->column += size;
}

/* Emits what may be several lines: an encoded field has been folded. */
static void
emit_lines(HaulRepairer *repairer, const GByteArray *piece, GByteArray *out)
{
  if ((repairer->set & SET(HAUL_REPAIR_LONG)) == 0) {
    emit(repairer, piece->data, piece->len, out);
    return;
  }
  for (size_t at = 0; at < piece->len;) {
    const uint8_t *line = piece->data + at;
    const uint8_t *end = memchr(line, '\n', piece->len - at);
    size_t size = end != NULL ? (size_t)(end - line) + 1 : piece->len - at;
    size_t text = end == NULL ? size : size - 1;
    text -= end != NULL && text > 0 && line[text - 1] == '\r';
    emit_broken(repairer, line, text, out);
    emit(repairer, line + text, size - text, out);
    if (end != NULL)
      repairer->column = 0;
    at += size;
  }
}

static bool
is_empty_line(const GByteArray *line)
{
  return (line->len == 1 && line->data[0] == '\n')
         || (line->len == 2 && line->data[0] == '\r' && line->data[1] == '\n');
}

/* Passes on what was gathered. */
static void
pass_piece(HaulRepairer *repairer, GByteArray *out)
{
  GByteArray *piece = repairer->piece;
  if (piece->len == 0)
    return;
  bool ends = piece->data[piece->len - 1] == '\n';
  bool ends_header = repairer->begins_line && is_empty_line(piece);
  if (repairer->in_header && (repairer->set & SET(HAUL_REPAIR_HEADER)) != 0) {
    if (repairer->begins_line && !is_blank(piece->data[0]))
      repairer->kind = haul_field_kind(piece->data, piece->len);
    g_autoptr(GByteArray) encoded =
        haul_field_encode(repairer->kind, piece->data, piece->len,
                          repairer->begins_line && !is_blank(piece->data[0]));
    if (encoded != NULL)
      repairer->done |= SET(HAUL_REPAIR_HEADER);
    emit_lines(repairer, encoded != NULL ? encoded : piece, out);
  } else {
    emit_lines(repairer, piece, out);
  }
  if (ends_header)
    repairer->in_header = false;
  repairer->begins_line = ends;
  g_byte_array_set_size(piece, 0);
}

static void
take_octet(HaulRepairer *repairer, uint8_t octet, GByteArray *out)
{
  if (octet == '\0' && (repairer->set & SET(HAUL_REPAIR_NUL)) != 0) {
    octet = repairer->in_header ? '?' : 0x80;
    repairer->done |= SET(HAUL_REPAIR_NUL);
  }
  g_byte_array_append(repairer->piece, &octet, 1);
  if (octet == '\n' || repairer->piece->len >= LONGEST_PIECE)
    pass_piece(repairer, out);
}

static void
take_line_end(HaulRepairer *repairer, GByteArray *out)
{
  g_byte_array_append(repairer->piece, (const uint8_t *)"\r\n", 2);
  pass_piece(repairer, out);
}

void
haul_repairer_feed(HaulRepairer *repairer, const uint8_t *octets, size_t size, GByteArray *out)
{
  bool joins = (repairer->set & SET(HAUL_REPAIR_BARE)) != 0;
  for (size_t i = 0; i < size; i++) {
    bool had_cr = repairer->holds_cr;
    repairer->holds_cr = false;
    if (had_cr) {
      take_line_end(repairer, out);
      if (octets[i] == '\n')
        continue;
      repairer->done |= SET(HAUL_REPAIR_BARE);
    }
    if (joins && octets[i] == '\r') {
      repairer->holds_cr = true;
    } else if (joins && octets[i] == '\n') {
      take_line_end(repairer, out);
      repairer->done |= SET(HAUL_REPAIR_BARE);
    } else {
      take_octet(repairer, octets[i], out);
    }
  }
}

unsigned
haul_repairer_end(HaulRepairer *repairer, GByteArray *out)
{
  if (repairer->holds_cr) {
    take_line_end(repairer, out);
    repairer->holds_cr = false;
    repairer->done |= SET(HAUL_REPAIR_END);
  }
  pass_piece(repairer, out);
  if ((repairer->set & SET(HAUL_REPAIR_END)) != 0 && repairer->last != '\n') {
    bool has_cr = repairer->last == '\r';
    emit(repairer, has_cr ? "\n" : "\r\n", has_cr ? 1 : 2, out);
    repairer->done |= SET(HAUL_REPAIR_END);
  }
  return repairer->done;
}
