/* What is told of messages that were not copied, besides their id: Message-Id, size and date, asked for when all else is done. */
#ifndef HAUL_CORE_DESCRIBING_H
#define HAUL_CORE_DESCRIBING_H

#include "report.h"
#include "store.h"

/* Asks the source for it, where it can tell. That it cannot leaves the report less detailed, and is no error. */
void haul_describe_troubles(HaulReport *report, HaulOpenStore *store1);

#endif /* HAUL_CORE_DESCRIBING_H */
