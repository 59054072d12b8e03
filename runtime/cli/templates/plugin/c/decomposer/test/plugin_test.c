#include "fake.h"

int main(void) {
    exports_ferrule_plugin_decomposition_list_production_t made;
    ferrule_failure failure;
    exports_ferrule_plugin_decomposition_request_t request = {
        .spec = ferrule_string("WAN"), .characteristics = ferrule_string("{\"sites\":[\"Bern\",\"Basel\"]}")};
    CHECK(exports_ferrule_plugin_decomposition_decompose(&request, &made, &failure));
    CHECK(made.len == 2 && fake_is(made.ptr[0].spec, "CFS-ACCESS"));
    CHECK(fake_is(made.ptr[1].characteristics, "{\"site\":\"Basel\"}"));
    request.characteristics = ferrule_string("{\"sites\":\"Bern\"}");
    CHECK(!exports_ferrule_plugin_decomposition_decompose(&request, &made, &failure));
    CHECK(failure.class_ == FERRULE_REJECT);
    return 0;
}
