/* Reserves a VLAN and, if the input asks for it, an address. */
#include "ferrule.h"
#include "ferrule_reservation.h"

FERRULE_DESCRIBE(
    "{\"type\":\"object\",\"properties\":{"
    "\"vlans\":{\"type\":\"string\",\"description\":\"the pool of VLANs\"},"
    "\"addresses\":{\"type\":\"string\",\"description\":\"the pool of addresses, if one is wanted\"}},"
    "\"required\":[\"vlans\"],\"additionalProperties\":false}",
    "{\"type\":\"object\",\"properties\":{"
    "\"vlan\":{\"type\":\"string\",\"description\":\"the VLAN\"},"
    "\"address\":{\"type\":\"string\",\"description\":\"the address\"}},\"required\":[\"vlan\"]}")

bool exports_ferrule_plugin_allocation_allocate(ferrule_task *task, ferrule_done *done, ferrule_failure *failure) {
    const ferrule_json *input = ferrule_input(task, failure);
    if (!input) return false;
    const ferrule_json *vlans = ferrule_given(input, "vlans", FERRULE_STRING, failure);
    if (!vlans) return false;
    const char *vlan = ferrule_reserve(vlans->text, "vlan", failure);
    if (!vlan) return false;
    ferrule_json *outputs = ferrule_set(ferrule_object(), "vlan", ferrule_new_text(vlan));
    const char *addresses = ferrule_get_text(input, "addresses");
    if (addresses) {
        const char *address = ferrule_reserve(addresses, "address", failure);
        if (!address) return false;
        ferrule_set(outputs, "address", ferrule_new_text(address));
    }
    return ferrule_finish(done, outputs);
}
