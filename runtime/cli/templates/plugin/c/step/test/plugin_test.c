#include "fake.h"

int main(void) {
    ferrule_outcome outcome;
    ferrule_failure failure;
    ferrule_task task = fake_task("{\"mbps\":200}", "{}");
    CHECK(exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(fake_is(outcome.val.done.outputs, "{\"profile\":\"silver\"}"));
    task = fake_task("{\"mbps\":0}", "{}");
    CHECK(!exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(failure.class_ == FERRULE_REJECT && fake_is(failure.code, "SPEED_INVALID"));
    task = fake_task("[", "{}");
    CHECK(!exports_ferrule_plugin_work_run(&task, &outcome, &failure));
    CHECK(fake_is(failure.code, "BAD_INPUT"));
    return 0;
}
