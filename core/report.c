/* The report: what became of every message. */
#include "report.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <mailhaul/error.h>
#include <mailhaul/message.h>
#include <mailhaul/text.h>

/* What is listed one by one, of a folder; the rest is counted. */
#define LISTED_TROUBLES 100000u

struct HaulReport {
  pthread_mutex_t mutex;
  GPtrArray *folders;    /* of HaulTally, owned */
  GHashTable *index;     /* path1 -> HaulTally, both borrowed from it */
  GStringChunk *details; /* what was said, each text once: many are told the same */
  uint64_t n_copied, n_given_up;
  unsigned n_errors;
};

static void
clear_trouble(HaulTrouble *trouble)
{
  g_free(trouble->id);
  g_free(trouble->message_id);
}

static GArray *
troubles_new(void)
{
  GArray *troubles = g_array_new(FALSE, TRUE, sizeof(HaulTrouble));
  g_array_set_clear_func(troubles, (GDestroyNotify)clear_trouble);
  return troubles;
}

static void
tally_free(HaulTally *tally)
{
  g_free(tally->path1);
  g_free(tally->path2);
  g_free(tally->failed_detail);
  g_array_unref(tally->troubles);
  g_hash_table_unref(tally->in_trouble);
  g_hash_table_unref(tally->given_up);
  g_clear_pointer(&tally->lifted, g_array_unref);
  haul_suspect_clear(&tally->suspect);
  haul_leaving_clear(&tally->leaving);
  haul_leaving_clear(&tally->leaving2);
  haul_batch_clear(&tally->batch);
  g_free(tally);
}

HaulReport *
haul_report_new(void)
{
  HaulReport *report = g_new0(HaulReport, 1);
  pthread_mutex_init(&report->mutex, NULL);
  report->folders = g_ptr_array_new_with_free_func((GDestroyNotify)tally_free);
  report->index = g_hash_table_new(g_str_hash, g_str_equal);
  report->details = g_string_chunk_new(1024);
  return report;
}

void
haul_report_free(HaulReport *report)
{
  if (report == NULL)
    return;
  g_hash_table_unref(report->index);
  g_ptr_array_unref(report->folders);
  g_string_chunk_free(report->details);
  pthread_mutex_destroy(&report->mutex);
  g_free(report);
}

HaulTally *
haul_report_folder(HaulReport *report, const char *path1, const char *path2)
{
  pthread_mutex_lock(&report->mutex);
  HaulTally *tally = g_hash_table_lookup(report->index, path1);
  if (tally == NULL) {
    tally = g_new0(HaulTally, 1);
    tally->path1 = g_strdup(path1);
    tally->path2 = g_strdup(path2);
    tally->troubles = troubles_new();
    tally->in_trouble = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tally->given_up = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_add(report->folders, tally);
    g_hash_table_insert(report->index, tally->path1, tally);
  }
  pthread_mutex_unlock(&report->mutex);
  return tally;
}

GPtrArray *
haul_report_folders(HaulReport *report)
{
  return report->folders;
}

void
haul_report_copied(HaulReport *report, HaulTally *tally, uint64_t octets)
{
  pthread_mutex_lock(&report->mutex);
  tally->n[HAUL_STATE_COPIED]++;
  tally->octets += octets;
  report->n_copied++;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_begin_anew(HaulReport *report, HaulTally *tally)
{
  pthread_mutex_lock(&report->mutex);
  tally->n[HAUL_STATE_COPIED] = 0;
  tally->octets = tally->n_linked = tally->n_moved = 0;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_linked(HaulReport *report, HaulTally *tally, bool moved)
{
  pthread_mutex_lock(&report->mutex);
  tally->n[HAUL_STATE_COPIED]++;
  tally->n_linked++;
  tally->n_moved += moved;
  report->n_copied++;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_repaired(HaulReport *report, HaulTally *tally)
{
  pthread_mutex_lock(&report->mutex);
  tally->n_repaired++;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_flags(HaulReport *report, HaulTally *tally, uint64_t n_messages)
{
  pthread_mutex_lock(&report->mutex);
  tally->n_flags += n_messages;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_created(HaulReport *report, HaulTally *tally)
{
  pthread_mutex_lock(&report->mutex);
  tally->n_created = 1;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_subscribed(HaulReport *report, HaulTally *tally)
{
  pthread_mutex_lock(&report->mutex);
  tally->n_subscribed = 1;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_foretell(HaulTally *tally, const HaulForecast *forecast)
{
  tally->n[HAUL_STATE_COPIED] += forecast->n_copied;
  tally->n_linked += forecast->n_linked;
  tally->octets += forecast->octets;
  tally->n_flags += forecast->n_flags;
  tally->leaving.n_gone += forecast->n_deleted1;
  tally->leaving2.n_gone += forecast->n_deleted2;
  tally->n_created = forecast->create;
  tally->n_subscribed = forecast->subscribe;
}

void
haul_report_trouble(HaulReport *report, HaulTally *tally, const char *id, const GError *why)
{
  pthread_mutex_lock(&report->mutex);
  if (id == NULL || g_hash_table_add(tally->in_trouble, g_strdup(id))) {
    const HaulReason *reason = haul_reason_find(haul_error_reason(why));
    tally->n[reason->state]++;
    tally->n_trouble_failed += reason->state == HAUL_STATE_FAILED;
    report->n_errors += reason->exit_code != 0 && reason->state != HAUL_STATE_TOO_BIG;
    tally->n_pseudo += strcmp(reason->code, "pseudo") == 0;
    tally->n_twice += strcmp(reason->code, "twice") == 0;
    if (tally->troubles->len < LISTED_TROUBLES) {
      HaulTrouble trouble = {
        .id = g_strdup(id),
        .reason = reason->code,
        .detail = g_string_chunk_insert_const(report->details, why->message),
        .size = HAUL_UNKNOWN,
        .date = HAUL_NO_DATE,
      };
      g_array_append_val(tally->troubles, trouble);
    }
  }
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_filtered(HaulReport *report, HaulTally *tally, HaulVerdict verdict, uint64_t n)
{
  pthread_mutex_lock(&report->mutex);
  tally->n[HAUL_STATE_FILTERED] += n;
  tally->n_left_out[verdict] = n;
  pthread_mutex_unlock(&report->mutex);
}

unsigned
haul_report_n_errors(HaulReport *report)
{
  pthread_mutex_lock(&report->mutex);
  unsigned n = report->n_errors;
  pthread_mutex_unlock(&report->mutex);
  return n;
}

bool
haul_report_is_in_trouble(HaulReport *report, const HaulTally *tally, const char *id)
{
  pthread_mutex_lock(&report->mutex);
  bool is = g_hash_table_contains(tally->in_trouble, id);
  for (guint i = 0; !is && tally->lifted != NULL && i < tally->lifted->len; i++)
    is = strcmp(g_array_index(tally->lifted, HaulTrouble, i).id, id) == 0;
  pthread_mutex_unlock(&report->mutex);
  return is;
}

void
haul_report_give_up(HaulReport *report, HaulTally *tally, const char *id, const GError *why)
{
  haul_report_trouble(report, tally, id, why);
  pthread_mutex_lock(&report->mutex);
  g_hash_table_add(tally->given_up, g_strdup(id));
  report->n_given_up++;
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_left_folder(HaulReport *report)
{
  pthread_mutex_lock(&report->mutex);
  report->n_given_up++;
  pthread_mutex_unlock(&report->mutex);
}

uint64_t
haul_report_n_given_up(HaulReport *report)
{
  pthread_mutex_lock(&report->mutex);
  uint64_t n = report->n_given_up;
  pthread_mutex_unlock(&report->mutex);
  return n;
}

static uint64_t
accounted(const HaulTally *tally)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < HAUL_N_STATES; i++)
    sum += tally->n[i];
  return sum;
}

static unsigned
lift(HaulTally *tally)
{
  GArray *kept = troubles_new(), *lifted = troubles_new();
  for (guint i = 0; i < tally->troubles->len; i++) {
    HaulTrouble *trouble = &g_array_index(tally->troubles, HaulTrouble, i);
    HaulState state = haul_reason_find(trouble->reason)->state;
    if (state == HAUL_STATE_UNFETCHABLE && trouble->id != NULL
        && g_hash_table_add(tally->given_up, g_strdup(trouble->id))) {
      g_hash_table_remove(tally->in_trouble, trouble->id);
      tally->n[state]--;
      g_array_append_val(lifted, *trouble);
    } else {
      g_array_append_val(kept, *trouble);
    }
    *trouble = (HaulTrouble){ 0 };
  }
  g_array_unref(tally->troubles);
  tally->troubles = kept;
  unsigned n = lifted->len;
  if (n > 0 && tally->lifted == NULL)
    tally->lifted = lifted;
  else
    g_array_unref(lifted);
  return n;
}

unsigned
haul_report_lift(HaulReport *report)
{
  unsigned n = 0;
  for (guint i = 0; i < report->folders->len; i++)
    n += lift(report->folders->pdata[i]);
  report->n_errors -= MIN(n, report->n_errors); /* they are tried again, and count then */
  return n;
}

bool
haul_report_has_lifted(HaulReport *report, const char *path1)
{
  const HaulTally *tally = g_hash_table_lookup(report->index, path1);
  return tally != NULL && tally->lifted != NULL;
}

void
haul_report_reached(HaulReport *report, HaulTally *tally, const char *id)
{
  pthread_mutex_lock(&report->mutex);
  for (guint i = 0; tally->lifted != NULL && i < tally->lifted->len; i++)
    if (strcmp(g_array_index(tally->lifted, HaulTrouble, i).id, id) == 0)
      g_array_remove_index(tally->lifted, i--);
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_put_back(HaulReport *report)
{
  for (guint i = 0; i < report->folders->len; i++) {
    HaulTally *tally = report->folders->pdata[i];
    uint64_t sum = accounted(tally), left = tally->source - MIN(sum, tally->source);
    for (guint k = 0; tally->lifted != NULL && k < tally->lifted->len && left > 0; k++) {
      const HaulTrouble *trouble = &g_array_index(tally->lifted, HaulTrouble, k);
      g_autoptr(GError) why = NULL;
      haul_set_error(&why, HAUL_ERROR_MESSAGE, trouble->reason, "%s", trouble->detail);
      left -= !g_hash_table_contains(tally->in_trouble, trouble->id);
      haul_report_trouble(report, tally, trouble->id, why);
    }
  }
}

void
haul_report_retry(HaulReport *report, HaulTally *tally)
{
  pthread_mutex_lock(&report->mutex);
  tally->failed = NULL;
  g_clear_pointer(&tally->failed_detail, g_free);
  pthread_mutex_unlock(&report->mutex);
}

void
haul_report_folder_failed(HaulReport *report, HaulTally *tally, const GError *why)
{
  pthread_mutex_lock(&report->mutex);
  if (tally->failed == NULL) {
    report->n_errors++;
    tally->failed = haul_reason_find(haul_error_reason(why))->code;
    tally->failed_detail = g_strdup(why->message);
  }
  pthread_mutex_unlock(&report->mutex);
}

uint64_t
haul_report_n_copied(HaulReport *report)
{
  pthread_mutex_lock(&report->mutex);
  uint64_t n = report->n_copied;
  pthread_mutex_unlock(&report->mutex);
  return n;
}

GArray *
haul_tally_troubled(const HaulTally *tally, HaulIds *ids)
{
  GArray *troubled = g_array_new(FALSE, FALSE, sizeof(HaulId));
  GHashTableIter iter;
  gpointer text;
  g_hash_table_iter_init(&iter, tally->in_trouble);
  while (g_hash_table_iter_next(&iter, &text, NULL)) {
    HaulId id = haul_id_intern(ids, text);
    g_array_append_val(troubled, id);
  }
  return troubled;
}

bool
haul_tally_is_complete(const HaulTally *tally)
{
  static const HaulState open[] = { HAUL_STATE_TOO_BIG, HAUL_STATE_REFUSED, HAUL_STATE_UNFETCHABLE,
                                    HAUL_STATE_FAILED };
  for (size_t i = 0; i < G_N_ELEMENTS(open); i++)
    if (tally->n[open[i]] > 0)
      return false;
  return tally->failed == NULL && accounted(tally) >= tally->source;
}

bool
haul_report_close(HaulReport *report, GError **error)
{
  for (guint i = 0; i < report->folders->len; i++) {
    HaulTally *tally = report->folders->pdata[i];
    uint64_t sum = accounted(tally);
    if (sum > tally->source) {
      g_autofree char *sentence = haul_tally_sentence(tally);
      haul_set_error(error, HAUL_ERROR_ACCOUNT, "account", "%s: the account does not add up: %s",
                     tally->path1, sentence);
      return false;
    }
    tally->n[HAUL_STATE_FAILED] += tally->source - sum;
  }
  return true;
}

HaulTally
haul_report_total(HaulReport *report)
{
  HaulTally total = { 0 };
  for (guint i = 0; i < report->folders->len; i++) {
    const HaulTally *tally = report->folders->pdata[i];
    total.source += tally->source;
    total.octets += tally->octets;
    total.n_linked += tally->n_linked;
    total.n_moved += tally->n_moved;
    total.n_repaired += tally->n_repaired;
    total.n_flags += tally->n_flags;
    total.n_conflicts += tally->n_conflicts;
    total.n_extra += tally->n_extra;
    total.n_created += tally->n_created;
    total.n_subscribed += tally->n_subscribed;
    total.leaving.n_gone += tally->leaving.n_gone;
    total.leaving2.n_gone += tally->leaving2.n_gone;
    total.leaving.n_unproven += tally->leaving.n_unproven;
    for (size_t state = 0; state < HAUL_N_STATES; state++)
      total.n[state] += tally->n[state];
    for (size_t verdict = 0; verdict < HAUL_N_VERDICTS; verdict++)
      total.n_left_out[verdict] += tally->n_left_out[verdict];
  }
  return total;
}

static void
add_code(int *code, int another)
{
  if (another == 0)
    return;
  *code = *code == 0 || *code == another ? another : haul_reason_find("failed")->exit_code;
}

int
haul_report_exit_code(HaulReport *report)
{
  int code = 0;
  for (guint i = 0; i < report->folders->len; i++) {
    const HaulTally *tally = report->folders->pdata[i];
    for (guint k = 0; k < tally->troubles->len; k++)
      add_code(&code,
               haul_reason_exit_code(g_array_index(tally->troubles, HaulTrouble, k).reason, 0));
    if (tally->failed != NULL)
      add_code(&code, haul_reason_exit_code(tally->failed, 0));
    else if (tally->n[HAUL_STATE_FAILED] > tally->n_trouble_failed)
      add_code(&code, haul_reason_exit_code("not-reached", 0));
  }
  return code;
}

char *
haul_tally_sentence(const HaulTally *tally)
{
  GString *text = g_string_new(NULL);
  g_string_printf(text, "%" PRIu64 " at the source =", tally->source);
  for (size_t state = 0; state < HAUL_N_STATES; state++)
    if (tally->n[state] > 0 || state <= HAUL_STATE_THERE || state == HAUL_STATE_FAILED)
      g_string_append_printf(text, "%s %" PRIu64 " %s", state == 0 ? "" : " +", tally->n[state],
                             haul_state_name((HaulState)state));
  return g_string_free(text, FALSE);
}
