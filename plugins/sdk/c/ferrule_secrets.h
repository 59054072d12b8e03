/* Secrets of the operator. The plugin never has a value: it gets a placeholder, which it puts into a header or the body
 * of a request, and the host puts the value in on the way to a place that the secret was granted for. */
#ifndef FERRULE_SECRETS_H
#define FERRULE_SECRETS_H

#include "ferrule.h"

/* The placeholder of a secret; NULL if it was not granted or has no value, which the log explains. */
static inline const char *ferrule_secret(const char *name) {
    adapter_string_t wanted = ferrule_string(name), placeholder;
    return ferrule_plugin_secrets_get(&wanted, &placeholder) ? ferrule_text(placeholder) : NULL;
}

/* The placeholder of a mandatory secret; NULL, with the failure filled in, if there is none. */
static inline const char *ferrule_require_secret(const char *name, ferrule_failure *failure) {
    const char *placeholder = ferrule_secret(name);
    if (placeholder) return placeholder;
    const char *message = ferrule_format(
        "secret `%s` is missing; grant it under `[plugins.<id>.secrets]` in the operator's ferrule.toml, the log has "
        "the lines",
        name);
    ferrule_fail(failure, FERRULE_OPERATOR, "SECRET_MISSING", message);
    return NULL;
}

/* The header `Authorization` of a user and a password, which may be a placeholder: the host reads the base64 of this
 * header. */
static inline const char *ferrule_basic(const char *user, const char *password) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    adapter_string_t text = ferrule_string(ferrule_format("%s:%s", user, password));
    /* Base64 has four characters for three bytes, so twice the text is room enough. */
    adapter_string_t room = ferrule_string(ferrule_format("Basic %s:%s:%s:%s...", user, password, user, password));
    char *encoded = (char *)room.ptr;
    size_t to = sizeof "Basic " - 1;
    for (size_t at = 0; at < text.len; at += 3) {
        uint32_t whole = 0;
        for (size_t place = 0; place < 3; place++) {
            whole = whole << 8 | (at + place < text.len ? (uint8_t)text.ptr[at + place] : 0);
        }
        for (size_t place = 0; place < 4; place++) {
            bool is_text = at + place <= text.len;
            encoded[to++] = is_text ? alphabet[whole >> (18 - 6 * place) & 63] : '=';
        }
    }
    return ferrule_text((adapter_string_t){room.ptr, to});
}

#endif
