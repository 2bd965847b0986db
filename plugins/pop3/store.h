/* One open POP3 account, as the files of this plugin share it. */
#ifndef POP3_STORE_H
#define POP3_STORE_H

#include <mailhaul/plugin.h>

#include "session.h"

struct HaulStore {
  const HaulAccount *account; /* borrowed */
  Pop3Session *session;       /* owned */
};

#endif /* POP3_STORE_H */
