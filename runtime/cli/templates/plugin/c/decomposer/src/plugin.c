/* Makes one access for each site of an item. */
#include <stdlib.h>

#include "ferrule.h"

bool exports_ferrule_plugin_decomposition_decompose(exports_ferrule_plugin_decomposition_request_t *request,
                                                    exports_ferrule_plugin_decomposition_list_production_t *made,
                                                    ferrule_failure *failure) {
    const ferrule_json *item = ferrule_read((const char *)request->characteristics.ptr, request->characteristics.len);
    const ferrule_json *sites = ferrule_get(item, "sites");
    if (sites && sites->kind != FERRULE_ARRAY) {
        return ferrule_fail(failure, FERRULE_REJECT, "CHARACTERISTIC_INVALID", "`sites` is no list");
    }
    size_t count = 0;
    for (const ferrule_json *site = sites ? sites->first : NULL; site; site = site->next) count++;
    *made = (exports_ferrule_plugin_decomposition_list_production_t){0};
    if (!count) return true;
    made->ptr = calloc(count, sizeof *made->ptr);
    if (!made->ptr) abort();
    for (const ferrule_json *site = sites->first; site; site = site->next) {
        const ferrule_json *characteristics = ferrule_set(ferrule_object(), "site", site);
        made->ptr[made->len].spec = ferrule_string("CFS-ACCESS");
        made->ptr[made->len++].characteristics = ferrule_string(ferrule_write(characteristics));
    }
    return true;
}
