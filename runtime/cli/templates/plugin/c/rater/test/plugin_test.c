#include "fake.h"

int main(void) {
    exports_ferrule_plugin_rating_list_charge_t charges;
    ferrule_failure failure;
    exports_ferrule_plugin_rating_price_t price = {
        .id = ferrule_string("P-1"), .amount = {ferrule_string("EUR"), ferrule_string("49.9")}};
    exports_ferrule_plugin_rating_request_t request = {
        .prices = {&price, 1}, .quantity = 2, .tax_rate = ferrule_string("19")};
    CHECK(exports_ferrule_plugin_rating_rate(&request, &charges, &failure));
    CHECK(charges.len == 1 && fake_is(charges.ptr[0].net.amount, "99.80"));
    CHECK(fake_is(charges.ptr[0].tax.amount, "18.96"));
    price.amount.amount = ferrule_string("0.005");
    CHECK(!exports_ferrule_plugin_rating_rate(&request, &charges, &failure));
    CHECK(fake_is(failure.code, "AMOUNT"));
    return 0;
}
