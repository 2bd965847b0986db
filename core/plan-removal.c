/* Which messages may be removed at the source: pure, no I/O. */
#include "plan-removal.h"

static bool
is_proven(const HaulRemovalInput *input, const HaulProof *proof)
{
  bool is_itself = input->same_epoch && proof->same_id;
  return proof->named
         && (proof->delivered || (proof->proven && !is_itself && !input->only_delivered));
}

/* A clock that was set back makes nothing older than it is, and nothing too young where no age is asked. */
static bool
is_old_enough(const HaulRemovalInput *input, const HaulProof *proof)
{
  return input->min_age_s == 0
         || (proof->noted_at <= input->now && input->now - proof->noted_at >= input->min_age_s);
}

void
haul_plan_removal(const HaulRemovalInput *input, HaulRemovalPlan *plan)
{
  *plan = (HaulRemovalPlan){ .ids = g_array_new(FALSE, FALSE, sizeof(HaulId)) };
  g_autoptr(GHashTable) troubled = g_hash_table_new(g_int64_hash, g_int64_equal);
  for (size_t i = 0; i < input->n_troubled; i++)
    g_hash_table_add(troubled, (gpointer)&input->troubled[i]);
  for (size_t i = 0; i < input->n_proofs; i++) {
    const HaulProof *proof = &input->proofs[i];
    if (proof->gone || g_hash_table_contains(troubled, &proof->id1))
      continue;
    if (!is_proven(input, proof))
      plan->n_unproven++;
    else if (!is_old_enough(input, proof))
      plan->n_young++;
    else
      g_array_append_val(plan->ids, proof->id1);
  }
}

void
haul_removal_plan_clear(HaulRemovalPlan *plan)
{
  g_clear_pointer(&plan->ids, g_array_unref);
}
