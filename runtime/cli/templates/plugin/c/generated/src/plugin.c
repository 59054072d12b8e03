/* An adapter for {{api}}. Comments with `DECIDE` are for a person: the description of the API leaves them open. */
#include "api.h"
#include "schema.h"

FERRULE_DESCRIBE(INPUT_SCHEMA, OUTPUT_SCHEMA)

/* The operation that the input names; NULL, with the failure filled in, if it names none. */
static const api_operation *chosen(const ferrule_task *task, api_call *call, ferrule_failure *failure) {
    const ferrule_json *input = ferrule_input(task, failure);
    if (!input) return NULL;
    const ferrule_json *given = input->first;
    for (const api_operation *one = operations; one->name && given; one++) {
        if (!ferrule_same(one->name, given->name)) continue;
        const char *element = ferrule_get_text(given, "element");
        *call = (api_call){.task = task, .given = given, .element = element, .failure = failure};
        return one;
    }
    ferrule_fail(failure, FERRULE_OPERATOR, "BAD_INPUT", "the input names no operation");
    return NULL;
}

bool exports_ferrule_plugin_work_run(ferrule_task *task, ferrule_outcome *outcome, ferrule_failure *failure) {
    api_call call;
    const api_operation *operation = chosen(task, &call, failure);
    return operation && operation->run(&call, outcome);
}

bool exports_ferrule_plugin_undo_undo(ferrule_task *task, adapter_string_t *outputs_text, ferrule_outcome *outcome,
                                      ferrule_failure *failure) {
    api_call call;
    const api_operation *operation = chosen(task, &call, failure);
    const ferrule_json *output = outputs_text ? ferrule_read((const char *)outputs_text->ptr, outputs_text->len) : NULL;
    return operation && operation->undo(&call, output, outcome);
}

bool exports_ferrule_plugin_undo_resume(ferrule_task *task, adapter_string_t *answer, ferrule_outcome *outcome,
                                        ferrule_failure *failure) {
    (void)answer, (void)outcome;
    return ferrule_unexpected(task, failure);
}

bool exports_ferrule_plugin_probe_probe(ferrule_task *task, ferrule_finding *finding, ferrule_failure *failure) {
    api_call call;
    const api_operation *operation = chosen(task, &call, failure);
    return operation && operation->probe(&call, finding);
}
{{resume}}
