#include "fake.h"

int main(void) {
    ferrule_done done;
    ferrule_failure failure;
    ferrule_task task = fake_task("{\"relatedParty\":[{\"role\":\"contact\"},{\"role\":\"payer\"}]}", "{}");
    CHECK(exports_ferrule_plugin_validation_validate(&task, &done, &failure));
    CHECK(fake_is(done.outputs, "{\"contacts\":1}"));
    task = fake_task("{\"relatedParty\":[]}", "{}");
    CHECK(!exports_ferrule_plugin_validation_validate(&task, &done, &failure));
    CHECK(fake_is(failure.code, "CONTACT_MISSING"));
    return 0;
}
