/* The settings of a test. */
#include "fake.h"

static struct { const char *name, *value; } fake_settings[32];
static size_t fake_settings_count;

static inline void fake_setting(const char *name, const char *value) {
    CHECK(fake_settings_count < 32);
    fake_settings[fake_settings_count].name = name;
    fake_settings[fake_settings_count++].value = value;
}

bool ferrule_plugin_config_get(adapter_string_t *name, adapter_string_t *value) {
    for (size_t at = 0; at < fake_settings_count; at++) {
        if (fake_is(*name, fake_settings[at].name)) {
            *value = ferrule_string(fake_settings[at].value);
            return true;
        }
    }
    return false;
}
