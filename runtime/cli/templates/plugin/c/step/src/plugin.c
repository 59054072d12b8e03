/* Computes something of the input, without reaching outside. */
#include "ferrule.h"

FERRULE_DESCRIBE(
    "{\"type\":\"object\",\"properties\":{\"mbps\":{\"type\":\"integer\",\"description\":\"the speed in Mb/s\"}},"
    "\"required\":[\"mbps\"],\"additionalProperties\":false}",
    "{\"type\":\"object\",\"properties\":{"
    "\"profile\":{\"type\":\"string\",\"description\":\"the name of the profile\"}},\"required\":[\"profile\"]}")

bool exports_ferrule_plugin_work_run(ferrule_task *task, ferrule_outcome *outcome, ferrule_failure *failure) {
    const ferrule_json *input = ferrule_input(task, failure);
    int64_t mbps;
    if (!input) return false;
    if (!ferrule_get_int(input, "mbps", &mbps)) {
        return ferrule_fail(failure, FERRULE_OPERATOR, "BAD_INPUT", "`mbps` of the input is no whole number");
    }
    if (mbps < 1) return ferrule_fail(failure, FERRULE_REJECT, "SPEED_INVALID", "`mbps` must be at least 1");
    const char *profile = mbps <= 100 ? "bronze" : mbps <= 500 ? "silver" : "gold";
    return ferrule_succeed(outcome, ferrule_set(ferrule_object(), "profile", ferrule_new_text(profile)));
}
