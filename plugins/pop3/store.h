/*
 * One open POP3 account, as the files of this plugin share it. Its session may end before the store does:
 * deletions count only with QUIT, behind which the next call begins another one.
 */
#ifndef POP3_STORE_H
#define POP3_STORE_H

#include <mailhaul/plugin.h>

#include "mailbox.h"
#include "session.h"

struct HaulStore {
  const HaulAccount *account; /* borrowed */
  Pop3Session *session;       /* owned; NULL behind QUIT or an error: the next call opens another */
  Pop3Mailbox *mailbox;       /* owned; as that session sees it, or NULL if it was not looked at */
  bool marks_seen;            /* every message counts as read */
  bool
      hides_read; /* what was read may be hidden from further sessions, which show others (Gmail) */
  bool top_is_judged; /* whether its headers are those of RETR */
};

/* store.c */

/* Makes sure that a session is open. */
bool pop3_store_connect(HaulStore *store, GError **error);

/* Lets go of a session, without QUIT if it has marked messages as deleted, and of what it saw. */
void pop3_store_drop(HaulStore *store);

/* Ends the session by QUIT: what it has deleted is gone if this is true, else nobody knows. */
bool pop3_store_quit(HaulStore *store, GError **error);

/* Whether headers are to be had by TOP. */
bool pop3_store_uses_top(const HaulStore *store);

/*
 * Says what the refusal of a command about one message means. Returns true if it concerns that one only,
 * with *@why, if not NULL, of the reason @reason; false with *@error if all others will be refused, too.
 */
bool pop3_store_refused(HaulStore *store, const Pop3Status *status, const char *reason,
                        const char *what, GError **why, GError **error);

/* finish(): says QUIT, and waits for the answer, for servers that count sessions which do not. */
bool pop3_finish(HaulStore *store, GError **error);

/* folders.c */
bool pop3_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error);
bool pop3_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
                 GError **error);

/* lister.c */
bool pop3_list(HaulStore *store, const HaulRange *ranges, size_t n_ranges, uint32_t want,
               const char *const *header_fields, HaulItemFunc each, void *data, GError **error);

/* reader.c */
bool pop3_fetch(HaulStore *store, const HaulRange *ranges, size_t n_ranges, HaulIntake *intake,
                GError **error);

/* remover.c */
bool pop3_expunge(HaulStore *store, const char *const *ids, size_t n_ids, GError **error);

#endif /* POP3_STORE_H */
