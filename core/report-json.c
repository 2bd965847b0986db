/* What became of messages, as members of a JSON object. */
#include "report-json.h"

#include <mailhaul/message.h>

#include "json.h"

void
haul_report_json_numbers(GString *json, const HaulTally *tally)
{
  haul_json_number(json, "source", tally->source);
  for (size_t state = 0; state < HAUL_N_STATES; state++)
    haul_json_number(json, haul_state_key((HaulState)state), tally->n[state]);
  haul_json_number(json, "filtered_by_size", tally->n_left_out[HAUL_VERDICT_SIZE]);
  haul_json_number(json, "filtered_by_age", tally->n_left_out[HAUL_VERDICT_AGE]);
  haul_json_number(json, "filtered_by_search", tally->n_left_out[HAUL_VERDICT_SEARCH]);
  haul_json_number(json, "linked", tally->n_linked);
  haul_json_number(json, "moved", tally->n_moved);
  haul_json_number(json, "repaired", tally->n_repaired);
  haul_json_number(json, "octets", tally->octets);
  haul_json_number(json, "flags_changed", tally->n_flags);
  haul_json_number(json, "deleted_at_source", tally->leaving.n_gone);
  haul_json_number(json, "deleted_at_destination", tally->leaving2.n_gone);
  haul_json_number(json, "extra", tally->n_extra);
  haul_json_number(json, "created", tally->n_created);
  haul_json_number(json, "subscribed", tally->n_subscribed);
}

char *
haul_report_time(int64_t seconds)
{
  g_autoptr(GDateTime) time =
      seconds != HAUL_NO_DATE ? g_date_time_new_from_unix_utc(seconds) : NULL;
  return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

void
haul_report_json_trouble(GString *json, const HaulTrouble *trouble)
{
  g_autofree char *date = haul_report_time(trouble->date);
  haul_json_text(json, "id", trouble->id);
  haul_json_text(json, "reason", trouble->reason);
  haul_json_text(json, "detail", trouble->detail);
  haul_json_text(json, "message_id", trouble->message_id);
  if (trouble->size == HAUL_UNKNOWN)
    haul_json_null(json, "size");
  else
    haul_json_number(json, "size", trouble->size);
  haul_json_text(json, "date", date);
}
