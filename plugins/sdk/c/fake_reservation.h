/* The pools of a test: the next value of each. */
#include "fake.h"

static struct { const char *pool; int next, last; } fake_pools[16];
static size_t fake_pools_count;

/* A pool of the numbers from one to another. */
static inline void fake_pool(const char *pool, int first, int last) {
    CHECK(fake_pools_count < 16);
    fake_pools[fake_pools_count].pool = pool;
    fake_pools[fake_pools_count].next = first;
    fake_pools[fake_pools_count++].last = last;
}

bool ferrule_plugin_reservation_reserve(ferrule_plugin_reservation_request_t *request,
                                        ferrule_plugin_reservation_reserved_t *reserved, ferrule_failure *failure) {
    for (size_t at = 0; at < fake_pools_count; at++) {
        if (!fake_is(request->pool, fake_pools[at].pool)) continue;
        if (fake_pools[at].next > fake_pools[at].last) {
            return ferrule_fail(failure, FERRULE_OPERATOR, "POOL_EXHAUSTED", "the pool has no free value");
        }
        *reserved = (ferrule_plugin_reservation_reserved_t){
            .pool = request->pool, .value = ferrule_string(ferrule_format("%d", fake_pools[at].next++))};
        return true;
    }
    return ferrule_fail(failure, FERRULE_OPERATOR, "UNKNOWN_POOL", "there is no such pool");
}
