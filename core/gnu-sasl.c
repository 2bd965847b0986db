/* GNU SASL by dlopen(). See gnu-sasl.h. */
#include "gnu-sasl.h"

#include <dlfcn.h>
#include <gsasl.h>
#include <pthread.h>
#include <string.h>

#include <mailhaul/log.h>

#define LIBRARY "libgsasl.so.18"

/* What we use of the library, by its own declarations. */
#define FUNCTIONS(each)                                                                            \
  each(gsasl_init) each(gsasl_client_start) each(gsasl_client_support_p) each(gsasl_finish)        \
      each(gsasl_step) each(gsasl_free) each(gsasl_property_set) each(gsasl_property_fast)         \
          each(gsasl_saslprep) each(gsasl_strerror)

#define POINTER(name) __typeof__(name) *name;
static struct {
  FUNCTIONS(POINTER)
  Gsasl *context; /* NULL: it cannot be used; for the life of the process */
} library;

struct HaulGnuSasl {
  Gsasl_session *session; /* owned */
};

#define LOOK_UP(name) { #name, (void **)&library.name },

static void
load(void)
{
  static const struct {
    const char *name;
    void **pointer;
  } symbols[] = { FUNCTIONS(LOOK_UP) };
  void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* stays: it may have threads' data */
  if (handle == NULL) {
    haul_log(HAUL_LOG_DEBUG, "no GNU SASL: %s", dlerror());
    return;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(symbols); i++) {
    *symbols[i].pointer = dlsym(handle, symbols[i].name);
    if (*symbols[i].pointer == NULL) {
      haul_log(HAUL_LOG_DEBUG, "no GNU SASL: %s lacks %s", LIBRARY, symbols[i].name);
      return;
    }
  }
  if (library.gsasl_init(&library.context) != GSASL_OK)
    library.context = NULL;
}

static bool
can_prepare(const char *text)
{
  char *prepared = NULL;
  bool fine = library.gsasl_saslprep(text, 0, &prepared, NULL) == GSASL_OK && prepared != NULL;
  if (prepared != NULL) {
    explicit_bzero(prepared, strlen(prepared));
    library.gsasl_free(prepared);
  }
  return fine;
}

HaulGnuSasl *
haul_gnu_sasl_new(const char *mechanism, const HaulGnuCredentials *credentials, const char **why)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  *why = NULL;
  if (library.context == NULL)
    *why = "GNU SASL (" LIBRARY ") is not there";
  else if (!library.gsasl_client_support_p(library.context, mechanism))
    *why = "GNU SASL does not know it";
  else if (!can_prepare(credentials->user) || !can_prepare(credentials->password))
    *why = "name or password is no text that it allows (SASLprep)";
  if (*why != NULL)
    return NULL;

  Gsasl_session *session;
  int code = library.gsasl_client_start(library.context, mechanism, &session);
  if (code != GSASL_OK) {
    *why = library.gsasl_strerror(code);
    return NULL;
  }
  library.gsasl_property_set(session, GSASL_AUTHID, credentials->user);
  library.gsasl_property_set(session, GSASL_PASSWORD, credentials->password);
  if (credentials->act_for != NULL)
    library.gsasl_property_set(session, GSASL_AUTHZID, credentials->act_for);
  if (credentials->binding != NULL) {
    gsize size;
    const guchar *octets = g_bytes_get_data(credentials->binding, &size);
    g_autofree char *binding = g_base64_encode(octets, size);
    bool exporter = strcmp(credentials->binding_type, "tls-exporter") == 0;
    library.gsasl_property_set(session, exporter ? GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE,
                               binding);
  }
  HaulGnuSasl *sasl = g_new0(HaulGnuSasl, 1);
  sasl->session = session;
  return sasl;
}

void
haul_gnu_sasl_free(HaulGnuSasl *sasl)
{
  static const Gsasl_property secrets[] = { GSASL_PASSWORD, GSASL_SCRAM_SALTED_PASSWORD };
  if (sasl == NULL)
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++) {
    /* The library frees its copy and does not wipe it. */
    const char *secret = library.gsasl_property_fast(sasl->session, secrets[i]);
    if (secret != NULL)
      explicit_bzero((char *)secret, strlen(secret));
  }
  library.gsasl_finish(sasl->session);
  g_free(sasl);
}

char *
haul_gnu_sasl_step(HaulGnuSasl *sasl, const char *challenge, size_t size, size_t *answer_size,
                   bool *done, const char **why)
{
  char *octets = NULL;
  int code = library.gsasl_step(sasl->session, challenge, size, &octets, answer_size);
  if (code != GSASL_OK && code != GSASL_NEEDS_MORE) {
    *why = library.gsasl_strerror(code);
    library.gsasl_free(octets);
    return NULL;
  }
  *done = code == GSASL_OK;
  char *answer = g_malloc(*answer_size + 1);
  if (*answer_size > 0)
    memcpy(answer, octets, *answer_size);
  answer[*answer_size] = '\0';
  library.gsasl_free(octets);
  return answer;
}
