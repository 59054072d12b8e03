/* The log that is kept with the attempt. */
#ifndef FERRULE_LOG_H
#define FERRULE_LOG_H

#include "ferrule.h"

static inline void ferrule_log(int level, const char *message) {
    adapter_string_t line = ferrule_string(message);
    ferrule_plugin_log_write((ferrule_plugin_log_level_t)level, &line);
}

/* For the people who follow the order. */
static inline void ferrule_log_info(const char *message) {
    ferrule_log(FERRULE_PLUGIN_LOG_LEVEL_INFO, message);
}

/* Something is odd, the work goes on. */
static inline void ferrule_log_warn(const char *message) {
    ferrule_log(FERRULE_PLUGIN_LOG_LEVEL_WARN, message);
}

#endif
