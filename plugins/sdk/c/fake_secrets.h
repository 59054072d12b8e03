/* The secrets of a test. */
#include "fake.h"

static const char *fake_secrets[32];
static size_t fake_secrets_count;

/* A secret of the plugin, whose placeholder is `secret-<name>`. */
static inline void fake_secret(const char *name) {
    CHECK(fake_secrets_count < 32);
    fake_secrets[fake_secrets_count++] = name;
}

bool ferrule_plugin_secrets_get(adapter_string_t *name, adapter_string_t *placeholder) {
    for (size_t at = 0; at < fake_secrets_count; at++) {
        if (fake_is(*name, fake_secrets[at])) {
            *placeholder = ferrule_string(ferrule_format("secret-%s", fake_secrets[at]));
            return true;
        }
    }
    return false;
}
