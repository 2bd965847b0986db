/*
 * Logging in, against any server: mechanism and challenges are the input's lines. No error holds a
 * secret, every answer is base64, and each conversation ends.
 */
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#include <mailhaul/plugin.h>
#include <mailhaul/sasl.h>

#include "account.h"

#define SECRET "s3cr3t-p4ss"
#define TOKEN "t0k3n.t0k3n"
#define ANSWERS_LIMIT 5 /* no mechanism of ours has more */

static bool
tells_secret(const char *text)
{
  return text != NULL && (strstr(text, SECRET) != NULL || strstr(text, TOKEN) != NULL);
}

static bool
is_base64(const char *text)
{
  size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
  return text[n] == '\0' && n % 4 == 0;
}

static void
converse(HaulSasl *sasl, char *const *challenges)
{
  unsigned n_answers = 0;
  g_autoptr(GError) error = NULL;
  bool first = haul_sasl_speaks_first(sasl);
  for (;;) {
    const char *challenge = first ? NULL : *challenges++;
    if (challenge == NULL && !first)
      break;
    first = false;
    const char *answer =
        haul_sasl_answer(sasl, challenge, challenge != NULL ? strlen(challenge) : 0, &error);
    if (answer == NULL) {
      FUZZ_ASSERT(error != NULL && !tells_secret(error->message));
      return;
    }
    FUZZ_ASSERT(error == NULL && is_base64(answer) && ++n_answers <= ANSWERS_LIMIT);
  }
  FUZZ_ASSERT(!tells_secret(haul_sasl_detail(sasl)));
  if (!haul_sasl_accept(sasl, &error))
    FUZZ_ASSERT(error != NULL && !tells_secret(error->message));
}

static HaulAccount *
account_new(bool by_token)
{
  static const HaulSetting settings[] = { HAUL_STREAM_SETTINGS,
                                          HAUL_SASL_SETTINGS,
                                          { NULL, 0, NULL, NULL } };
  static const HaulPlugin plugin = { HAUL_PLUGIN_HEAD, .name = "fuzz", .settings = settings };
  HaulAccount *account = haul_account_new(1, &plugin, NULL);
  FUZZ_ASSERT(haul_account_set(account, "host", "imap.example", NULL));
  FUZZ_ASSERT(haul_account_set(account, "user", "ann", NULL));
  FUZZ_ASSERT(haul_account_set(account, "password", SECRET, NULL));
  if (by_token)
    FUZZ_ASSERT(haul_account_set(account, "oauthaccesstoken", TOKEN, NULL));
  return account;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static HaulAccount *accounts[2];
  if (accounts[0] == NULL) {
    accounts[0] = account_new(false);
    accounts[1] = account_new(true);
  }
  g_autofree char *text = g_strndup((const char *)data, size);
  g_auto(GStrv) lines = g_strsplit(text, "\n", 12);
  if (lines[0] == NULL)
    return 0;
  uint32_t offered = haul_sasl_mechanism(lines[0], strlen(lines[0]));
  if (offered == 0)
    return 0;
  bool by_token = (offered & (HAUL_SASL_OAUTHBEARER | HAUL_SASL_XOAUTH2)) != 0;
  g_autoptr(HaulSasl) sasl = haul_sasl_new(accounts[by_token], NULL, NULL);
  if (haul_sasl_begin(sasl, offered, NULL) != 0)
    converse(sasl, lines + 1);
  return 0;
}

const char *const fuzz_seeds[] = {
  "PLAIN\n\n\n",
  "LOGIN\nVXNlcm5hbWU6\nUGFzc3dvcmQ6\nVXNlcm5hbWU6",
  "CRAM-MD5\nPDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+",
  "CRAM-MD5\n!!!not base64",
  "SCRAM-SHA-256\n\ncj1hYmMscz1RVUU9LGk9NDA5Ng==\ndj1BQUE9",
  "SCRAM-SHA-1\n\nZT1vdGhlci1lcnJvcg==",
  "XOAUTH2\n\neyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=\neyJ9",
  "OAUTHBEARER\n\neyJzdGF0dXMiOiJ0MGszbi50MGszbiJ9",
  NULL,
};
