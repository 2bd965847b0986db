/*
 * The survey: looks at both accounts, settles what an interrupted run left open, and plans the pass.
 * It changes nothing but the state.
 */
#ifndef HAUL_CORE_SURVEY_H
#define HAUL_CORE_SURVEY_H

#include "context.h"

/*
 * Plans a pass from what both sides' folders are.
 *
 * @folders1: those that were chosen, @folders2: all; both must outlive the pass.
 * Returns NULL for what reaches beyond folders; what befalls one folder is in the report.
 */
HaulPass *haul_survey(const HaulContext *context, HaulOpenStore *store1, HaulOpenStore *store2,
                      const GArray *folders1, const GArray *folders2, GError **error);
void haul_pass_free(HaulPass *pass);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HaulPass, haul_pass_free)

#endif /* HAUL_CORE_SURVEY_H */
