/* Sums over the rows of the state. */
#include "journal-sum.h"

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, folded to 32 bits: against accidents, not against whoever may write to the file. */
static void
feed(uint64_t *sum, const void *octets, size_t n)
{
  const uint8_t *at = octets;
  for (size_t i = 0; i < n; i++)
    *sum = (*sum ^ at[i]) * UINT64_C(0x100000001b3);
}

static void
row_sum(sqlite3_context *context, int n_values, sqlite3_value **values)
{
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  for (int i = 0; i < n_values; i++) {
    uint8_t type = (uint8_t)sqlite3_value_type(values[i]);
    feed(&sum, &type, sizeof type);
    if (type == SQLITE_INTEGER) {
      int64_t number = sqlite3_value_int64(values[i]);
      feed(&sum, &number, sizeof number);
    } else if (type != SQLITE_NULL) {
      const void *octets = sqlite3_value_blob(values[i]);
      uint32_t size = (uint32_t)sqlite3_value_bytes(values[i]);
      feed(&sum, &size, sizeof size);
      feed(&sum, octets, octets != NULL ? size : 0);
    }
  }
  sqlite3_result_int64(context, (int64_t)((sum ^ sum >> 32) & UINT32_MAX));
}

bool
haul_sum_install(sqlite3 *db)
{
  return sqlite3_create_function_v2(db, "row_sum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                    row_sum, NULL, NULL, NULL)
         == SQLITE_OK;
}
