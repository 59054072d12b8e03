/* HTTP, as far as the operator granted it. No cookies, no retries, redirects only where a grant has them. */
#ifndef FERRULE_HTTP_H
#define FERRULE_HTTP_H

#include <string.h>

#include "ferrule.h"

/* An answer, whatever its status. */
typedef struct {
    int status;
    const char *text;
    ferrule_plugin_http_list_header_t headers;
} ferrule_response;

/* The header of this name, in lower case; NULL if there is none. */
static inline const char *ferrule_header(const ferrule_response *response, const char *name) {
    for (size_t at = 0; at < response->headers.len; at++) {
        if (ferrule_same(ferrule_text(response->headers.ptr[at].name), name)) {
            return ferrule_text(response->headers.ptr[at].value);
        }
    }
    return NULL;
}

/* Whether the status is 2xx. */
static inline bool ferrule_is_success(const ferrule_response *response) {
    return response->status >= 200 && response->status < 300;
}

/* The failure of a request without an answer. The codes are those of the SDK for Rust. */
static inline bool ferrule_no_answer(const ferrule_plugin_http_error_t *error, const char *what, ferrule_failure *failure) {
    const char *message = ferrule_format("%s: %s", what, ferrule_text(error->message));
    switch (error->reason) {
    case FERRULE_PLUGIN_HTTP_REASON_INVALID:
        return ferrule_fail(failure, FERRULE_OPERATOR, "ELEMENT_REQUEST", message);
    case FERRULE_PLUGIN_HTTP_REASON_DENIED:
        return ferrule_fail(failure, FERRULE_OPERATOR, "ELEMENT_NOT_GRANTED", message);
    case FERRULE_PLUGIN_HTTP_REASON_TIMEOUT:
        return ferrule_fail(failure, FERRULE_RETRY, "ELEMENT_TIMEOUT", message);
    case FERRULE_PLUGIN_HTTP_REASON_TOO_LARGE:
        return ferrule_fail(failure, FERRULE_OPERATOR, "ELEMENT_ANSWER", message);
    default:
        return ferrule_fail(failure, FERRULE_RETRY, "ELEMENT_UNREACHABLE", message);
    }
}

/* A header of a request. */
typedef struct {
    const char *name, *value;
} ferrule_header_to_send;

/* What is sent beside method and address. */
typedef struct {
    /* JSON; NULL for no body. */
    const ferrule_json *body;
    /* Its media type; NULL for `application/json`. */
    const char *media;
    /* At most 24 headers. */
    const ferrule_header_to_send *headers;
    size_t headers_count;
} ferrule_sent;

/* Sends a request for a task. It carries the key of the task, and ends before the task must. False, with the failure
 * filled in, if there is no answer. */
static inline bool ferrule_send_with(const ferrule_task *task, const char *method, const char *url, const ferrule_sent *sent,
                                     ferrule_response *response, ferrule_failure *failure) {
    ferrule_plugin_http_header_t headers[28];
    size_t count = 0;
    const ferrule_json *body = sent->body;
    for (size_t at = 0; at < sent->headers_count && at < 24; at++) {
        headers[count++] = (ferrule_plugin_http_header_t){ferrule_string(sent->headers[at].name),
                                                          ferrule_string(sent->headers[at].value)};
    }
    headers[count++] = (ferrule_plugin_http_header_t){ferrule_string("idempotency-key"), task->idempotency_key};
    headers[count++] = (ferrule_plugin_http_header_t){ferrule_string("x-callback-url"), task->callback_url};
    if (task->replaces.is_some) {
        headers[count++] = (ferrule_plugin_http_header_t){ferrule_string("x-replace"), ferrule_string("true")};
    }
    adapter_list_u8_t bytes = {0};
    if (body) {
        adapter_string_t text = ferrule_string(ferrule_write(body));
        bytes = (adapter_list_u8_t){text.ptr, text.len};
        const char *media = sent->media ? sent->media : "application/json";
        headers[count++] = (ferrule_plugin_http_header_t){ferrule_string("content-type"), ferrule_string(media)};
    }
    ferrule_plugin_http_request_t request = {
        .method = ferrule_string(method),
        .url = ferrule_string(url),
        .headers = {headers, count},
        .body = bytes,
        .timeout_ms = {true, task->deadline_ms / 5 * 3},
    };
    ferrule_plugin_http_response_t answer;
    ferrule_plugin_http_error_t error;
    if (!ferrule_plugin_http_send(&request, &answer, &error)) {
        return ferrule_no_answer(&error, ferrule_format("%s %s", method, url), failure);
    }
    adapter_string_t text = {answer.body.ptr, answer.body.len};
    *response = (ferrule_response){answer.status, ferrule_text(text), answer.headers};
    return true;
}

/* The same with JSON as its body unless that is NULL, and no more. */
static inline bool ferrule_send(const ferrule_task *task, const char *method, const char *url,
                                const ferrule_json *body, ferrule_response *response, ferrule_failure *failure) {
    ferrule_sent sent = {.body = body};
    return ferrule_send_with(task, method, url, &sent, response, failure);
}

/* The failure for an answer that is no success: by its status, who must act. Returns false. */
static inline bool ferrule_refused(const ferrule_response *response, const char *element, ferrule_failure *failure) {
    int status = response->status;
    const char *message = ferrule_format("`%s` answered %d: %s", element, status, response->text);
    if (status == 409) return ferrule_fail(failure, FERRULE_OPERATOR, "ELEMENT_CONFLICT", message);
    if (status != 408 && status != 425 && status != 429 && status < 500) {
        return ferrule_fail(failure, FERRULE_OPERATOR, "ELEMENT_REFUSED", message);
    }
    const char *code = ferrule_format("ELEMENT_%d", status), *after = ferrule_header(response, "retry-after");
    uint32_t seconds = 0;
    for (; after && *after >= '0' && *after <= '9' && seconds < 100000; after++) {
        seconds = seconds * 10 + (uint32_t)(*after - '0');
    }
    if (after && !*after && seconds) return ferrule_retry_after(failure, code, message, seconds * 1000);
    return ferrule_fail(failure, FERRULE_RETRY, code, message);
}

#endif
