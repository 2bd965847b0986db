/* Capabilities. See capability.h. */
#include "capability.h"

#include <mailhaul/sasl.h>
#include <string.h>

/* Of several words for one, the first is what users call it. */
static const struct {
  const char *word;
  uint64_t value;
} words[] = {
  { "APPENDLIMIT", IMAP_CAP_APPENDLIMIT },
  { "BINARY", IMAP_CAP_BINARY },
  { "COMPRESS", IMAP_CAP_COMPRESS },
  { "COMPRESS=DEFLATE", IMAP_CAP_COMPRESS },
  { "CONDSTORE", IMAP_CAP_CONDSTORE },
  { "CREATE-SPECIAL-USE", IMAP_CAP_CREATE_SPECIAL_USE },
  { "ENABLE", IMAP_CAP_ENABLE },
  { "ESEARCH", IMAP_CAP_ESEARCH },
  { "X-GM-EXT-1", IMAP_CAP_GMAIL },
  { "ID", IMAP_CAP_ID },
  { "IDLE", IMAP_CAP_IDLE },
  { "IMAP4rev1", IMAP_CAP_IMAP4 },
  { "IMAP4rev2", IMAP_CAP_IMAP4REV2 },
  { "LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED },
  { "LIST-STATUS", IMAP_CAP_LIST_STATUS },
  { "LITERAL-", IMAP_CAP_LITERAL_MINUS },
  { "LITERAL+", IMAP_CAP_LITERAL_PLUS },
  { "LOGINDISABLED", IMAP_CAP_LOGINDISABLED },
  { "MOVE", IMAP_CAP_MOVE },
  { "MULTIAPPEND", IMAP_CAP_MULTIAPPEND },
  { "NAMESPACE", IMAP_CAP_NAMESPACE },
  { "OBJECTID", IMAP_CAP_OBJECTID },
  { "QRESYNC", IMAP_CAP_QRESYNC },
  { "QUOTA", IMAP_CAP_QUOTA },
  { "RFC822.SIZE", IMAP_CAP_SIZES },
  { "SASL-IR", IMAP_CAP_SASL_IR },
  { "SPECIAL-USE", IMAP_CAP_SPECIAL_USE },
  { "STARTTLS", IMAP_CAP_STARTTLS },
  { "STATUS=SIZE", IMAP_CAP_STATUS_SIZE },
  { "UIDPLUS", IMAP_CAP_UIDPLUS },
  { "UNSELECT", IMAP_CAP_UNSELECT },
  { "UTF8=ACCEPT", IMAP_CAP_UTF8 },
  { "UTF8=ONLY", IMAP_CAP_UTF8 | IMAP_CAP_UTF8_ONLY },
  { "XLIST", IMAP_CAP_XLIST },
};

/* Takes the next of words that are separated by blanks or commas; false at the end. */
static bool
take_word(ImapCursor *list, ImapSpan *word)
{
  if (list->at >= list->end)
    return false;
  const char *start = list->at;
  while (list->at < list->end && *list->at != ' ' && *list->at != ',')
    list->at++;
  *word = (ImapSpan){ start, (size_t)(list->at - start), false };
  if (list->at < list->end)
    list->at++;
  return true;
}

uint64_t
imap_parse_capabilities(ImapCursor list, uint64_t *append_limit)
{
  uint64_t found = 0;
  ImapSpan word;
  while (take_word(&list, &word)) {
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
      if (imap_span_is(&word, words[i].word))
        found |= words[i].value;
    }
    if (imap_span_has_prefix(&word, "APPENDLIMIT=")) {
      ImapCursor digits = { word.at + strlen("APPENDLIMIT="), word.at + word.size };
      uint64_t limit;
      found |= IMAP_CAP_APPENDLIMIT;
      if (imap_take_number(&digits, &limit))
        *append_limit = limit;
    }
  }
  return found;
}

uint32_t
imap_parse_mechanisms(ImapCursor list)
{
  static const char prefix[] = "AUTH=";
  uint32_t found = 0;
  ImapSpan word;
  while (take_word(&list, &word))
    if (imap_span_has_prefix(&word, prefix))
      found |= haul_sasl_mechanism(word.at + sizeof prefix - 1, word.size - (sizeof prefix - 1));
  return found;
}

bool
imap_are_of_cyrus(ImapCursor list)
{
  ImapSpan word;
  while (take_word(&list, &word))
    if (imap_span_is(&word, "X-REPLICATION") || imap_span_is(&word, "X-SIEVE-MAILBOX"))
      return true;
  return false;
}

uint64_t
imap_capabilities_imply(uint64_t offered, uint64_t ignored, bool rev2)
{
  offered &= ~ignored;
  /* Where both are offered a session begins as rev1, whose extensions are named (RFC 9051 §6.3.1). */
  if ((offered & IMAP_CAP_IMAP4REV2) != 0 && (rev2 || (offered & IMAP_CAP_IMAP4) == 0))
    offered |= IMAP_CAP_OF_REV2 & ~ignored;
  return offered;
}

const char *
imap_capability_name(uint64_t capabilities)
{
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if ((words[i].value & capabilities) != 0)
      return words[i].word;
  }
  return NULL;
}
