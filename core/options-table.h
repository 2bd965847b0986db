/* The options that there are, and how each is carried out. */
#ifndef HAUL_CORE_OPTIONS_TABLE_H
#define HAUL_CORE_OPTIONS_TABLE_H

#include "options.h"

typedef struct HaulOption HaulOption;

/* @side is 0 or 1, and means nothing to an option without sides; @value is NULL where it takes none. */
typedef bool (*HaulApplyFunc)(HaulOptions *options, const HaulOption *option, unsigned side,
                              const char *value, GError **error);

struct HaulOption {
  const char *name;  /* without its side */
  bool sided;        /* written with a 1 or 2 behind it */
  const char *value; /* how help calls it; NULL: takes none */
  HaulApplyFunc apply;
  const char *help;
  /* What apply needs: of the members of HaulOptions, where one lies; of the settings of backends, a key. */
  size_t offset;
  const char *key;
  uint64_t min, max;          /* numbers */
  const char *const *choices; /* NULL-terminated: words whose place is the value */
};

/* Returns the table, of *n options. */
const HaulOption *haul_options_table(size_t *n);

/* Finds the option that @name (with its side, if any) means; *side gets 0 or 1. NULL if there is none. */
const HaulOption *haul_options_find(const char *name, unsigned *side);

/* Adds a setting of a backend. */
void haul_options_add_setting(HaulSideOptions *side, const char *key, const char *value);

/* Of options-select.c: a size such as 500K as octets, days with a fraction as seconds,
 * a number with a fraction, a number of errors, a search key. */
bool haul_apply_size(HaulOptions *options, const HaulOption *option, unsigned side,
                     const char *value, GError **error);
bool haul_apply_days(HaulOptions *options, const HaulOption *option, unsigned side,
                     const char *value, GError **error);
bool haul_apply_rate(HaulOptions *options, const HaulOption *option, unsigned side,
                     const char *value, GError **error);
bool haul_apply_errors(HaulOptions *options, const HaulOption *option, unsigned side,
                       const char *value, GError **error);
bool haul_apply_search(HaulOptions *options, const HaulOption *option, unsigned side,
                       const char *value, GError **error);

#endif /* HAUL_CORE_OPTIONS_TABLE_H */
