/* The element of a test: answers to requests, each given once, and the requests that were sent. */
#include "fake.h"

/* An answer, or the reason why there is none. */
typedef struct {
    const char *method, *url, *body;
    int status, reason;
    bool is_given;
} fake_expected;

/* A request that was sent. */
typedef struct {
    const char *method, *url, *body, *key;
} fake_request;

static fake_expected fake_answers[64];
static fake_request fake_requests[64];
static size_t fake_answers_count, fake_requests_count;

/* Answers the next request of this method and address; the body is JSON. */
static inline void fake_answer(const char *method, const char *url, int status, const char *body) {
    CHECK(fake_answers_count < 64);
    fake_answers[fake_answers_count++] = (fake_expected){method, url, body, status, 0, false};
}

/* Does not answer it, for this reason of the contract. */
static inline void fake_no_answer(const char *method, const char *url, int reason) {
    CHECK(fake_answers_count < 64);
    fake_answers[fake_answers_count++] = (fake_expected){method, url, "", 0, reason, false};
}

bool ferrule_plugin_http_send(ferrule_plugin_http_request_t *request, ferrule_plugin_http_response_t *response,
                              ferrule_plugin_http_error_t *error) {
    adapter_string_t body = {request->body.ptr, request->body.len};
    CHECK(fake_requests_count < 64);
    fake_request *sent = &fake_requests[fake_requests_count++];
    *sent = (fake_request){ferrule_text(request->method), ferrule_text(request->url), ferrule_text(body), NULL};
    for (size_t at = 0; at < request->headers.len; at++) {
        if (fake_is(request->headers.ptr[at].name, "idempotency-key")) {
            sent->key = ferrule_text(request->headers.ptr[at].value);
        }
    }
    for (size_t at = 0; at < fake_answers_count; at++) {
        fake_expected *one = &fake_answers[at];
        if (one->is_given || !ferrule_same(one->method, sent->method) || !ferrule_same(one->url, sent->url)) continue;
        one->is_given = true;
        if (!one->status) {
            *error = (ferrule_plugin_http_error_t){(uint8_t)one->reason, ferrule_string("no answer"), {0}};
            return false;
        }
        adapter_string_t text = ferrule_string(one->body);
        *response = (ferrule_plugin_http_response_t){.status = (uint16_t)one->status, .body = {text.ptr, text.len}};
        return true;
    }
    fprintf(stderr, "there is no answer to %s %s\n", sent->method, sent->url);
    exit(1);
}
