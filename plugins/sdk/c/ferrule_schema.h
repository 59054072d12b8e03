/* Checks JSON against the JSON Schema (draft 2020-12) that a plugin declares. The SDKs for JavaScript and Python check the
 * same keywords, and `pattern`, and word what is wrong alike. */
#ifndef FERRULE_SCHEMA_H
#define FERRULE_SCHEMA_H

#include "ferrule.h"

/* What is wrong with a value. */
typedef struct {
    /* Where, such as `lines[0].mbps`; NULL if nothing is wrong. */
    const char *path;
    const char *expected, *got;
    int depth;
} ferrule_mismatch;

/* The first thing that is wrong with a value by a schema. */
ferrule_mismatch ferrule_check(const ferrule_json *schema, const ferrule_json *value);

/* A keyword of a schema that is not checked; NULL if there is none. */
const char *ferrule_unknown_keyword(const ferrule_json *schema);

#endif
