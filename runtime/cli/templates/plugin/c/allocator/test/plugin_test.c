#include "fake_reservation.h"

int main(void) {
    ferrule_done done;
    ferrule_failure failure;
    fake_pool("vlans", 100, 101);
    fake_pool("addresses", 1, 1);
    ferrule_task task = fake_task("{\"vlans\":\"vlans\"}", "{}");
    CHECK(exports_ferrule_plugin_allocation_allocate(&task, &done, &failure));
    CHECK(fake_is(done.outputs, "{\"vlan\":\"100\"}"));
    task = fake_task("{\"vlans\":\"vlans\",\"addresses\":\"addresses\"}", "{}");
    CHECK(exports_ferrule_plugin_allocation_allocate(&task, &done, &failure));
    CHECK(fake_is(done.outputs, "{\"vlan\":\"101\",\"address\":\"1\"}"));
    CHECK(!exports_ferrule_plugin_allocation_allocate(&task, &done, &failure));
    CHECK(fake_is(failure.code, "POOL_EXHAUSTED"));
    return 0;
}
