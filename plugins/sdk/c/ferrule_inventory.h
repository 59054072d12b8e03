/* Documents of the inventories, as far as the operator granted them. */
#ifndef FERRULE_INVENTORY_H
#define FERRULE_INVENTORY_H

#include "ferrule.h"

/* Reads the document of a kind with an id: NULL if there is none. False, with the failure filled in, if it may
 * not be read. */
static inline bool ferrule_document(const char *kind, const char *id, const ferrule_json **found, ferrule_failure *failure) {
    adapter_string_t of = ferrule_string(kind), wanted = ferrule_string(id);
    ferrule_plugin_inventory_option_json_t text;
    if (!ferrule_plugin_inventory_get(&of, &wanted, &text, failure)) return false;
    *found = text.is_some ? ferrule_read((const char *)text.val.ptr, text.val.len) : NULL;
    return true;
}

#endif
