/*
 * JSON for programs: events, a line each, on standard output, and whole documents. (A library for JSON would
 * cost every run its start-up; writing needs none.)
 */
#ifndef HAUL_CORE_JSON_H
#define HAUL_CORE_JSON_H

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

/* An object in the making; names are literals, texts any octets: what is not UTF-8 is escaped. In an array,
 * @name is NULL. */
GString *haul_json_begin(const char *event);
void haul_json_text(GString *json, const char *name, const char *text); /* NULL: null */
void haul_json_number(GString *json, const char *name, uint64_t number);
void haul_json_null(GString *json, const char *name);
/* What is added in between lies in an object '{', or an array '[', of its own. */
void haul_json_open(GString *json, const char *name, char bracket);
void haul_json_close(GString *json, char bracket);
/* Writes the line and frees @json. */
void haul_json_end(GString *json, FILE *out);

#endif /* HAUL_CORE_JSON_H */
