/* The settings that the operator gave this plugin. */
#ifndef FERRULE_CONFIG_H
#define FERRULE_CONFIG_H

#include "ferrule.h"

/* The value of a setting; NULL if it is not set. */
static inline const char *ferrule_setting(const char *name) {
    adapter_string_t wanted = ferrule_string(name), value;
    return ferrule_plugin_config_get(&wanted, &value) ? ferrule_text(value) : NULL;
}

/* The value of a mandatory setting; NULL, with the failure filled in, if it is not set. */
static inline const char *ferrule_require(const char *name, ferrule_failure *failure) {
    const char *value = ferrule_setting(name);
    if (value) return value;
    const char *message = ferrule_format(
        "setting `%s` is missing; add `\"%s\" = \"...\"` under `[plugins.<id>.config]` in the operator's ferrule.toml",
        name, name);
    ferrule_fail(failure, FERRULE_OPERATOR, "SETTING_MISSING", message);
    return NULL;
}

#endif
