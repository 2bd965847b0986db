/*
 * Prints where everything lies that crosses the boundary. Built with the frozen headers and with
 * today's: both must say the same, but that a vtable may have grown at its end.
 *
 * Names only what ABI 1 had when it was frozen; nothing is ever added here for it.
 */
#include <stddef.h>
#include <stdio.h>

#include <mailhaul/error.h>
#include <mailhaul/plugin.h>
#include <mailhaul/text.h>

#define AT(type, member)                                                                           \
  printf(#type "." #member " %zu %zu\n", offsetof(type, member), sizeof(((type *)0)->member))
#define WHOLE(type) printf(#type " %zu\n", sizeof(type))
#define VALUE(name) printf(#name " %lld\n", (long long)(name))

static void
frozen_structs(void)
{
  WHOLE(HaulItem);
  AT(HaulItem, id), AT(HaulItem, object_id), AT(HaulItem, size), AT(HaulItem, date);
  AT(HaulItem, date_zone), AT(HaulItem, flags), AT(HaulItem, keywords), AT(HaulItem, labels);
  AT(HaulItem, header), AT(HaulItem, header_size);
  WHOLE(HaulFolder);
  AT(HaulFolder, path), AT(HaulFolder, native), AT(HaulFolder, object_id), AT(HaulFolder, epoch);
  AT(HaulFolder, next_id), AT(HaulFolder, n_messages), AT(HaulFolder, n_octets);
  AT(HaulFolder, max_message_octets), AT(HaulFolder, change_token), AT(HaulFolder, attributes);
  AT(HaulFolder, settable_flags), AT(HaulFolder, any_keyword);
  WHOLE(HaulRange);
  AT(HaulRange, first), AT(HaulRange, last);
  WHOLE(HaulVisit);
  AT(HaulVisit, path), AT(HaulVisit, kind), AT(HaulVisit, epoch), AT(HaulVisit, since);
  AT(HaulVisit, ranges), AT(HaulVisit, n_ranges), AT(HaulVisit, want);
  AT(HaulVisit, header_fields);
  WHOLE(HaulFlagChange);
  AT(HaulFlagChange, add), AT(HaulFlagChange, remove), AT(HaulFlagChange, add_keywords);
  AT(HaulFlagChange, remove_keywords);
  WHOLE(HaulSetting);
  AT(HaulSetting, key), AT(HaulSetting, type), AT(HaulSetting, fallback), AT(HaulSetting, help);
}

static void
growing_structs(void)
{
  AT(HaulPlugin, abi_version), AT(HaulPlugin, struct_size), AT(HaulPlugin, name);
  AT(HaulPlugin, version), AT(HaulPlugin, summary), AT(HaulPlugin, settings);
  AT(HaulPlugin, store), AT(HaulPlugin, matcher);
  AT(HaulStoreOps, struct_size), AT(HaulStoreOps, open), AT(HaulStoreOps, close);
  AT(HaulStoreOps, folders), AT(HaulStoreOps, create), AT(HaulStoreOps, subscribe);
  AT(HaulStoreOps, rename), AT(HaulStoreOps, remove), AT(HaulStoreOps, ahead);
  AT(HaulStoreOps, select), AT(HaulStoreOps, list), AT(HaulStoreOps, changes);
  AT(HaulStoreOps, search), AT(HaulStoreOps, fetch), AT(HaulStoreOps, put);
  AT(HaulStoreOps, flush), AT(HaulStoreOps, set_flags), AT(HaulStoreOps, copy);
  AT(HaulStoreOps, expunge), AT(HaulStoreOps, quota), AT(HaulStoreOps, wait);
  AT(HaulStoreOps, identity);
  AT(HaulMatcherOps, struct_size), AT(HaulMatcherOps, header_fields);
  AT(HaulMatcherOps, reads_body), AT(HaulMatcherOps, key);
}

static void
values(void)
{
  VALUE(HAUL_ABI_VERSION);
  VALUE(HAUL_SEEN), VALUE(HAUL_ANSWERED), VALUE(HAUL_FLAGGED), VALUE(HAUL_DELETED);
  VALUE(HAUL_DRAFT), VALUE(HAUL_NO_DATE), VALUE(HAUL_UNKNOWN);
  VALUE(HAUL_READ), VALUE(HAUL_WRITE);
  VALUE(HAUL_WANT_SIZE), VALUE(HAUL_WANT_DATE), VALUE(HAUL_WANT_OBJECT_ID);
  VALUE(HAUL_VISIT_LIST), VALUE(HAUL_VISIT_CHANGES), VALUE(HAUL_VISIT_FETCH);
  VALUE(HAUL_VISIT_PUT);
  VALUE(HAUL_FOLDER_NOSELECT), VALUE(HAUL_FOLDER_SUBSCRIBED), VALUE(HAUL_FOLDER_ALL);
  VALUE(HAUL_FOLDER_ARCHIVE), VALUE(HAUL_FOLDER_DRAFTS), VALUE(HAUL_FOLDER_FLAGGED);
  VALUE(HAUL_FOLDER_JUNK), VALUE(HAUL_FOLDER_SENT), VALUE(HAUL_FOLDER_TRASH);
  VALUE(HAUL_FOLDER_IMPORTANT);
  VALUE(HAUL_ERROR_MESSAGE), VALUE(HAUL_ERROR_FOLDER), VALUE(HAUL_ERROR_CONNECTION);
  VALUE(HAUL_ERROR_BUSY), VALUE(HAUL_ERROR_ACCOUNT), VALUE(HAUL_ERROR_CANCELLED);
}

int
main(void)
{
  frozen_structs();
  growing_structs();
  values();
  return 0;
}
