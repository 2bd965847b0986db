/* What becomes of the flags of a copy: pure, no I/O. */
#include "plan-flags.h"

/* The flags that the copy shall have, by what both sides did since they agreed on @base. */
static uint32_t
merge_flags(HaulFlagsMode mode, uint32_t base, uint32_t source, uint32_t destination)
{
  switch (mode) {
  case HAUL_FLAGS_NONE:
    return destination;
  case HAUL_FLAGS_ADD:
    return destination | source;
  case HAUL_FLAGS_SOURCE:
    return source;
  case HAUL_FLAGS_MERGE:
  default:
    return (destination | (source & ~base)) & ~(base & ~source);
  }
}

static uint32_t
merge_keywords(HaulKeywords *keywords, HaulFlagsMode mode, uint32_t base, uint32_t source,
               uint32_t destination)
{
  switch (mode) {
  case HAUL_FLAGS_NONE:
    return destination;
  case HAUL_FLAGS_ADD:
    return haul_keywords_plus(keywords, destination, source);
  case HAUL_FLAGS_SOURCE:
    return source;
  case HAUL_FLAGS_MERGE:
  default: {
    uint32_t gained = haul_keywords_minus(keywords, source, base);
    uint32_t lost = haul_keywords_minus(keywords, base, source);
    return haul_keywords_minus(keywords, haul_keywords_plus(keywords, destination, gained), lost);
  }
  }
}

/* What both sides agree on once the mode has had its way: what it does not carry over stays open, for a
 * later run in another mode. */
static uint32_t
agreed_flags(HaulFlagsMode mode, uint32_t base, uint32_t source)
{
  return mode == HAUL_FLAGS_NONE ? base : mode == HAUL_FLAGS_ADD ? base | source : source;
}

static uint32_t
agreed_keywords(HaulKeywords *keywords, HaulFlagsMode mode, uint32_t base, uint32_t source)
{
  return mode == HAUL_FLAGS_NONE  ? base
         : mode == HAUL_FLAGS_ADD ? haul_keywords_plus(keywords, base, source)
                                  : source;
}

bool
haul_plan_flags(HaulFlagsMode mode, HaulKeywords *keywords, const HaulEntry *source,
                const HaulEntry *copy, HaulRebase *agreed, HaulAction *action)
{
  uint32_t flags = merge_flags(mode, agreed->flags, source->flags, copy->flags);
  uint32_t words =
      merge_keywords(keywords, mode, agreed->keywords, source->keywords, copy->keywords);
  *agreed = (HaulRebase){ source->id, agreed_flags(mode, agreed->flags, source->flags),
                          agreed_keywords(keywords, mode, agreed->keywords, source->keywords) };
  if (flags == copy->flags && words == copy->keywords)
    return false;
  *action = (HaulAction){
    .deed = HAUL_DO_FLAGS,
    .flags = { .id1 = source->id,
               .id2 = copy->id,
               .add = flags & ~copy->flags,
               .remove = copy->flags & ~flags,
               .add_keywords = haul_keywords_minus(keywords, words, copy->keywords),
               .remove_keywords = haul_keywords_minus(keywords, copy->keywords, words),
               .flags = agreed->flags,
               .keywords = agreed->keywords },
  };
  return true;
}
