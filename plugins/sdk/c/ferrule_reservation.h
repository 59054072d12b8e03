/* Values of pools, as far as the operator granted them. */
#ifndef FERRULE_RESERVATION_H
#define FERRULE_RESERVATION_H

#include "ferrule.h"

/* Reserves the next free value of a pool; NULL, with the failure filled in, if there is none. */
static inline const char *ferrule_reserve(const char *pool, const char *name, ferrule_failure *failure) {
    ferrule_plugin_reservation_request_t request = {.pool = ferrule_string(pool), .name = ferrule_string(name)};
    ferrule_plugin_reservation_reserved_t reserved;
    return ferrule_plugin_reservation_reserve(&request, &reserved, failure) ? ferrule_text(reserved.value) : NULL;
}

#endif
