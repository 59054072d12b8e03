/* Write a Ferrule plugin in C: texts, JSON, the task, and answers. A call has an instance of its own, so
 * nothing is ever freed. The parts of the host are in headers of their own: include those that
 * `wit/world.wit` imports. */
#ifndef FERRULE_H
#define FERRULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapter.h"

/* --- Texts ------------------------------------------------------------------------------------------- */

/* A text of the contract as a text of C. */
const char *ferrule_text(adapter_string_t text);

/* A copy of a text for the contract. */
adapter_string_t ferrule_string(const char *text);

/* A text with `%s` (text), `%d` (int) and `%%` filled in. */
const char *ferrule_format(const char *format, ...);

bool ferrule_same(const char *left, const char *right);

/* --- JSON -------------------------------------------------------------------------------------------- */

typedef enum {
    FERRULE_NULL,
    FERRULE_BOOL,
    FERRULE_NUMBER,
    FERRULE_STRING,
    FERRULE_ARRAY,
    FERRULE_OBJECT,
} ferrule_kind;

/* A JSON value. */
typedef struct ferrule_json {
    ferrule_kind kind;
    bool boolean;
    /* A string, or a number as it is written. */
    const char *text;
    /* Its name, of a member of an object. */
    const char *name;
    /* The first entry or member, and the one after this. */
    struct ferrule_json *first, *next;
} ferrule_json;

/* Reads JSON; NULL if it is none, or has more than 128 levels. */
ferrule_json *ferrule_read(const char *text, size_t length);

/* Writes JSON. */
const char *ferrule_write(const ferrule_json *value);

/* The member of an object; NULL if there is none, or it is null. */
const ferrule_json *ferrule_get(const ferrule_json *object, const char *name);

/* The text of a member; NULL if it is no string. */
const char *ferrule_get_text(const ferrule_json *object, const char *name);

/* The number of a member; false if it is no whole number. */
bool ferrule_get_int(const ferrule_json *object, const char *name, int64_t *number);

ferrule_json *ferrule_object(void);
ferrule_json *ferrule_array(void);
ferrule_json *ferrule_new_text(const char *text);
ferrule_json *ferrule_new_int(int64_t number);
ferrule_json *ferrule_new_bool(bool value);

/* Puts a value into an object under a name, after the others; returns the object. */
ferrule_json *ferrule_set(ferrule_json *object, const char *name, const ferrule_json *value);

/* Adds a value to an array; returns the array. */
ferrule_json *ferrule_add(ferrule_json *array, const ferrule_json *value);

/* --- Tasks and answers ------------------------------------------------------------------------------- */

typedef ferrule_plugin_types_failure_t ferrule_failure;

/* Who must act on a failure. */
#define FERRULE_RETRY FERRULE_PLUGIN_TYPES_FAILURE_CLASS_RETRY
#define FERRULE_REJECT FERRULE_PLUGIN_TYPES_FAILURE_CLASS_REJECT
#define FERRULE_OPERATOR FERRULE_PLUGIN_TYPES_FAILURE_CLASS_OPERATOR

/* Fails: `return ferrule_fail(failure, FERRULE_REJECT, "VLAN_BUSY", "...");`. Returns false. */
bool ferrule_fail(ferrule_failure *failure, int who, const char *code, const char *message);

/* The same with a minimum delay of the retry. */
bool ferrule_retry_after(ferrule_failure *failure, const char *code, const char *message, uint32_t ms);

typedef ferrule_plugin_types_task_t ferrule_task;
typedef ferrule_plugin_types_done_t ferrule_done;
typedef ferrule_plugin_types_outcome_t ferrule_outcome;
typedef ferrule_plugin_types_finding_t ferrule_finding;

/* The input of a task; NULL, with the failure filled in, if it is not as `FERRULE_DESCRIBE` declares it, or no object. */
const ferrule_json *ferrule_input(const ferrule_task *task, ferrule_failure *failure);

/* A mandatory member of the input; NULL, with the failure filled in, if it is missing or of another kind. */
const ferrule_json *ferrule_given(const ferrule_json *input, const char *name, ferrule_kind kind, ferrule_failure *failure);

/* A mandatory characteristic of the item; NULL, with the failure filled in, if it is missing. */
const ferrule_json *ferrule_characteristic(const ferrule_task *task, const char *name, ferrule_failure *failure);

/* The step is done, with these outputs; NULL for none. All of these return true. */
bool ferrule_finish(ferrule_done *done, const ferrule_json *outputs);
bool ferrule_succeed(ferrule_outcome *outcome, const ferrule_json *outputs);

/* The element will answer later, under the key of the task. The component must export `callbacks`. */
bool ferrule_wait(ferrule_outcome *outcome, const ferrule_task *task, uint32_t timeout_ms);

/* The work was applied, or was not. */
bool ferrule_applied(ferrule_finding *finding, const ferrule_json *outputs);
bool ferrule_not_applied(ferrule_finding *finding);

/* An answer came for a task that never waits: what `resume` of most plugins is. */
bool ferrule_unexpected(const ferrule_task *task, ferrule_failure *failure);

/* The JSON Schema that `ferrule_input` checks; NULL for any object. */
extern const char *ferrule_input_schema;

/* Describes the input and the outputs, each a JSON Schema as text. */
#define FERRULE_DESCRIBE(input_schema, output_schema)                                                         \
    const char *ferrule_input_schema = input_schema;                                                         \
    void exports_ferrule_plugin_description_describe(exports_ferrule_plugin_description_schemas_t *schemas) { \
        *schemas = (exports_ferrule_plugin_description_schemas_t){                                           \
            .input = {true, ferrule_string(input_schema)},                                                   \
            .output = {true, ferrule_string(output_schema)},                                                 \
        };                                                                                                   \
    }

#endif
