/* Small facts that the plugin keeps between its calls, as far as the operator granted it a scratch space. Writes are
 * committed with the answer of the call, if that is done or waits. */
#ifndef FERRULE_SCRATCH_H
#define FERRULE_SCRATCH_H

#include "ferrule.h"

/* What a writer passes instead of a revision: the last write counts, or the key has no value. */
#define FERRULE_ANY ((const char *)NULL)
#define FERRULE_ABSENT ""

/* Reads the value of a key as text, and its revision: both NULL and FERRULE_ABSENT if it has none. False, with the
 * failure filled in, if it cannot be read. */
static inline bool ferrule_kept(const char *key, const char **value, const char **revision, ferrule_failure *failure) {
    adapter_string_t wanted = ferrule_string(key);
    ferrule_plugin_scratch_option_entry_t entry;
    if (!ferrule_plugin_scratch_get(&wanted, &entry, failure)) return false;
    *value = NULL;
    *revision = FERRULE_ABSENT;
    if (entry.is_some) {
        adapter_string_t text = {(void *)entry.val.value.ptr, entry.val.value.len};
        *value = ferrule_text(text);
        *revision = ferrule_text(entry.val.revision);
    }
    return true;
}

static inline ferrule_plugin_scratch_expected_t ferrule_expected(const char *revision) {
    ferrule_plugin_scratch_expected_t expected = {.tag = FERRULE_PLUGIN_SCRATCH_EXPECTED_ANY};
    if (revision && !*revision) expected.tag = FERRULE_PLUGIN_SCRATCH_EXPECTED_ABSENT;
    if (revision && *revision) {
        expected.tag = FERRULE_PLUGIN_SCRATCH_EXPECTED_REVISION;
        expected.val.revision = ferrule_string(revision);
    }
    return expected;
}

/* Writes the value of a key, a text. `revision` is the one with which it was read, or FERRULE_ANY. */
static inline bool ferrule_keep(const char *key, const char *value, const char *revision, ferrule_failure *failure) {
    adapter_string_t wanted = ferrule_string(key), text = ferrule_string(value);
    adapter_list_u8_t bytes = {(uint8_t *)text.ptr, text.len};
    ferrule_plugin_scratch_expected_t expected = ferrule_expected(revision);
    return ferrule_plugin_scratch_put(&wanted, &bytes, &expected, failure);
}

/* Deletes the value of a key, if it has one. */
static inline bool ferrule_drop(const char *key, const char *revision, ferrule_failure *failure) {
    adapter_string_t wanted = ferrule_string(key);
    ferrule_plugin_scratch_expected_t expected = ferrule_expected(revision);
    return ferrule_plugin_scratch_delete(&wanted, &expected, failure);
}

#endif
