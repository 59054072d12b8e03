/* Sets the speed of a line on an element that speaks REST. */
#include "ferrule.h"
#include "ferrule_config.h"
#include "ferrule_http.h"
#include "ferrule_log.h"

FERRULE_DESCRIBE(
    "{\"type\":\"object\",\"properties\":{"
    "\"element\":{\"type\":\"string\",\"description\":\"the element; its address is the setting `element.<name>`\"},"
    "\"line\":{\"type\":\"integer\",\"description\":\"the line\"}},"
    "\"required\":[\"element\",\"line\"],\"additionalProperties\":false}",
    "{\"type\":\"object\",\"properties\":{"
    "\"mbps\":{\"type\":\"integer\",\"description\":\"the speed that was set\"}},\"required\":[\"mbps\"]}")

/* The line of a task. */
typedef struct {
    const char *element, *url;
} line;

static bool find_line(const ferrule_task *task, line *found, ferrule_failure *failure) {
    const ferrule_json *input = ferrule_input(task, failure);
    if (!input) return false;
    const ferrule_json *element = ferrule_given(input, "element", FERRULE_STRING, failure);
    if (!element) return false;
    const ferrule_json *number = ferrule_given(input, "line", FERRULE_NUMBER, failure);
    if (!number) return false;
    const char *base = ferrule_require(ferrule_format("element.%s", element->text), failure);
    if (!base) return false;
    *found = (line){element->text, ferrule_format("%s/lines/%s", base, number->text)};
    return true;
}

bool exports_ferrule_plugin_work_run(ferrule_task *task, ferrule_outcome *outcome, ferrule_failure *failure) {
    const ferrule_json *mbps = ferrule_characteristic(task, "downstreamSpeed", failure);
    line line;
    ferrule_response response;
    if (!mbps || !find_line(task, &line, failure)) return false;
    ferrule_json *body = ferrule_set(ferrule_object(), "mbps", mbps);
    if (!ferrule_send(task, "PUT", line.url, body, &response, failure)) return false;
    if (!ferrule_is_success(&response)) return ferrule_refused(&response, line.element, failure);
    ferrule_log_info(ferrule_format("%s runs at %s Mb/s", line.url, mbps->text));
    return ferrule_succeed(outcome, body);
}

bool exports_ferrule_plugin_undo_undo(ferrule_task *task, adapter_string_t *outputs, ferrule_outcome *outcome,
                                      ferrule_failure *failure) {
    (void)outputs;
    line line;
    ferrule_response response;
    if (!find_line(task, &line, failure)) return false;
    if (!ferrule_send(task, "DELETE", line.url, NULL, &response, failure)) return false;
    /* Work that is not there is as good as undone. */
    if (!ferrule_is_success(&response) && response.status != 404) {
        return ferrule_refused(&response, line.element, failure);
    }
    return ferrule_succeed(outcome, NULL);
}

bool exports_ferrule_plugin_undo_resume(ferrule_task *task, adapter_string_t *answer, ferrule_outcome *outcome,
                                        ferrule_failure *failure) {
    (void)answer, (void)outcome;
    return ferrule_unexpected(task, failure);
}

bool exports_ferrule_plugin_probe_probe(ferrule_task *task, ferrule_finding *finding, ferrule_failure *failure) {
    line line;
    ferrule_response response;
    if (!find_line(task, &line, failure)) return false;
    if (!ferrule_send(task, "GET", line.url, NULL, &response, failure)) return false;
    if (response.status == 404) return ferrule_not_applied(finding);
    if (!ferrule_is_success(&response)) return ferrule_refused(&response, line.element, failure);
    /* Only a line that carries our key was set by us. */
    const ferrule_json *found = ferrule_read(response.text, strlen(response.text));
    const ferrule_json *mbps = ferrule_get(found, "mbps");
    const char *key = ferrule_get_text(found, "idempotencyKey");
    if (!mbps || !ferrule_same(key, ferrule_text(task->idempotency_key))) return ferrule_not_applied(finding);
    return ferrule_applied(finding, ferrule_set(ferrule_object(), "mbps", mbps));
}
