/* The one folder that POP3 has. */
#include <inttypes.h>

#include <mailhaul/error.h>
#include <mailhaul/text.h>

#include "store.h"

/* UIDLs are for ever (RFC 1939 §7). */
#define EPOCH 1

static uint64_t
sum_of_sizes(const Pop3Mailbox *mailbox)
{
  uint64_t sum = 0;
  for (guint i = 0; i < mailbox->entries->len; i++) {
    uint64_t size = pop3_mailbox_entry(mailbox, i)->size;
    if (size == HAUL_UNKNOWN || size > HAUL_UNKNOWN - 1 - sum)
      return HAUL_UNKNOWN;
    sum += size;
  }
  return sum;
}

static HaulFolder
describe(const HaulStore *store)
{
  return (HaulFolder){
    .path = "INBOX",
    .epoch = EPOCH,
    .n_messages = store->mailbox->entries->len,
    .n_octets = sum_of_sizes(store->mailbox),
    .max_message_octets = HAUL_UNKNOWN,
    .change_token = store->mailbox->token,
    .attributes = HAUL_FOLDER_UIDLS | HAUL_FOLDER_FLAGLESS
                  | (store->hides_read ? (uint32_t)HAUL_FOLDER_BATCHES : 0),
  };
}

bool
pop3_folders(HaulStore *store, HaulFolderFunc each, void *data, GError **error)
{
  if (!pop3_mailbox_look(store, POP3_LOOK_UIDLS, error))
    return false;
  HaulFolder folder = describe(store);
  return each(&folder, data);
}

bool
pop3_select(HaulStore *store, const char *path, HaulIntent intent, HaulFolder *folder,
            GError **error)
{
  if (!haul_path_is_inbox(path)) {
    haul_set_error(error, HAUL_ERROR_FOLDER, "select", "POP3 has no folder but INBOX");
    return false;
  }
  if (!pop3_mailbox_look(store, POP3_LOOK_UIDLS, error))
    return false;
  *folder = describe(store);
  return true;
}
