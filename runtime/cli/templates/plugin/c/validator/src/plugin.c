/* Rejects an order without a contact. */
#include "ferrule.h"

FERRULE_DESCRIBE("{\"type\":\"object\",\"properties\":{\"relatedParty\":{\"type\":\"array\","
                 "\"description\":\"the parties of the order\"}}}",
                 "{\"type\":\"object\",\"properties\":{"
                 "\"contacts\":{\"type\":\"integer\",\"description\":\"the number of contacts\"}},"
                 "\"required\":[\"contacts\"]}")

bool exports_ferrule_plugin_validation_validate(ferrule_task *task, ferrule_done *done, ferrule_failure *failure) {
    const ferrule_json *order = ferrule_input(task, failure);
    if (!order) return false;
    const ferrule_json *parties = ferrule_get(order, "relatedParty");
    int64_t contacts = 0;
    for (const ferrule_json *party = parties ? parties->first : NULL; party; party = party->next) {
        contacts += ferrule_same(ferrule_get_text(party, "role"), "contact");
    }
    if (!contacts) {
        const char *message = "the order has no contact: add a `relatedParty` with the role `contact`";
        return ferrule_fail(failure, FERRULE_REJECT, "CONTACT_MISSING", message);
    }
    return ferrule_finish(done, ferrule_set(ferrule_object(), "contacts", ferrule_new_int(contacts)));
}
