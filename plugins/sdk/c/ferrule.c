/* Texts, JSON, tasks and answers. */
#include "ferrule.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Max levels of JSON that is read. */
#define DEPTH_MAX 128

/* --- Texts ------------------------------------------------------------------------------------------- */

static void *make(size_t size) {
    void *made = calloc(1, size ? size : 1);
    if (!made) abort();
    return made;
}

static char *copy(const char *text, size_t length) {
    char *made = make(length + 1);
    if (length) memcpy(made, text, length);
    return made;
}

const char *ferrule_text(adapter_string_t text) {
    return copy((const char *)text.ptr, text.len);
}

adapter_string_t ferrule_string(const char *text) {
    size_t length = strlen(text);
    adapter_string_t made = {.ptr = (uint8_t *)copy(text, length), .len = length};
    return made;
}

bool ferrule_same(const char *left, const char *right) {
    return left && right && strcmp(left, right) == 0;
}

/* A text that grows. */
typedef struct {
    char *text;
    size_t length, room;
} buffer;

static void put(buffer *out, const char *text, size_t length) {
    if (out->length + length + 1 > out->room) {
        size_t room = (out->length + length + 1) * 2;
        char *grown = realloc(out->text, room);
        if (!grown) abort();
        out->text = grown;
        out->room = room;
    }
    if (length) memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = 0;
}

static void put_text(buffer *out, const char *text) {
    put(out, text, strlen(text));
}

static void put_int(buffer *out, int64_t number) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) digits[--at] = '-';
    put(out, digits + at, sizeof digits - at);
}

const char *ferrule_format(const char *format, ...) {
    buffer out = {0};
    put(&out, "", 0);
    va_list given;
    va_start(given, format);
    for (const char *at = format; *at; at++) {
        if (at[0] != '%' || !at[1]) {
            put(&out, at, 1);
            continue;
        }
        at++;
        if (*at == 's') {
            const char *text = va_arg(given, const char *);
            put_text(&out, text ? text : "");
        } else if (*at == 'd') {
            put_int(&out, va_arg(given, int));
        } else {
            put(&out, at, 1);
        }
    }
    va_end(given);
    return out.text;
}

/* --- JSON: reading ----------------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
} reader;

static ferrule_json *read_value(reader *in, int depth);

static void skip(reader *in) {
    while (in->at < in->end && strchr(" \t\r\n", *in->at) && *in->at) in->at++;
}

static bool take(reader *in, char one) {
    skip(in);
    if (in->at >= in->end || *in->at != one) return false;
    in->at++;
    return true;
}

static ferrule_json *of_kind(ferrule_kind kind) {
    ferrule_json *value = make(sizeof *value);
    value->kind = kind;
    return value;
}

static bool read_word(reader *in, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
    in->at += length;
    return true;
}

static int hex(reader *in) {
    int code = 0;
    if (in->end - in->at < 4) return -1;
    for (int place = 0; place < 4; place++) {
        char one = *in->at++;
        int digit = one >= '0' && one <= '9'   ? one - '0'
                    : one >= 'a' && one <= 'f' ? one - 'a' + 10
                    : one >= 'A' && one <= 'F' ? one - 'A' + 10
                                               : -1;
        if (digit < 0) return -1;
        code = code * 16 + digit;
    }
    return code;
}

static void put_code(buffer *out, uint32_t code) {
    char bytes[4];
    size_t length;
    if (code < 0x80) {
        bytes[0] = (char)code;
        length = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xc0 | code >> 6);
        bytes[1] = (char)(0x80 | (code & 0x3f));
        length = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xe0 | code >> 12);
        bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (code & 0x3f));
        length = 3;
    } else {
        bytes[0] = (char)(0xf0 | code >> 18);
        bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (code & 0x3f));
        length = 4;
    }
    put(out, bytes, length);
}

/* A character in an escape: half of a pair without its other half is none, nor is a zero, which would end a text of C. */
static bool read_escape(reader *in, buffer *out) {
    static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
    if (in->at >= in->end) return false;
    char one = *in->at++;
    if (one != 'u') {
        const char *place = strchr(names, one);
        if (!one || !place) return false;
        put(out, codes + (place - names), 1);
        return true;
    }
    int code = hex(in);
    if (code <= 0 || (code >= 0xdc00 && code <= 0xdfff)) return false;
    if (code < 0xd800 || code > 0xdbff) {
        put_code(out, (uint32_t)code);
        return true;
    }
    if (!read_word(in, "\\u")) return false;
    int low = hex(in);
    if (low < 0xdc00 || low > 0xdfff) return false;
    put_code(out, 0x10000 + ((uint32_t)(code - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
    return true;
}

/* A string, whose first quote was read; NULL if it is none. */
static const char *read_string(reader *in) {
    buffer out = {0};
    put(&out, "", 0);
    while (in->at < in->end) {
        const char *from = in->at;
        while (in->at < in->end && *in->at != '"' && *in->at != '\\' && (unsigned char)*in->at >= 0x20) in->at++;
        put(&out, from, (size_t)(in->at - from));
        if (in->at >= in->end) return NULL;
        char one = *in->at++;
        if (one == '"') return out.text;
        if (one != '\\' || !read_escape(in, &out)) return NULL;
    }
    return NULL;
}

static bool digits(reader *in) {
    const char *from = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
    return in->at > from;
}

static ferrule_json *read_number(reader *in) {
    const char *from = in->at;
    if (*in->at == '-') in->at++;
    bool is_zero = in->at < in->end && *in->at == '0';
    const char *first = in->at;
    if (!digits(in) || (is_zero && in->at - first > 1)) return NULL;
    if (in->at < in->end && *in->at == '.') {
        in->at++;
        if (!digits(in)) return NULL;
    }
    if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
        in->at++;
        if (in->at < in->end && (*in->at == '+' || *in->at == '-')) in->at++;
        if (!digits(in)) return NULL;
    }
    ferrule_json *number = of_kind(FERRULE_NUMBER);
    number->text = copy(from, (size_t)(in->at - from));
    return number;
}

static ferrule_json *read_members(reader *in, ferrule_kind kind, int depth) {
    char end = kind == FERRULE_OBJECT ? '}' : ']';
    ferrule_json *all = of_kind(kind), **last = &all->first;
    if (depth > DEPTH_MAX) return NULL;
    if (take(in, end)) return all;
    do {
        const char *name = NULL;
        if (kind == FERRULE_OBJECT) {
            if (!take(in, '"') || !(name = read_string(in)) || !take(in, ':')) return NULL;
        }
        ferrule_json *one = read_value(in, depth);
        if (!one) return NULL;
        one->name = name;
        *last = one;
        last = &one->next;
    } while (take(in, ','));
    return take(in, end) ? all : NULL;
}

static ferrule_json *read_value(reader *in, int depth) {
    skip(in);
    if (in->at >= in->end) return NULL;
    if (take(in, '{')) return read_members(in, FERRULE_OBJECT, depth + 1);
    if (take(in, '[')) return read_members(in, FERRULE_ARRAY, depth + 1);
    if (take(in, '"')) {
        ferrule_json *text = of_kind(FERRULE_STRING);
        text->text = read_string(in);
        return text->text ? text : NULL;
    }
    if (read_word(in, "null")) return of_kind(FERRULE_NULL);
    bool is_true = read_word(in, "true");
    if (is_true || read_word(in, "false")) return ferrule_new_bool(is_true);
    return read_number(in);
}

ferrule_json *ferrule_read(const char *text, size_t length) {
    reader in = {text, text + length};
    ferrule_json *value = read_value(&in, 0);
    skip(&in);
    return in.at == in.end ? value : NULL;
}

/* --- JSON: writing ----------------------------------------------------------------------------------- */

static void put_string(buffer *out, const char *text) {
    static const char digits[] = "0123456789abcdef";
    put(out, "\"", 1);
    for (; *text; text++) {
        unsigned char one = (unsigned char)*text;
        if (one == '"' || one == '\\') {
            put(out, "\\", 1);
            put(out, text, 1);
        } else if (one < 0x20) {
            char escape[6] = {'\\', 'u', '0', '0', digits[one >> 4], digits[one & 15]};
            put(out, escape, sizeof escape);
        } else {
            put(out, text, 1);
        }
    }
    put(out, "\"", 1);
}

static void put_value(buffer *out, const ferrule_json *value) {
    switch (value->kind) {
    case FERRULE_NULL:
        put_text(out, "null");
        return;
    case FERRULE_BOOL:
        put_text(out, value->boolean ? "true" : "false");
        return;
    case FERRULE_NUMBER:
        put_text(out, value->text);
        return;
    case FERRULE_STRING:
        put_string(out, value->text);
        return;
    case FERRULE_ARRAY:
    case FERRULE_OBJECT:
        put_text(out, value->kind == FERRULE_OBJECT ? "{" : "[");
        for (const ferrule_json *one = value->first; one; one = one->next) {
            if (one != value->first) put_text(out, ",");
            if (value->kind == FERRULE_OBJECT) {
                put_string(out, one->name);
                put_text(out, ":");
            }
            put_value(out, one);
        }
        put_text(out, value->kind == FERRULE_OBJECT ? "}" : "]");
        return;
    }
}

const char *ferrule_write(const ferrule_json *value) {
    buffer out = {0};
    put_value(&out, value);
    return out.text;
}

/* --- JSON: values ------------------------------------------------------------------------------------ */

const ferrule_json *ferrule_get(const ferrule_json *object, const char *name) {
    if (!object || object->kind != FERRULE_OBJECT) return NULL;
    for (const ferrule_json *one = object->first; one; one = one->next) {
        if (ferrule_same(one->name, name)) return one->kind == FERRULE_NULL ? NULL : one;
    }
    return NULL;
}

const char *ferrule_get_text(const ferrule_json *object, const char *name) {
    const ferrule_json *found = ferrule_get(object, name);
    return found && found->kind == FERRULE_STRING ? found->text : NULL;
}

bool ferrule_get_int(const ferrule_json *object, const char *name, int64_t *number) {
    const ferrule_json *found = ferrule_get(object, name);
    if (!found || found->kind != FERRULE_NUMBER) return false;
    const char *at = found->text;
    bool is_negative = *at == '-';
    int64_t read = 0;
    for (at += is_negative; *at; at++) {
        if (*at < '0' || *at > '9' || read > (INT64_MAX - 9) / 10) return false;
        read = read * 10 + (*at - '0');
    }
    *number = is_negative ? -read : read;
    return true;
}

ferrule_json *ferrule_object(void) {
    return of_kind(FERRULE_OBJECT);
}

ferrule_json *ferrule_array(void) {
    return of_kind(FERRULE_ARRAY);
}

ferrule_json *ferrule_new_text(const char *text) {
    ferrule_json *value = of_kind(FERRULE_STRING);
    value->text = copy(text, strlen(text));
    return value;
}

ferrule_json *ferrule_new_int(int64_t number) {
    buffer out = {0};
    put_int(&out, number);
    ferrule_json *value = of_kind(FERRULE_NUMBER);
    value->text = out.text;
    return value;
}

ferrule_json *ferrule_new_bool(bool truth) {
    ferrule_json *value = of_kind(FERRULE_BOOL);
    value->boolean = truth;
    return value;
}

/* A value may stand in several places, so a copy of its head is linked. */
ferrule_json *ferrule_add(ferrule_json *all, const ferrule_json *value) {
    ferrule_json *one = make(sizeof *one), **last = &all->first;
    *one = *value;
    one->next = NULL;
    while (*last) last = &(*last)->next;
    *last = one;
    return all;
}

ferrule_json *ferrule_set(ferrule_json *object, const char *name, const ferrule_json *value) {
    ferrule_json named = *value;
    named.name = copy(name, strlen(name));
    return ferrule_add(object, &named);
}

/* --- Tasks and answers ------------------------------------------------------------------------------- */

bool ferrule_fail(ferrule_failure *failure, int who, const char *code, const char *message) {
    memset(failure, 0, sizeof *failure);
    failure->class_ = (ferrule_plugin_types_failure_class_t)who;
    failure->code = ferrule_string(code);
    failure->message = ferrule_string(message);
    return false;
}

bool ferrule_retry_after(ferrule_failure *failure, const char *code, const char *message, uint32_t ms) {
    ferrule_fail(failure, FERRULE_RETRY, code, message);
    failure->retry_after_ms.is_some = true;
    failure->retry_after_ms.val = ms;
    return false;
}

const ferrule_json *ferrule_given(const ferrule_json *input, const char *name, ferrule_kind kind, ferrule_failure *failure) {
    const ferrule_json *found = ferrule_get(input, name);
    if (found && found->kind == kind) return found;
    const char *problem = found ? "of another type" : "missing";
    ferrule_fail(failure, FERRULE_OPERATOR, "BAD_INPUT", ferrule_format("`%s` of the input is %s", name, problem));
    return NULL;
}

const ferrule_json *ferrule_characteristic(const ferrule_task *task, const char *name, ferrule_failure *failure) {
    const char *spec = "";
    if (task->item.is_some) {
        adapter_string_t text = task->item.val.characteristics;
        spec = ferrule_text(task->item.val.spec);
        const ferrule_json *found = ferrule_get(ferrule_read((const char *)text.ptr, text.len), name);
        if (found) return found;
    }
    const char *message = ferrule_format("characteristic `%s` of `%s` is missing", name, spec);
    ferrule_fail(failure, FERRULE_REJECT, "CHARACTERISTIC_MISSING", message);
    return NULL;
}

bool ferrule_finish(ferrule_done *done, const ferrule_json *outputs) {
    memset(done, 0, sizeof *done);
    done->outputs = ferrule_string(outputs ? ferrule_write(outputs) : "{}");
    return true;
}

bool ferrule_succeed(ferrule_outcome *outcome, const ferrule_json *outputs) {
    memset(outcome, 0, sizeof *outcome);
    outcome->tag = FERRULE_PLUGIN_TYPES_OUTCOME_DONE;
    return ferrule_finish(&outcome->val.done, outputs);
}

bool ferrule_wait(ferrule_outcome *outcome, const ferrule_task *task, uint32_t timeout_ms) {
    memset(outcome, 0, sizeof *outcome);
    outcome->tag = FERRULE_PLUGIN_TYPES_OUTCOME_WAITING;
    adapter_string_t *keys = make(sizeof *keys);
    *keys = ferrule_string(ferrule_text(task->idempotency_key));
    outcome->val.waiting.keys.ptr = keys;
    outcome->val.waiting.keys.len = 1;
    outcome->val.waiting.timeout_ms = timeout_ms;
    return true;
}

bool ferrule_applied(ferrule_finding *finding, const ferrule_json *outputs) {
    memset(finding, 0, sizeof *finding);
    finding->tag = FERRULE_PLUGIN_TYPES_FINDING_APPLIED;
    return ferrule_finish(&finding->val.applied, outputs);
}

bool ferrule_not_applied(ferrule_finding *finding) {
    memset(finding, 0, sizeof *finding);
    finding->tag = FERRULE_PLUGIN_TYPES_FINDING_NOT_APPLIED;
    return true;
}

bool ferrule_unexpected(const ferrule_task *task, ferrule_failure *failure) {
    const char *name = ferrule_text(task->name);
    const char *message = ferrule_format("task `%s` never waits, yet an answer came for it", name);
    return ferrule_fail(failure, FERRULE_OPERATOR, "UNEXPECTED_CALLBACK", message);
}
