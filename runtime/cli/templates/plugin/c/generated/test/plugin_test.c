#include "fake_config.h"
#include "fake_http.h"

#include "api.h"

static ferrule_outcome outcome;
static ferrule_finding finding;
static ferrule_failure failure;

/* A request of a case; NULL if it has none. */
static const ferrule_json *request_of(const ferrule_json *one, const char *name) {
    const ferrule_json *request = ferrule_get(one, name);
    return request && request->kind == FERRULE_OBJECT ? request : NULL;
}

/* Begins anew: one request is answered, with JSON or nothing. */
static void answer(const ferrule_json *request, int status, const ferrule_json *body) {
    fake_answers_count = fake_requests_count = 0;
    if (!request) return;
    const char *method = ferrule_get_text(request, "method"), *url = ferrule_get_text(request, "url");
    fake_answer(method, url, status, body ? ferrule_write(body) : "");
}

static ferrule_task task_of(const ferrule_json *one) {
    return fake_task(ferrule_write(ferrule_get(one, "input")), "{}");
}

/* How a run ended: `done`, the key that is waited under, or the code of its failure. */
static const char *run(const ferrule_json *one) {
    ferrule_task task = task_of(one);
    if (!exports_ferrule_plugin_work_run(&task, &outcome, &failure)) return ferrule_text(failure.code);
    if (outcome.tag == FERRULE_PLUGIN_TYPES_OUTCOME_DONE) return "done";
    return ferrule_text(outcome.val.waiting.keys.ptr[0]);
}

static int status_of(const ferrule_json *answered) {
    int64_t status = 0;
    CHECK(ferrule_get_int(answered, "status", &status));
    return (int)status;
}

static bool is_same(const ferrule_json *one, const ferrule_json *other) {
    return api_agrees(one, other) && api_agrees(other, one);
}

static void its_request_is_sent_under_the_key_of_the_task(const ferrule_json *one) {
    const ferrule_json *request = request_of(one, "request"), *answered = ferrule_get(one, "answer");
    answer(request, status_of(answered), ferrule_get(answered, "body"));
    CHECK(ferrule_same(run(one), "done"));
    adapter_string_t text = outcome.val.done.outputs;
    CHECK(is_same(ferrule_read((const char *)text.ptr, text.len), ferrule_get(one, "outputs")));
    const ferrule_json *body = ferrule_get(request, "body");
    const char *sent = fake_requests[0].body;
    CHECK(fake_requests_count == 1 && ferrule_same(fake_requests[0].key, "key-1"));
    CHECK(body ? is_same(ferrule_read(sent, strlen(sent)), body) : !*sent);
}

static void a_lost_answer_is_retried_and_a_refusal_is_for_the_operator(const ferrule_json *one) {
    const ferrule_json *request = request_of(one, "request");
    answer(NULL, 0, NULL);
    fake_no_answer(ferrule_get_text(request, "method"), ferrule_get_text(request, "url"), FERRULE_PLUGIN_HTTP_REASON_BROKEN);
    CHECK(!ferrule_same(run(one), "done") && failure.class_ == FERRULE_RETRY);
    answer(request, 400, NULL);
    CHECK(!ferrule_same(run(one), "done") && failure.class_ == FERRULE_OPERATOR);
}

static void accepted_work_is_not_taken_for_done(const ferrule_json *one) {
    answer(request_of(one, "request"), 202, NULL);
    CHECK(ferrule_same(run(one), ferrule_get_text(one, "accepted")));
}

static void it_is_undone_also_if_it_is_not_there(const ferrule_json *one) {
    const int statuses[] = {204, 404};
    for (int at = 0; at < 2; at++) {
        ferrule_task task = fake_undo(task_of(one));
        adapter_string_t outputs_text = ferrule_string(ferrule_write(ferrule_get(one, "outputs")));
        const ferrule_json *undo = request_of(one, "undo");
        answer(undo, statuses[at], NULL);
        bool is_undone = exports_ferrule_plugin_undo_undo(&task, &outputs_text, &outcome, &failure);
        bool is_undecided = ferrule_get(one, "undoUndecided")->boolean;
        CHECK(is_undecided ? !is_undone && fake_is(failure.code, "UNDO_UNDECIDED") : is_undone);
        CHECK(fake_requests_count == (undo ? 1 : 0));
    }
}

static void a_probe_finds_its_work(const ferrule_json *one) {
    for (const ferrule_json *probed = ferrule_get(one, "probes")->first; probed; probed = probed->next) {
        const ferrule_json *answered = ferrule_get(probed, "answer");
        const char *expected = ferrule_get_text(probed, "finding");
        ferrule_task task = task_of(one);
        answer(request_of(probed, "request"), answered ? status_of(answered) : 0, ferrule_get(answered, "body"));
        bool is_found = exports_ferrule_plugin_probe_probe(&task, &finding, &failure);
        if (ferrule_same(expected, "undecided")) {
            CHECK(!is_found && fake_is(failure.code, "PROBE_UNDECIDED"));
            continue;
        }
        bool is_applied = finding.tag == FERRULE_PLUGIN_TYPES_FINDING_APPLIED;
        CHECK(is_found && is_applied == ferrule_same(expected, "applied"));
    }
}

int main(void) {
    static char text[1 << 22];
    FILE *file = fopen("test/cases.json", "r");
    CHECK(file);
    const ferrule_json *cases = ferrule_read(text, fread(text, 1, sizeof text, file));
    CHECK(cases && fclose(file) == 0);
    fake_setting("element.main", "http://element.test");
{{settings}}    for (const ferrule_json *one = cases->first; one; one = one->next) {
        its_request_is_sent_under_the_key_of_the_task(one);
        a_lost_answer_is_retried_and_a_refusal_is_for_the_operator(one);
        accepted_work_is_not_taken_for_done(one);
        it_is_undone_also_if_it_is_not_there(one);
        a_probe_finds_its_work(one);
    }
    return 0;
}
