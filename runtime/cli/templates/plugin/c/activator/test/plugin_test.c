#include "fake_config.h"
#include "fake_http.h"
#include "fake_log.h"

#define LINE "http://olt.test/lines/7"
#define INPUT "{\"element\":\"olt-1\",\"line\":7}"

static ferrule_outcome outcome;
static ferrule_finding finding;
static ferrule_failure failure;

static void a_line_is_set_under_the_key_of_the_task(void) {
    ferrule_task task = fake_task(INPUT, "{\"downstreamSpeed\":200}");
    fake_answer("PUT", LINE, 204, "");
    CHECK(exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(fake_is(outcome.val.done.outputs, "{\"mbps\":200}"));
    CHECK(ferrule_same(fake_requests[0].body, "{\"mbps\":200}"));
    CHECK(ferrule_same(fake_requests[0].key, "key-1"));
}

static void a_lost_answer_is_retried(void) {
    ferrule_task task = fake_task(INPUT, "{\"downstreamSpeed\":200}");
    fake_no_answer("PUT", LINE, FERRULE_PLUGIN_HTTP_REASON_BROKEN);
    CHECK(!exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(failure.class_ == FERRULE_RETRY && fake_is(failure.code, "ELEMENT_UNREACHABLE"));
}

static void a_line_that_is_not_there_is_as_good_as_undone(void) {
    ferrule_task task = fake_undo(fake_task(INPUT, "{}"));
    fake_answer("DELETE", LINE, 404, "");
    CHECK(exports_ferrule_plugin_undo_undo(&task, NULL, &outcome, &failure));
}

static void only_a_line_with_the_key_of_the_task_was_set_by_it(void) {
    ferrule_task task = fake_task(INPUT, "{}");
    fake_answer("GET", LINE, 200, "{\"mbps\":200,\"idempotencyKey\":\"key-1\"}");
    CHECK(exports_ferrule_plugin_probe_probe(&task, &finding, &failure));
    CHECK(finding.tag == FERRULE_PLUGIN_TYPES_FINDING_APPLIED);
    fake_answer("GET", LINE, 200, "{\"mbps\":200,\"idempotencyKey\":\"other\"}");
    CHECK(exports_ferrule_plugin_probe_probe(&task, &finding, &failure));
    CHECK(finding.tag == FERRULE_PLUGIN_TYPES_FINDING_NOT_APPLIED);
}

int main(void) {
    fake_setting("element.olt-1", "http://olt.test");
    a_line_is_set_under_the_key_of_the_task();
    a_lost_answer_is_retried();
    a_line_that_is_not_there_is_as_good_as_undone();
    only_a_line_with_the_key_of_the_task_was_set_by_it();
    return 0;
}
