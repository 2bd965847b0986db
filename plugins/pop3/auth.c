/* Telling a server who we are. See auth.h. */
#include "auth.h"

#include <string.h>

#include <mailhaul/log.h>

static const char *
login_name(const HaulAccount *account)
{
  const char *authuser = haul_account_string(account, "authuser");
  return authuser != NULL && *authuser != '\0' ? authuser : haul_account_string(account, "user");
}

/* USER and PASS (RFC 1939 §7). */
static bool
give_password(Pop3Session *session, Pop3Status *status, GError **error)
{
  const HaulAccount *account = session->account;
  if (!pop3_session_send_secret(session, "USER ***", "USER ", login_name(account), false, error)
      || !pop3_session_status(session, status, error))
    return false;
  return !status->ok
         || (pop3_session_send_secret(session, "PASS ***", "PASS ",
                                      haul_account_secret(account, "password"), false, error)
             && pop3_session_status(session, status, error));
}

bool
pop3_authenticate(Pop3Session *session, const char *stamp, GError **error)
{
  Pop3Status status;
  if (!give_password(session, &status, error))
    return false;
  if (!status.ok)
    g_propagate_error(error, pop3_session_refusal_as(session, &status, HAUL_ERROR_ACCOUNT, "login",
                                                     "login refused"));
  return status.ok;
}

bool
pop3_has_login(const HaulAccount *account, GError **error)
{
  const char *user = haul_account_string(account, "user");
  const char *authuser = haul_account_string(account, "authuser");
  const char *password = haul_account_secret(account, "password");
  bool has_token = *haul_account_secret(account, "oauthaccesstoken") != '\0'
                   || *haul_account_string(account, "tokencmd") != '\0';
  unsigned side = strcmp(haul_account_side(account), "source") == 0 ? 1 : 2;
  if (user == NULL || (password == NULL && !has_token)) {
    haul_set_error(error, HAUL_ERROR_ACCOUNT, "login",
                   "the server wants a login: use --user%u and --passfile%u", side, side);
    return false;
  }
  /* A line end would begin another command. */
  const char *texts[] = { user, authuser, password };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
    if (texts[i] != NULL && strpbrk(texts[i], "\r\n") != NULL) {
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "usage", "the %s of the %s holds a line end",
                     i == 2 ? "password" : "user's name", haul_account_side(account));
      return false;
    }
  return true;
}
