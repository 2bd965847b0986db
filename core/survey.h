/*
 * The survey: looks at both accounts, settles what an interrupted run left open, and plans the pass.
 * It changes nothing but the state.
 */
#ifndef HAUL_CORE_SURVEY_H
#define HAUL_CORE_SURVEY_H

#include "context.h"

/* The folders of one side, as the store told them. */
typedef struct {
  GArray *folders;     /* owned; of HaulPlanFolder */
  GArray *limits;      /* owned; of uint64_t beside them: the largest message, or HAUL_UNKNOWN */
  GPtrArray *natives;  /* owned; of char *, beside them: the store's own names, or NULL */
  GStringChunk *texts; /* owned */
} HaulFolderList;

HaulFolderList *haul_folder_list_read(HaulOpenStore *store, GError **error);
void haul_folder_list_free(HaulFolderList *list);
const HaulPlanFolder *haul_folder_list_find(const HaulFolderList *list, const char *path);

/*
 * Plans a pass from what both sides' folders are.
 *
 * @folders1: those that were chosen, @folders2: all; both must outlive the pass.
 * Returns NULL for what reaches beyond folders; what befalls one folder is in the report.
 */
HaulPass *haul_survey(const HaulContext *context, HaulOpenStore *store1, HaulOpenStore *store2,
                      const GArray *folders1, const GArray *folders2, GError **error);
void haul_pass_free(HaulPass *pass);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulFolderList, haul_folder_list_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulPass, haul_pass_free)

#endif /* HAUL_CORE_SURVEY_H */
