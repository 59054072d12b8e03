/* The scratch space of a test. Writes are kept at once, whatever the call answers. */
#include "fake.h"

static struct { const char *key, *value; int revision; } fake_scratch[64];
static size_t fake_scratch_count;
static int fake_scratch_writes;

/* The place of a key; the count if it has no value. */
static inline size_t fake_scratch_place(adapter_string_t key) {
    size_t at = 0;
    while (at < fake_scratch_count && !(fake_scratch[at].value && fake_is(key, fake_scratch[at].key))) at++;
    return at;
}

/* The text of a key; NULL if it has none. */
static inline const char *fake_kept(const char *key) {
    size_t at = fake_scratch_place(ferrule_string(key));
    return at < fake_scratch_count ? fake_scratch[at].value : NULL;
}

/* A value that the plugin kept before. */
static inline void fake_keep(const char *key, const char *value) {
    CHECK(fake_scratch_count < 64);
    fake_scratch[fake_scratch_count].key = key;
    fake_scratch[fake_scratch_count].revision = fake_scratch_writes++;
    fake_scratch[fake_scratch_count++].value = value;
}

static inline bool fake_scratch_is(size_t at, ferrule_plugin_scratch_expected_t *expected) {
    bool is_there = at < fake_scratch_count;
    if (expected->tag == FERRULE_PLUGIN_SCRATCH_EXPECTED_ANY) return true;
    if (expected->tag == FERRULE_PLUGIN_SCRATCH_EXPECTED_ABSENT) return !is_there;
    return is_there && fake_is(expected->val.revision, ferrule_format("%d", fake_scratch[at].revision));
}

static inline bool fake_scratch_write(adapter_string_t *key, const char *value,
                                      ferrule_plugin_scratch_expected_t *expected, ferrule_failure *failure) {
    size_t at = fake_scratch_place(*key);
    if (!fake_scratch_is(at, expected)) {
        return ferrule_fail(failure, FERRULE_RETRY, "SCRATCH_CONFLICT", "the key was written meanwhile");
    }
    if (at < fake_scratch_count) fake_scratch[at].value = NULL;
    if (value) fake_keep(ferrule_text(*key), value);
    return true;
}

bool ferrule_plugin_scratch_get(adapter_string_t *key, ferrule_plugin_scratch_option_entry_t *entry,
                                ferrule_failure *failure) {
    (void)failure;
    size_t at = fake_scratch_place(*key);
    *entry = (ferrule_plugin_scratch_option_entry_t){.is_some = at < fake_scratch_count};
    if (entry->is_some) {
        adapter_string_t text = ferrule_string(fake_scratch[at].value);
        entry->val.value = (adapter_list_u8_t){(uint8_t *)text.ptr, text.len};
        entry->val.revision = ferrule_string(ferrule_format("%d", fake_scratch[at].revision));
    }
    return true;
}

bool ferrule_plugin_scratch_put(adapter_string_t *key, adapter_list_u8_t *value,
                                ferrule_plugin_scratch_expected_t *expected, ferrule_failure *failure) {
    adapter_string_t text = {(void *)value->ptr, value->len};
    return fake_scratch_write(key, ferrule_text(text), expected, failure);
}

bool ferrule_plugin_scratch_delete(adapter_string_t *key, ferrule_plugin_scratch_expected_t *expected,
                                   ferrule_failure *failure) {
    return fake_scratch_write(key, NULL, expected, failure);
}
