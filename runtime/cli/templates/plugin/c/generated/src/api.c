/* Addresses, requests and answers of the API. */
#include "api.h"

#include "ferrule_config.h"

bool api_fail(api_call *call, int who, const char *code, const char *message) {
    if (!call->has_failed) ferrule_fail(call->failure, who, code, message);
    call->has_failed = true;
    return false;
}

/* A value as it stands in an address or a header. */
static const char *plain(const ferrule_json *value) {
    return value->kind == FERRULE_STRING ? value->text : ferrule_write(value);
}

static const char *escaped(const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    const char *made = "";
    for (; *text; text++) {
        unsigned char one = (unsigned char)*text;
        bool is_plain = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') ||
                        one == '-' || one == '.' || one == '_' || one == '~';
        char part[4] = {(char)one, 0, 0, 0};
        if (!is_plain) {
            part[0] = '%';
            part[1] = digits[one >> 4];
            part[2] = digits[one & 15];
        }
        made = ferrule_format("%s%s", made, part);
    }
    return made;
}

const char *api_address(api_call *call) {
    const char *base = ferrule_setting(ferrule_format("element.%s", call->element));
    if (!base) {
        call->has_failed = true;
        return ferrule_require(ferrule_format("element.%s", call->element), call->failure);
    }
    size_t length = strlen(base);
    while (length && base[length - 1] == '/') length--;
    adapter_string_t text = {(uint8_t *)base, length};
    return ferrule_text(text);
}

const char *api_text(const char *url, const char *text) {
    return url ? ferrule_format("%s%s", url, text) : NULL;
}

const char *api_value(api_call *call, const char *url, const char *name, const ferrule_json *value) {
    const char *text = value ? plain(value) : "missing";
    bool is_wrong = !value || !*text || ferrule_same(text, ".") || ferrule_same(text, "..");
    if (is_wrong) {
        const char *message = ferrule_format("`%s` is `%s`, which cannot be a part of an address", name, text);
        api_fail(call, FERRULE_OPERATOR, "BAD_INPUT", message);
        return NULL;
    }
    return url ? ferrule_format("%s/%s", url, escaped(text)) : NULL;
}

const char *api_query(const char *url, const char *name, const ferrule_json *values) {
    if (!url || !values) return url;
    if (values->kind == FERRULE_ARRAY) {
        for (const ferrule_json *one = values->first; one; one = one->next) url = api_query(url, name, one);
        return url;
    }
    if (values->kind == FERRULE_NULL) return url;
    const char *mark = strchr(url, '?') ? "&" : "?";
    return ferrule_format("%s%s%s=%s", url, mark, escaped(name), escaped(plain(values)));
}

const ferrule_json *api_setting(api_call *call, const char *name) {
    const char *value = ferrule_setting(name);
    if (value) return ferrule_new_text(value);
    if (!call->has_failed) ferrule_require(name, call->failure);
    call->has_failed = true;
    return NULL;
}

api_result api_find(api_call *call, const char *method, const char *url, api_more more, ferrule_response *response) {
    ferrule_header_to_send headers[17];
    size_t count = 0;
    if (!url || call->has_failed) return API_FAILED;
    for (const api_header *one = more.headers; one && one->name && count < 16; one++) {
        if (!one->value || one->value->kind == FERRULE_NULL) continue;
        headers[count++] = (ferrule_header_to_send){one->name, plain(one->value)};
    }
{{login}}
    if (call->has_failed) return API_FAILED;
    ferrule_sent sent = {.body = more.body, .media = more.media, .headers = headers, .headers_count = count};
    call->has_failed = !ferrule_send_with(call->task, method, url, &sent, response, call->failure);
    if (call->has_failed) return API_FAILED;
    if (response->status == 404 || response->status == 410) return API_ABSENT;
    if (ferrule_is_success(response)) return API_FOUND;
    ferrule_refused(response, call->element, call->failure);
    call->has_failed = true;
    return API_FAILED;
}

bool api_send(api_call *call, const char *method, const char *url, api_more more, ferrule_response *response) {
    api_result found = api_find(call, method, url, more, response);
    if (found != API_ABSENT) return found == API_FOUND;
    const char *message = ferrule_format("%s has nothing at %s", call->element, url);
    return api_fail(call, FERRULE_OPERATOR, "ELEMENT_REFUSED", message);
}

bool api_remove(api_call *call, const char *url) {
    ferrule_response response;
    api_result found = api_find(call, "DELETE", url, (api_more){0}, &response);
    if (found == API_FOUND && response.status == 202) return api_accepted(call);
    return found != API_FAILED;
}

bool api_accepted(api_call *call) {
    const char *message = ferrule_format("`%s` has accepted the work and goes on with it", call->element);
    if (!call->has_failed) ferrule_retry_after(call->failure, "ELEMENT_ACCEPTED", message, 5000);
    call->has_failed = true;
    return false;
}

bool api_undecided(api_call *call) {
    const char *message = ferrule_format("`%s` has accepted the work: look whether it is done", call->element);
    return api_fail(call, FERRULE_OPERATOR, "ACCEPTED_UNDECIDED", message);
}

static bool is_one_of(const char *const *names, const char *text) {
    for (; *names; names++) {
        if (ferrule_same(*names, text)) return true;
    }
    return false;
}

bool api_settled(api_call *call, const ferrule_json *document) {
    static const char *const pending[] = {"pending",  "inprogress", "running",    "accepted",  "acknowledged",
                                          "queued",   "processing", "creating",   "updating",  "deleting",
                                          "provisioning", "scheduled", "waiting", NULL};
    static const char *const failed[] = {"failed",    "failure",  "error",   "rejected",
                                         "cancelled", "canceled", "aborted", NULL};
    const char *state = ferrule_get_text(document, "state");
    if (!state) state = ferrule_get_text(document, "status");
    char letters[64];
    size_t length = 0;
    for (const char *at = state ? state : ""; *at && length < 63; at++) {
        bool is_capital = *at >= 'A' && *at <= 'Z';
        if (is_capital || (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9')) {
            letters[length++] = is_capital ? (char)(*at - 'A' + 'a') : *at;
        }
    }
    letters[length] = 0;
    if (is_one_of(pending, letters)) return api_accepted(call);
    if (!is_one_of(failed, letters)) return true;
    const char *message = ferrule_format("the work on `%s` is `%s`", call->element, state);
    return api_fail(call, FERRULE_OPERATOR, "ELEMENT_FAILED", message);
}

ferrule_json *api_body(api_call *call, const char *key) {
    const ferrule_json *given = ferrule_get(call->given, "body");
    ferrule_json *body = ferrule_object();
    for (const ferrule_json *one = given ? given->first : NULL; one; one = one->next) {
        bool is_key = ferrule_same(one->name, key) && one->kind == FERRULE_NULL;
        if (!is_key) ferrule_set(body, one->name, one);
    }
    if (!key || ferrule_get(body, key)) return body;
    /* An undo has the key of the work, followed by `:undo`. */
    adapter_string_t own = call->task->idempotency_key;
    const char *end = ":undo";
    if (own.len > strlen(end) && memcmp(own.ptr + own.len - strlen(end), end, strlen(end)) == 0) own.len -= strlen(end);
    return ferrule_set(body, key, ferrule_new_text(ferrule_text(own)));
}

bool api_listed(api_call *call, const char *url, const char *name, const ferrule_json *value,
                const ferrule_json **found) {
    ferrule_response response;
    *found = NULL;
    api_result result = api_find(call, "GET", url, (api_more){0}, &response);
    if (result != API_FOUND) return result == API_ABSENT;
    const ferrule_json *list = ferrule_read(response.text, strlen(response.text));
    bool is_list = list && list->kind == FERRULE_ARRAY;
    for (const ferrule_json *one = is_list ? list->first : NULL; one && !*found; one = one->next) {
        const ferrule_json *own = ferrule_get(one, name);
        if (own && value && api_agrees(value, own)) *found = one;
    }
    return true;
}

bool api_agrees(const ferrule_json *sent, const ferrule_json *found) {
    if (!sent || !found || sent->kind != found->kind) return false;
    if (sent->kind != FERRULE_ARRAY && sent->kind != FERRULE_OBJECT) {
        return ferrule_same(ferrule_write(sent), ferrule_write(found));
    }
    const ferrule_json *other = found->first;
    for (const ferrule_json *one = sent->first; one; one = one->next) {
        if (sent->kind == FERRULE_OBJECT) {
            for (other = found->first; other && !ferrule_same(other->name, one->name);) other = other->next;
        }
        if (!other || !api_agrees(one, other)) return false;
        other = other->next;
    }
    return sent->kind == FERRULE_OBJECT || !other;
}

/* The outputs of a document; NULL, with the failure filled in, if there are none in it. */
static const ferrule_json *outputs_of(api_call *call, const ferrule_json *document, const char *name) {
    ferrule_json *made = ferrule_object();
    if (document && name) return ferrule_set(made, name, document);
    if (!document || document->kind != FERRULE_OBJECT) {
        const char *message = ferrule_format("`%s` did the work but its answer cannot be used", call->element);
        api_fail(call, FERRULE_OPERATOR, "ELEMENT_ANSWER", message);
        return NULL;
    }
    for (const char *const *known = outputs; *known; known++) {
        const ferrule_json *value = ferrule_get(document, *known);
        if (value) ferrule_set(made, *known, value);
    }
    return made;
}

bool api_done(api_call *call, const ferrule_response *response, const char *name, ferrule_outcome *outcome) {
    if (!*response->text) return ferrule_succeed(outcome, NULL);
    const ferrule_json *made = outputs_of(call, ferrule_read(response->text, strlen(response->text)), name);
    return made && ferrule_succeed(outcome, made);
}

bool api_found(api_call *call, const ferrule_json *document, const char *name, ferrule_finding *finding) {
    const ferrule_json *made = outputs_of(call, document, name);
    return made && ferrule_applied(finding, made);
}
