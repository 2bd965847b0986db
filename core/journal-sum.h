/*
 * Sums over the rows of the state: SQLite does not notice a bit that flipped on a disk, and an id that is
 * another one takes a message for copied that is not. Rows that decide carry a sum of what they decide by.
 *
 * Whoever writes to such a row writes its sum. HAUL_PAIR_SUM() is of the row as it will be: what an UPDATE
 * sets is given instead of the column's name.
 */
#ifndef HAUL_CORE_JOURNAL_SUM_H
#define HAUL_CORE_JOURNAL_SUM_H

#include <sqlite3.h>
#include <stdbool.h>

#define HAUL_PAIR_SUM_WITHOUT_RUN(flags, keywords, gone, leaving)                                  \
  "row_sum(folder, id1, id2, size, " flags ", " keywords ", key, sha256, " gone                    \
  ", proven, " leaving ")"
/* The number of the run is added, so that rows of former schemas, without one, need no new sum. */
#define HAUL_PAIR_SUM(flags, keywords, gone, leaving)                                              \
  HAUL_PAIR_SUM_WITHOUT_RUN(flags, keywords, gone, leaving) " + ifnull(run, 0)"
/* Whether a row of pairs is as it was written. */
#define HAUL_PAIR_IS_WHOLE "sum IS " HAUL_PAIR_SUM("flags", "keywords", "gone", "leaving")

#define HAUL_FOLDER_SUM(path2, epoch1, epoch2)                                                     \
  "row_sum(number, path1, " path2 ", " epoch1 ", " epoch2 ")"
#define HAUL_FOLDER_IS_WHOLE "sum IS " HAUL_FOLDER_SUM("path2", "epoch1", "epoch2")

#define HAUL_INTENT_SUM_WITHOUT_RUN "row_sum(folder, epoch2, next_id2, made_at, cargo)"
#define HAUL_INTENT_IS_WHOLE "sum IS " HAUL_INTENT_SUM_WITHOUT_RUN " + ifnull(run, 0)"

/* Adds the sums to the tables of a schema without them. */
#define HAUL_ADD_SUMS                                                                              \
  "ALTER TABLE pair ADD COLUMN sum INTEGER; ALTER TABLE folder ADD COLUMN sum INTEGER;"            \
  "ALTER TABLE intent ADD COLUMN sum INTEGER;"                                                     \
  "UPDATE pair SET sum = " HAUL_PAIR_SUM_WITHOUT_RUN(                                              \
      "flags", "keywords", "gone",                                                                 \
      "leaving") ";"                                                                               \
                 "UPDATE folder SET sum = " HAUL_FOLDER_SUM(                                       \
                     "path2", "epoch1",                                                            \
                     "epoch2") ";"                                                                 \
                               "UPDATE intent SET sum = " HAUL_INTENT_SUM_WITHOUT_RUN ";"

/* Lets SQLite know row_sum(). */
bool haul_sum_install(sqlite3 *db);

#endif /* HAUL_CORE_JOURNAL_SUM_H */
