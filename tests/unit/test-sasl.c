/* Tests sasl.c with what it is made of: bearer.c, scram.c, gnu-sasl.c. */
#include "suite.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailhaul/error.h>
#include <mailhaul/sasl.h>

#include "bearer.h"
#include "peer.h"
#include "scram-server.h"
#include "scram.h"

#define ALL UINT32_MAX

static HaulAccount *
account_of(const char *user, const char *password)
{
  HaulAccount *account = peer_account(143, "none", NULL);
  peer_set(account, "user", user);
  if (password != NULL)
    peer_set(account, "password", password);
  return account;
}

static char *
base64(const char *text)
{
  return g_base64_encode((const guchar *)text, strlen(text));
}

/* Gives a challenge as text. Returns the answer as text, to be freed; NULL on error. */
static char *
answer(HaulSasl *sasl, const char *challenge, GError **error)
{
  g_autofree char *encoded = challenge != NULL ? base64(challenge) : NULL;
  const char *got = haul_sasl_answer(sasl, encoded, encoded != NULL ? strlen(encoded) : 0, error);
  if (got == NULL)
    return NULL;
  gsize size = 0;
  g_autofree char *decoded = *got != '\0' ? (char *)g_base64_decode(got, &size) : NULL;
  GString *text = g_string_new(NULL);
  for (gsize i = 0; i < size; i++) /* what separates fields is shown */
    g_string_append_c(text, decoded[i] == '\0' ? '|' : decoded[i] == 1 ? '^' : decoded[i]);
  return g_string_free(text, FALSE);
}

#define CHECK_ANSWER(sasl, challenge, expected)                                                    \
  do {                                                                                             \
    g_autoptr(GError) error_ = NULL;                                                               \
    g_autofree char *got_ = answer(sasl, challenge, &error_);                                      \
    CU_ASSERT_PTR_NULL(error_);                                                                    \
    CU_ASSERT_STRING_EQUAL(got_ != NULL ? got_ : "", expected);                                    \
  } while (0)

/* ---- choosing ---- */

static void
the_strongest_that_fits_is_begun(void)
{
  static const struct {
    const char *key, *value; /* besides user and password */
    uint32_t offered, begun; /* 0: none */
  } table[] = {
    { NULL, NULL, ALL, HAUL_SASL_SCRAM_SHA_256 }, /* no TLS, nothing to bind to */
    { NULL, NULL, HAUL_SASL_LOGIN | HAUL_SASL_PLAIN, HAUL_SASL_PLAIN },
    { NULL, NULL, HAUL_SASL_CRAM_MD5 | HAUL_SASL_SCRAM_SHA_1, HAUL_SASL_SCRAM_SHA_1 },
    { NULL, NULL, HAUL_SASL_XOAUTH2 | HAUL_SASL_SCRAM_SHA_1_PLUS, 0 },
    { NULL, NULL, 0, 0 },
    { "authmech", "AUTO", HAUL_SASL_LOGIN, HAUL_SASL_LOGIN },
    { "authmech", "login", ALL, HAUL_SASL_LOGIN },
    { "authmech", "PLAIN, CRAM-MD5", ALL, HAUL_SASL_CRAM_MD5 },
    { "authmech", "SCRAM-SHA-1", HAUL_SASL_PLAIN, 0 },
    { "authmech", "XOAUTH2", ALL, 0 },
    { "oauthaccesstoken", "tok.1", ALL, HAUL_SASL_OAUTHBEARER },
    { "oauthaccesstoken", "tok.1", HAUL_SASL_XOAUTH2 | HAUL_SASL_PLAIN, HAUL_SASL_XOAUTH2 },
    { "oauthaccesstoken", "tok.1", HAUL_SASL_PLAIN, 0 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulAccount) account = account_of("ann", "secret");
    g_autoptr(GError) error = NULL;
    if (table[i].key != NULL)
      peer_set(account, table[i].key, table[i].value);
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, table[i].offered, &error), table[i].begun);
    if (table[i].begun == 0)
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "login", "no login by");
  }
}

static void
who_acts_for_another_uses_what_can_say_so(void)
{
  g_autoptr(HaulAccount) account = account_of("ann", "secret");
  peer_set(account, "authuser", "admin");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, "ann");
  g_autoptr(GError) error = NULL;
  CU_ASSERT_EQUAL(
      haul_sasl_begin(sasl, HAUL_SASL_CRAM_MD5 | HAUL_SASL_PLAIN | HAUL_SASL_LOGIN, NULL),
      HAUL_SASL_PLAIN);
  CHECK_ANSWER(sasl, NULL, "ann|admin|secret");
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_SCRAM_SHA_256, NULL), HAUL_SASL_SCRAM_SHA_256);
  g_autofree char *first = answer(sasl, NULL, NULL);
  CU_ASSERT(g_str_has_prefix(first, "n,a=ann,n=admin,r="));
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_LOGIN | HAUL_SASL_CRAM_MD5, &error), 0);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "login", "CRAM-MD5, LOGIN");
}

static void
a_mechanism_that_does_not_exist_is_a_slip_of_the_pen(void)
{
  g_autoptr(HaulAccount) account = account_of("ann", "secret");
  g_autoptr(GError) error = NULL;
  peer_set(account, "authmech", "SCRAM-SHA-257");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, ALL, &error), 0);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "SCRAM-SHA-257");
}

static void
denied_is_final_and_unsupported_is_not(void)
{
  g_autoptr(HaulAccount) account = account_of("ann", "secret");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  const uint32_t offered = HAUL_SASL_PLAIN | HAUL_SASL_LOGIN;
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, offered, NULL), HAUL_SASL_PLAIN);
  CU_ASSERT_FALSE(haul_sasl_refuse(sasl, HAUL_SASL_DENIED));
  CU_ASSERT_TRUE(haul_sasl_refuse(sasl, HAUL_SASL_UNSUPPORTED));
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, offered, NULL), HAUL_SASL_LOGIN);
  CU_ASSERT_TRUE(haul_sasl_refuse(sasl, HAUL_SASL_UNSUPPORTED));
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, offered, NULL), 0);
}

/* Accounts get locked: what is refused without a reason costs one more attempt in a login, and none in
 * those that follow. */
static void
what_is_only_offered_gives_way_once(void)
{
  const uint32_t offered = HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_SCRAM_SHA_1 | HAUL_SASL_CRAM_MD5
                           | HAUL_SASL_PLAIN | HAUL_SASL_LOGIN;
  g_autoptr(HaulAccount) account = account_of("ann", "secret");
  for (unsigned n = 0; n < 2; n++) { /* the second refusal is final, and nothing was learnt */
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, offered, NULL), HAUL_SASL_SCRAM_SHA_256);
    CU_ASSERT_TRUE(haul_sasl_refuse(sasl, HAUL_SASL_UNEXPLAINED));
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, offered, NULL), HAUL_SASL_PLAIN);
    CU_ASSERT_FALSE(haul_sasl_refuse(sasl, HAUL_SASL_UNEXPLAINED));
  }
  g_autoptr(HaulSasl) first = haul_sasl_new(account, NULL, NULL);
  haul_sasl_begin(first, offered, NULL);
  CU_ASSERT_TRUE(haul_sasl_refuse(first, HAUL_SASL_UNEXPLAINED));
  haul_sasl_begin(first, offered, NULL);
  CU_ASSERT_TRUE(haul_sasl_accept(first, NULL));
  g_autoptr(HaulSasl) second = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(second, offered, NULL), HAUL_SASL_PLAIN);
}

static void
what_gives_way_to_nothing_is_refused(void)
{
  static const struct {
    const char *authmech, *act_for;
    uint32_t offered;
  } table[] = {
    { NULL, NULL, HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_SCRAM_SHA_1 },
    { NULL, "bob", HAUL_SASL_SCRAM_SHA_256 | HAUL_SASL_LOGIN },
    { "SCRAM-SHA-256", NULL, ALL },
    { "SCRAM-SHA-256,PLAIN", NULL, ALL },
    { "PLAIN", NULL, ALL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulAccount) account = account_of("ann", "secret");
    if (table[i].authmech != NULL)
      peer_set(account, "authmech", table[i].authmech);
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, table[i].act_for);
    CU_ASSERT_NOT_EQUAL(haul_sasl_begin(sasl, table[i].offered, NULL), 0);
    CU_ASSERT_FALSE(haul_sasl_refuse(sasl, HAUL_SASL_UNEXPLAINED));
  }
}

/* ---- the simple ones ---- */

static void
passwords_may_hold_any_octets(void)
{
  static const char *const passwords[] = { "p\xc3\xa4ss", "\xff\xfe\x80", " a\"b,c;d\\&% ", "#x",
                                           "" };
  for (size_t i = 0; i < G_N_ELEMENTS(passwords); i++) {
    g_autoptr(HaulAccount) account = account_of("ann", passwords[i]);
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    g_autofree char *expected = g_strconcat("|ann|", passwords[i], NULL);
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_PLAIN, NULL), HAUL_SASL_PLAIN);
    CHECK_ANSWER(sasl, NULL, expected);
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_LOGIN, NULL), HAUL_SASL_LOGIN);
    CHECK_ANSWER(sasl, "Username:", "ann");
    CHECK_ANSWER(sasl, "Password:", passwords[i]);
  }
}

static void
a_password_that_scram_cannot_prepare_leaves_the_others(void)
{
  g_autoptr(HaulAccount) account = account_of("ann", "\xff\xfe");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, ALL, NULL), HAUL_SASL_PLAIN);
}

static void
cram_md5_is_that_of_its_rfc(void)
{
  g_autoptr(HaulAccount) account = account_of("tim", "tanstaaftanstaaf");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_CRAM_MD5, NULL), HAUL_SASL_CRAM_MD5);
  CU_ASSERT_FALSE(haul_sasl_speaks_first(sasl));
  CHECK_ANSWER(sasl, "<1896.697170952@postoffice.reston.mci.net>",
               "tim b913a602c7eda7a495b4e6e7334d3890");
  CU_ASSERT_TRUE(haul_sasl_accept(sasl, NULL));
}

/* T16: a key longer than a block of MD5 is hashed first. */
static void
cram_md5_takes_long_passwords(void)
{
  g_autofree char *password = g_strnfill(100, 'k');
  g_autofree char *digest =
      g_compute_hmac_for_string(G_CHECKSUM_MD5, (const guchar *)password, 100, "<1@x>", -1);
  g_autofree char *expected = g_strconcat("ann ", digest, NULL);
  g_autoptr(HaulAccount) account = account_of("ann", password);
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_CRAM_MD5, NULL), HAUL_SASL_CRAM_MD5);
  CHECK_ANSWER(sasl, "<1@x>", expected);
}

static void
challenges_are_base64_or_an_error(void)
{
  static const struct {
    const char *challenge;
    bool fine;
  } table[] = {
    { "PDFAeD4=", true },
    { "PDFAeD5=", true },
    { "!!!not base64", false },
    { "PDFAeD4", false },
    { "PDFA=D4=", false },
    { "PDFAeD4= ", false },
    { "P===", false },
    { "====", false },
    { "", false },
    { "=", false },
    { "Authentication failed", false },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulAccount) account = account_of("ann", "secret");
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_CRAM_MD5, NULL), HAUL_SASL_CRAM_MD5);
    const char *text = table[i].challenge;
    bool fine = haul_sasl_answer(sasl, text, strlen(text), &error) != NULL;
    if (fine != table[i].fine)
      printf("%s\n", text);
    CU_ASSERT_EQUAL(fine, table[i].fine);
    if (!fine)
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "protocol", "CRAM-MD5");
  }
  g_autoptr(HaulAccount) account = account_of("ann", "secret");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  g_autoptr(GError) error = NULL;
  g_autofree char *vast = g_strnfill(10 << 20, 'A');
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_CRAM_MD5, NULL), HAUL_SASL_CRAM_MD5);
  CU_ASSERT_PTR_NULL(haul_sasl_answer(sasl, vast, 10 << 20, &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "protocol", "16 KiB");
}

/* ---- SCRAM ---- */

static const ScramUser sha1 = { "SHA1", "pencil", "QSXCR+Q6sek8bf92", 4096 };
static const ScramUser sha256 = { "SHA256", "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", 4096 };

/* The server of these tests is held to the RFCs' examples first; the client is then held to it. */
static void
the_rfcs_examples_hold(void)
{
  static const struct {
    const ScramUser *user;
    const char *client_first, *more_nonce, *server_first, *client_final, *server_final;
  } table[] = {
    { &sha1, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
      "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" }, /* RFC 5802 §5 */
    { &sha256, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" }, /* RFC 7677 §3 */
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *first =
        scram_server_first(table[i].user, table[i].client_first, table[i].more_nonce);
    CU_ASSERT_STRING_EQUAL(first, table[i].server_first);
    g_autofree char *final =
        scram_server_final(table[i].user, table[i].client_first, first, table[i].client_final);
    CU_ASSERT_PTR_NOT_NULL_FATAL(final);
    CU_ASSERT_STRING_EQUAL(final, table[i].server_final);
  }
}

static void
scram_proves_both_sides(void)
{
  static const struct {
    HaulSaslMechanism mechanism;
    const ScramUser user;
    const char *name, *as; /* as: how it is written in SCRAM */
  } table[] = {
    { HAUL_SASL_SCRAM_SHA_1, { "SHA1", "pencil", "QSXCR+Q6sek8bf92", 4096 }, "user", "user" },
    { HAUL_SASL_SCRAM_SHA_256,
      { "SHA256", "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", 1 },
      "user",
      "user" },
    { HAUL_SASL_SCRAM_SHA_256,
      { "SHA256", "p\xc3\xa4ss, =word", "AA==", 4096 },
      "a,n=n",
      "a=2Cn=3Dn" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    const ScramUser *user = &table[i].user;
    g_autoptr(HaulAccount) account = account_of(table[i].name, user->password);
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_EQUAL(haul_sasl_begin(sasl, table[i].mechanism, NULL), table[i].mechanism);
    CU_ASSERT_TRUE(haul_sasl_speaks_first(sasl));
    g_autofree char *client_first = answer(sasl, NULL, NULL);
    g_autofree char *begin = g_strconcat("n,,n=", table[i].as, ",r=", NULL);
    CU_ASSERT(g_str_has_prefix(client_first, begin));
    g_autofree char *server_first = scram_server_first(user, client_first, "more");
    g_autofree char *client_final = answer(sasl, server_first, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(client_final);
    CU_ASSERT_FALSE(haul_sasl_accept(sasl, &error)); /* too early */
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "login", "without proving");
    g_autofree char *server_final =
        scram_server_final(user, client_first, server_first, client_final);
    CU_ASSERT_PTR_NOT_NULL_FATAL(server_final);
    CHECK_ANSWER(sasl, server_final, "");
    CU_ASSERT_TRUE(haul_sasl_accept(sasl, NULL));
    g_autoptr(GError) more = NULL;
    CU_ASSERT_PTR_NULL(answer(sasl, "v=more", &more));
    CHECK_ERROR(more, HAUL_ERROR_ACCOUNT, "protocol", "more than there is to say");
  }
}

/* T13. '$' stands for the client's nonce. */
static void
a_server_that_cheats_learns_nothing(void)
{
  static const struct {
    const char *server_first, *reason;
  } table[] = {
    { "r=$,s=AAAA,i=4096", "login" },
    { "r=x$,s=AAAA,i=4096", "login" },
    { "r=,s=AAAA,i=4096", "login" },
    { "s=AAAA,i=4096", "protocol" },
    { "r=$x,s=,i=4096", "protocol" },
    { "r=$x,i=4096", "protocol" },
    { "r=$x,s=AAAA", "protocol" },
    { "r=$x,s=AAAA,i=0", "protocol" },
    { "r=$x,s=AAAA,i=2000001", "protocol" },
    { "r=$x,s=AAAA,i=-1", "protocol" },
    { "r=$x,s=AAAA,i=99999999999999999999", "protocol" },
    { "m=x,r=$x,s=AAAA,i=1", "protocol" },
    { "v=AAAA", "protocol" },
    { "r=$x,s=!!!!,i=1", "protocol" },
    { ",,,,,,,,,,,,,,", "protocol" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulAccount) account = account_of("ann", "secret");
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    g_autoptr(GError) error = NULL;
    haul_sasl_begin(sasl, HAUL_SASL_SCRAM_SHA_256, NULL);
    g_autofree char *client_first = answer(sasl, NULL, NULL);
    g_auto(GStrv) parts = g_strsplit(table[i].server_first, "$", 2);
    g_autofree char *message = g_strjoinv(strstr(client_first, ",r=") + 3, parts);
    g_autofree char *got = answer(sasl, message, &error);
    CU_ASSERT_PTR_NULL(got);
    if (got != NULL)
      printf("%s\n", table[i].server_first);
    CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, table[i].reason, "SCRAM");
    CU_ASSERT_FALSE(haul_sasl_accept(sasl, NULL));
  }
  g_autoptr(GError) error = NULL;
  CU_ASSERT_FALSE(haul_scram_check("r=nx\0,s=AAAA,i=1", 16, "n", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "protocol", "NUL");
  CU_ASSERT_TRUE(haul_scram_check("r=nx,s=AAAA,i=2000000", 21, "n", NULL));
}

/* T13: the last message. */
static void
a_server_without_the_password_is_not_believed(void)
{
  static const struct {
    const char *server_final, *reason; /* reason: NULL where a refusal has to follow */
  } table[] = {
    { "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "login" },
    { "v=", "login" },
    { "x=1", "login" },
    { "v=!!", "login" },
    { "e=invalid-proof", NULL },
    { "e=\x1b[31m", NULL },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(HaulAccount) account = account_of("user", "pencil");
    g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
    g_autoptr(GError) error = NULL;
    haul_sasl_begin(sasl, HAUL_SASL_SCRAM_SHA_256, NULL);
    g_autofree char *client_first = answer(sasl, NULL, NULL);
    g_autofree char *server_first = scram_server_first(&sha256, client_first, "more");
    g_free(answer(sasl, server_first, NULL));
    g_autofree char *got = answer(sasl, table[i].server_final, &error);
    if (table[i].reason != NULL) {
      CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, table[i].reason, "does not know the password");
    } else {
      CU_ASSERT_STRING_EQUAL(got, "");
      CU_ASSERT_PTR_NULL(strchr(haul_sasl_detail(sasl), 0x1b));
    }
    CU_ASSERT_FALSE(haul_sasl_accept(sasl, NULL));
  }
}

/* ---- tokens ---- */

static void
tokens_go_as_their_mechanisms_write_them(void)
{
  g_autoptr(HaulAccount) account = account_of("a=b,c", NULL);
  peer_set(account, "oauthaccesstoken", "tok.1");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_OAUTHBEARER, NULL), HAUL_SASL_OAUTHBEARER);
  CHECK_ANSWER(sasl, NULL, "n,a=a=3Db=2Cc,^host=127.0.0.1^port=143^auth=Bearer tok.1^^");
  CHECK_ANSWER(sasl, "{\"schemes\":\"bearer\", \"status\" : \"invalid_token\"}", "^");
  CU_ASSERT_STRING_EQUAL(haul_sasl_detail(sasl), "invalid_token");
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_XOAUTH2, NULL), HAUL_SASL_XOAUTH2);
  CU_ASSERT_PTR_NULL(haul_sasl_detail(sasl));
  CHECK_ANSWER(sasl, NULL, "user=a=b,c^auth=Bearer tok.1^^");
  CHECK_ANSWER(sasl, "{\"status\":401}", "");
  CU_ASSERT_STRING_EQUAL(haul_sasl_detail(sasl), "401");
  g_autoptr(GError) error = NULL;
  CU_ASSERT_PTR_NULL(answer(sasl, "{\"status\":\"401\"}", &error));
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "protocol", "more than there is to say");
}

static void
what_a_server_says_of_a_token_is_harmless(void)
{
  static const char *const table[][2] = {
    { "{\"status\":\"400\"}", "400" },
    { "{\"status\":\"\"}", NULL },
    { "{\"status\"", NULL },
    { "{\"status\":", NULL },
    { "{\"status\":\"unterminated", "unterminated" },
    { "{\"status\":{}}", NULL },
    { "{\"status\":\"bad tok.1 given\"}", NULL }, /* never the token */
    { "", NULL },
    { "no JSON", NULL },
    { "{\"status\":\"\x1b[1m\"}", "\\u{1b}[1m" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *status = haul_bearer_status(table[i][0], strlen(table[i][0]), "tok.1");
    CU_ASSERT_EQUAL(g_ascii_strcasecmp(status != NULL ? status : "none",
                                       table[i][1] != NULL ? table[i][1] : "none"),
                    0);
  }
}

static void
a_token_cannot_smuggle_fields(void)
{
  CU_ASSERT_TRUE(haul_bearer_is_token("ya29.A-_~+/=="));
  CU_ASSERT_FALSE(haul_bearer_is_token(""));
  CU_ASSERT_FALSE(haul_bearer_is_token("a b"));
  CU_ASSERT_FALSE(haul_bearer_is_token("a\001b"));
  CU_ASSERT_FALSE(haul_bearer_is_token("a\xc3\xa4"));
  g_autoptr(HaulAccount) account = account_of("ann\001auth=Bearer x", NULL);
  peer_set(account, "oauthaccesstoken", "tok.1");
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  g_autoptr(GError) error = NULL;
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_XOAUTH2, &error), 0);
  CHECK_ERROR(error, HAUL_ERROR_ACCOUNT, "usage", "control octets");
}

static void
a_refused_token_is_asked_for_again_once(void)
{
  g_autofree char *folder = g_dir_make_tmp("mh-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(folder, "token", NULL);
  g_autoptr(HaulAccount) account = account_of("ann", NULL);
  peer_set(account, "oauthaccesstoken", path);
  g_autoptr(HaulSasl) sasl = haul_sasl_new(account, NULL, NULL);
  g_file_set_contents(path, "one\n", -1, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_XOAUTH2, NULL), HAUL_SASL_XOAUTH2);
  CHECK_ANSWER(sasl, NULL, "user=ann^auth=Bearer one^^");
  g_file_set_contents(path, "two\r\nand more\n", -1, NULL);
  CU_ASSERT_TRUE(haul_sasl_refuse(sasl, HAUL_SASL_DENIED));
  CU_ASSERT_EQUAL(haul_sasl_begin(sasl, HAUL_SASL_XOAUTH2, NULL), HAUL_SASL_XOAUTH2);
  CHECK_ANSWER(sasl, NULL, "user=ann^auth=Bearer two^^");
  g_file_set_contents(path, "three", -1, NULL);
  CU_ASSERT_FALSE(haul_sasl_refuse(sasl, HAUL_SASL_DENIED));

  g_autoptr(HaulSasl) other = haul_sasl_new(account, NULL, NULL);
  CU_ASSERT_EQUAL(haul_sasl_begin(other, HAUL_SASL_XOAUTH2, NULL), HAUL_SASL_XOAUTH2);
  CU_ASSERT_FALSE(haul_sasl_refuse(other, HAUL_SASL_DENIED)); /* there is no other token */
  g_unlink(path);
  g_rmdir(folder);
}

int
main(void)
{
  static const Case cases[] = {
    CASE(the_strongest_that_fits_is_begun),
    CASE(who_acts_for_another_uses_what_can_say_so),
    CASE(a_mechanism_that_does_not_exist_is_a_slip_of_the_pen),
    CASE(denied_is_final_and_unsupported_is_not),
    CASE(what_is_only_offered_gives_way_once),
    CASE(what_gives_way_to_nothing_is_refused),
    CASE(passwords_may_hold_any_octets),
    CASE(a_password_that_scram_cannot_prepare_leaves_the_others),
    CASE(cram_md5_is_that_of_its_rfc),
    CASE(cram_md5_takes_long_passwords),
    CASE(challenges_are_base64_or_an_error),
    CASE(the_rfcs_examples_hold),
    CASE(scram_proves_both_sides),
    CASE(a_server_that_cheats_learns_nothing),
    CASE(a_server_without_the_password_is_not_believed),
    CASE(tokens_go_as_their_mechanisms_write_them),
    CASE(what_a_server_says_of_a_token_is_harmless),
    CASE(a_token_cannot_smuggle_fields),
    CASE(a_refused_token_is_asked_for_again_once),
  };
  return RUN_SUITE("sasl", cases);
}
