/*
 * Events for programs: JSON objects, a line each, on standard output. (A library for JSON would cost
 * every run its start-up; a line of flat members needs none.)
 */
#ifndef HAUL_CORE_JSON_H
#define HAUL_CORE_JSON_H

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

/* An object in the making; names are literals, texts any octets: what is not UTF-8 is escaped. */
GString *haul_json_begin(const char *event);
void haul_json_text(GString *json, const char *name, const char *text); /* NULL: null */
void haul_json_number(GString *json, const char *name, uint64_t number);
/* Writes the line and frees @json. */
void haul_json_end(GString *json, FILE *out);

#endif /* HAUL_CORE_JSON_H */
