/* The log of a test: its last line. */
#include "fake.h"

static const char *fake_log = "";

void ferrule_plugin_log_write(ferrule_plugin_log_level_t level, adapter_string_t *message) {
    (void)level;
    fake_log = ferrule_text(*message);
}
