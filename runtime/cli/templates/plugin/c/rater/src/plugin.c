/* Charges every price whole, for the quantity of the item. Amounts are whole cents: others are left to the operator. */
#include <stdlib.h>

#include "ferrule.h"

/* Reads an amount such as `12.5` as hundredths. */
static bool read_cents(adapter_string_t text, int64_t *cents) {
    int64_t read = 0, sign = 1;
    int places = -1;
    for (size_t at = 0; at < text.len; at++) {
        char one = (char)text.ptr[at];
        if (at == 0 && one == '-') {
            sign = -1;
        } else if (one == '.' && places < 0) {
            places = 0;
        } else if (one >= '0' && one <= '9' && places < 2 && read < 1000000000000) {
            read = read * 10 + (one - '0');
            places += places >= 0;
        } else {
            return false;
        }
    }
    for (int place = places < 0 ? 0 : places; place < 2; place++) read *= 10;
    *cents = sign * read;
    return text.len > 0;
}

static adapter_string_t write_cents(int64_t cents) {
    int64_t whole = cents < 0 ? -cents : cents;
    const char *amount = ferrule_new_int(whole / 100)->text;
    const char *sign = cents < 0 ? "-" : "";
    int rest = (int)(whole % 100);
    return ferrule_string(ferrule_format("%s%s.%d%d", sign, amount, rest / 10, rest % 10));
}

/* The tax at a rate of hundredths of a per cent, rounded half away from zero. */
static int64_t tax_of(int64_t net, int64_t rate) {
    int64_t whole = net * rate, half = whole < 0 ? -5000 : 5000;
    return (whole + half) / 10000;
}

bool exports_ferrule_plugin_rating_rate(exports_ferrule_plugin_rating_request_t *request,
                                        exports_ferrule_plugin_rating_list_charge_t *charges,
                                        ferrule_failure *failure) {
    *charges = (exports_ferrule_plugin_rating_list_charge_t){0};
    if (!request->prices.len) return true;
    charges->ptr = calloc(request->prices.len, sizeof *charges->ptr);
    if (!charges->ptr) abort();
    for (size_t at = 0; at < request->prices.len; at++) {
        const exports_ferrule_plugin_rating_price_t *price = &request->prices.ptr[at];
        adapter_string_t rate = price->tax_rate.is_some ? price->tax_rate.val : request->tax_rate;
        int64_t net, per_cent;
        if (!read_cents(price->amount.amount, &net) || !read_cents(rate, &per_cent)) {
            const char *message = ferrule_format("price `%s` cannot be computed", ferrule_text(price->id));
            return ferrule_fail(failure, FERRULE_OPERATOR, "AMOUNT", message);
        }
        net *= request->quantity;
        exports_ferrule_plugin_rating_charge_t *charge = &charges->ptr[charges->len++];
        charge->price = ferrule_string(ferrule_text(price->id));
        charge->net.currency = ferrule_string(ferrule_text(price->amount.currency));
        charge->net.amount = write_cents(net);
        charge->tax.currency = ferrule_string(ferrule_text(price->amount.currency));
        charge->tax.amount = write_cents(tax_of(net, per_cent));
        charge->tax_rate.is_some = true;
        charge->tax_rate.val = ferrule_string(ferrule_text(rate));
    }
    return true;
}
