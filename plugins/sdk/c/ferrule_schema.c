/* Checks JSON against the JSON Schema that a plugin declares. */
#include "ferrule_schema.h"

#include <stdlib.h>
#include <string.h>

/* Nested schemas beyond which one is taken for endless. */
#define DEPTH_MAX 64

/* Max names and alternatives that are listed. */
#define SHOWN_MAX 40

/* Keywords whose value is a schema, a list of schemas, or schemas by name; those with values; those for readers. */
static const char *const ONE[] = {"items", "additionalProperties", "not", NULL};
static const char *const LIST[] = {"prefixItems", "allOf", "anyOf", "oneOf", NULL};
static const char *const NAMED[] = {"properties", "$defs", "definitions", NULL};
static const char *const OTHER[] = {
    "$ref", "type", "enum", "const", "required", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems",
    "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "$schema", "$id", "$comment",
    "title", "description", "default", "examples", "example", "format", "deprecated", "readOnly", "writeOnly", NULL,
};

typedef const ferrule_json json;

static bool is_in(const char *const *names, const char *name) {
    for (; *names; names++) {
        if (ferrule_same(*names, name)) return true;
    }
    return false;
}

const char *ferrule_unknown_keyword(json *schema) {
    if (schema->kind != FERRULE_OBJECT) return NULL;
    for (json *word = schema->first; word; word = word->next) {
        const char *found = NULL;
        if (is_in(LIST, word->name) || is_in(NAMED, word->name)) {
            for (json *one = word->first; one && !found; one = one->next) found = ferrule_unknown_keyword(one);
        } else if (is_in(ONE, word->name)) {
            found = ferrule_unknown_keyword(word);
        } else if (!is_in(OTHER, word->name) && strncmp(word->name, "x-", 2) != 0) {
            found = word->name;
        }
        if (found) return found;
    }
    return NULL;
}

/* --- Values ------------------------------------------------------------------------------------------ */

/* The member of an object, whose value may be null. */
static json *member(json *object, const char *name) {
    if (!object || object->kind != FERRULE_OBJECT) return NULL;
    for (json *one = object->first; one; one = one->next) {
        if (ferrule_same(one->name, name)) return one;
    }
    return NULL;
}

/* A number as it is written; precise for all that has at most 15 digits. */
static double number_of(const char *text) {
    bool is_negative = *text == '-';
    double value = 0, place = 1;
    int power = 0, sign = 1;
    for (text += is_negative; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9'; text++) {
            value = value * 10 + (*text - '0');
            place *= 10;
        }
    }
    value /= place;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '-') sign = -1;
        if (*text == '-' || *text == '+') text++;
        for (; *text >= '0' && *text <= '9' && power < 400; text++) power = power * 10 + (*text - '0');
        for (; power > 0; power--) value = sign > 0 ? value * 10 : value / 10;
    }
    return is_negative ? -value : value;
}

static const char *kind_of(json *value) {
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    if (value->kind != FERRULE_NUMBER) return names[value->kind];
    double number = number_of(value->text);
    bool is_whole = number < -9e15 || number > 9e15 || number == (double)(int64_t)number;
    return is_whole ? "integer" : "number";
}

static bool is_kind(json *value, const char *kind) {
    const char *own = kind_of(value);
    return ferrule_same(own, kind) || (ferrule_same(own, "integer") && ferrule_same(kind, "number"));
}

static int count(json *all) {
    int found = 0;
    for (json *one = all->first; one; one = one->next) found++;
    return found;
}

static bool same(json *left, json *right) {
    if (left->kind != right->kind) return false;
    switch (left->kind) {
    case FERRULE_NULL:
        return true;
    case FERRULE_BOOL:
        return left->boolean == right->boolean;
    case FERRULE_NUMBER:
        return number_of(left->text) == number_of(right->text);
    case FERRULE_STRING:
        return ferrule_same(left->text, right->text);
    case FERRULE_ARRAY:
    case FERRULE_OBJECT:
        break;
    }
    if (count(left) != count(right)) return false;
    json *other = right->first;
    for (json *one = left->first; one; one = one->next, other = other->next) {
        json *found = left->kind == FERRULE_OBJECT ? member(right, one->name) : other;
        if (!found || !same(one, found)) return false;
    }
    return true;
}

/* --- What is wrong ----------------------------------------------------------------------------------- */

/* The way to a value: a name, or an index. */
typedef struct way {
    const struct way *above;
    const char *name;
    int index, depth;
} way;

static const char *place(const way *at) {
    if (!at) return "";
    const char *above = place(at->above);
    if (!at->name) return ferrule_format("%s[%d]", above, at->index);
    return *above ? ferrule_format("%s.%s", above, at->name) : at->name;
}

static ferrule_mismatch wrong(const way *at, const char *expected, const char *got) {
    const char *path = place(at);
    return (ferrule_mismatch){*path ? path : "input", expected, got, at ? at->depth : 0};
}

static way below(const way *at, const char *name, int index) {
    return (way){at, name, index, at ? at->depth + 1 : 1};
}

static const ferrule_mismatch NONE = {0};

static const char *shown(json *value) {
    const char *text = ferrule_write(value);
    bool is_scalar = value->kind != FERRULE_ARRAY && value->kind != FERRULE_OBJECT;
    return is_scalar && strlen(text) <= 40 ? ferrule_format("`%s`", text) : kind_of(value);
}

static const char *joined(const char *text, const char *between, const char *more) {
    return *text ? ferrule_format("%s%s%s", text, between, more) : more;
}

static const char *listed(json *values) {
    const char *text = "";
    for (json *one = values->first; one; one = one->next) text = joined(text, ", ", shown(one));
    return values->first && values->first->next ? ferrule_format("one of %s", text) : text;
}

/* The names of members, or the texts of entries, in backticks. */
static const char *names_of(json *all, int most, const char *between) {
    const char *text = "";
    for (json *one = all ? all->first : NULL; one && most > 0; one = one->next, most--) {
        text = joined(text, between, one->name && all->kind == FERRULE_OBJECT ? one->name : one->text);
    }
    return text;
}

static const char *kinds_of(json *kinds) {
    return kinds->kind == FERRULE_STRING ? kinds->text : names_of(kinds, SHOWN_MAX, " or ");
}

static const char *got_of(json *value) {
    if (value->kind != FERRULE_OBJECT || !value->first) return kind_of(value);
    return ferrule_format("object with `%s`", names_of(value, 5, "`, `"));
}

/* The schema that a reference names; NULL if there is none. */
static json *named(json *root, const char *reference) {
    json *found = *reference == '#' ? root : NULL;
    for (const char *at = reference + (*reference == '#'); found && *at == '/';) {
        at++;
        char name[256];
        size_t length = 0;
        for (; *at && *at != '/' && length + 1 < sizeof name; at++) {
            bool is_escape = at[0] == '~' && (at[1] == '0' || at[1] == '1');
            name[length++] = !is_escape ? *at : at[1] == '0' ? '~' : '/';
            at += is_escape;
        }
        name[length] = 0;
        found = member(found, name);
    }
    return found;
}

/* What a schema allows, in a few words. */
static const char *expected_of(json *root, json *schema) {
    if (!schema || schema->kind != FERRULE_OBJECT) return "any value";
    json *reference = member(schema, "$ref"), *value = member(schema, "const"), *values = member(schema, "enum");
    if (reference) return expected_of(root, named(root, reference->text));
    if (value) return shown(value);
    if (values) return listed(values);
    json *kinds = member(schema, "type"), *names = member(schema, "required");
    if (!kinds) return "any value";
    const char *kind = kinds_of(kinds);
    if (!ferrule_same(kind, "object") || !names || !names->first) return kind;
    return ferrule_format("object with `%s`", names_of(names, SHOWN_MAX, "`, `"));
}

/* --- Checking ---------------------------------------------------------------------------------------- */

static ferrule_mismatch check(json *root, json *schema, json *value, const way *at, int depth);

static ferrule_mismatch check_kind(json *schema, json *value, const way *at) {
    json *kinds = member(schema, "type"), *only = member(schema, "const"), *values = member(schema, "enum");
    if (kinds) {
        bool fits = kinds->kind == FERRULE_STRING && is_kind(value, kinds->text);
        for (json *one = kinds->first; one && !fits; one = one->next) fits = is_kind(value, one->text);
        if (!fits) return wrong(at, kinds_of(kinds), kind_of(value));
    }
    if (only && !same(only, value)) return wrong(at, shown(only), shown(value));
    if (values && !only) {
        bool fits = false;
        for (json *one = values->first; one && !fits; one = one->next) fits = same(one, value);
        if (!fits) return wrong(at, listed(values), shown(value));
    }
    return NONE;
}

static ferrule_mismatch check_count(json *schema, const char *suffix, const char *unit, int size, const way *at) {
    json *least = member(schema, ferrule_format("min%s", suffix)), *most = member(schema, ferrule_format("max%s", suffix));
    const char *got = ferrule_format("%d", size);
    if (least && size < number_of(least->text)) {
        return wrong(at, ferrule_format("at least %s %s", least->text, unit), got);
    }
    if (most && size > number_of(most->text)) {
        return wrong(at, ferrule_format("at most %s %s", most->text, unit), got);
    }
    return NONE;
}

static ferrule_mismatch check_bounds(json *schema, json *value, const way *at) {
    double number = number_of(value->text);
    json *limit = member(schema, "minimum");
    const char *got = value->text;
    if (limit && number < number_of(limit->text)) return wrong(at, ferrule_format("at least %s", limit->text), got);
    limit = member(schema, "maximum");
    if (limit && number > number_of(limit->text)) return wrong(at, ferrule_format("at most %s", limit->text), got);
    limit = member(schema, "exclusiveMinimum");
    if (limit && number <= number_of(limit->text)) return wrong(at, ferrule_format("more than %s", limit->text), got);
    limit = member(schema, "exclusiveMaximum");
    if (limit && number >= number_of(limit->text)) return wrong(at, ferrule_format("less than %s", limit->text), got);
    return NONE;
}

static ferrule_mismatch check_size(json *schema, json *value, const way *at) {
    int characters = 0;
    switch (value->kind) {
    case FERRULE_STRING:
        for (const char *one = value->text; *one; one++) characters += ((unsigned char)*one & 0xc0) != 0x80;
        return check_count(schema, "Length", "characters", characters, at);
    case FERRULE_ARRAY:
        return check_count(schema, "Items", "entries", count(value), at);
    case FERRULE_OBJECT:
        return check_count(schema, "Properties", "members", count(value), at);
    case FERRULE_NUMBER:
        return check_bounds(schema, value, at);
    case FERRULE_NULL:
    case FERRULE_BOOL:
        break;
    }
    return NONE;
}

static ferrule_mismatch check_members(json *root, json *schema, json *value, const way *at, int depth) {
    json *properties = member(schema, "properties"), *names = member(schema, "required");
    json *more = member(schema, "additionalProperties");
    bool is_closed = more && more->kind == FERRULE_BOOL && !more->boolean;
    if (value->kind != FERRULE_OBJECT) return NONE;
    for (json *name = names ? names->first : NULL; name; name = name->next) {
        way missing = below(at, name->text, 0);
        if (!member(value, name->text)) return wrong(&missing, expected_of(root, member(properties, name->text)), "nothing");
    }
    for (json *one = value->first; one; one = one->next) {
        way here = below(at, one->name, 0);
        json *own = member(properties, one->name);
        if (!own && is_closed) {
            const char *known = properties && properties->first
                                    ? ferrule_format("`%s`", names_of(properties, SHOWN_MAX, "`, `"))
                                    : "none";
            return wrong(&here, ferrule_format("no other name than %s", known), kind_of(one));
        }
        ferrule_mismatch found = check(root, own ? own : more, one, &here, depth + 1);
        if (found.path) return found;
    }
    return NONE;
}

static ferrule_mismatch check_items(json *root, json *schema, json *value, const way *at, int depth) {
    json *first = member(schema, "prefixItems"), *rest = member(schema, "items"), *unique = member(schema, "uniqueItems");
    json *own = first ? first->first : NULL;
    int index = 0;
    if (value->kind != FERRULE_ARRAY) return NONE;
    for (json *one = value->first; one; one = one->next, index++) {
        way here = below(at, NULL, index);
        ferrule_mismatch found = check(root, own ? own : rest, one, &here, depth + 1);
        if (found.path) return found;
        if (own) own = own->next;
        for (json *other = value->first; unique && unique->boolean && other != one; other = other->next) {
            if (same(one, other)) return wrong(&here, "an entry that is not there yet", shown(one));
        }
    }
    return NONE;
}

/* One of several schemas, or that alone, must allow the value. */
static ferrule_mismatch check_several(json *root, json *several, bool alone, json *value, const way *at, int depth) {
    int fit = 0, own = at ? at->depth : 0;
    ferrule_mismatch best = NONE;
    const char *expected = "";
    for (json *one = several->first; one; one = one->next) {
        ferrule_mismatch found = check(root, one, value, at, depth + 1);
        if (!found.path) fit++;
        if (found.path && (!best.path || found.depth > best.depth)) best = found;
        expected = joined(expected, ", or ", expected_of(root, one));
    }
    if (fit > 1 && alone) return wrong(at, "one alternative alone", ferrule_format("a value of %d", fit));
    if (fit || !several->first) return NONE;
    bool is_alone = !several->first->next;
    return best.depth > own + 1 || is_alone ? best : wrong(at, expected, got_of(value));
}

static ferrule_mismatch check_alternatives(json *root, json *schema, json *value, const way *at, int depth) {
    json *all = member(schema, "allOf"), *any = member(schema, "anyOf"), *one = member(schema, "oneOf");
    json *not = member(schema, "not");
    ferrule_mismatch found = NONE;
    for (json *each = all ? all->first : NULL; each && !found.path; each = each->next) {
        found = check(root, each, value, at, depth + 1);
    }
    if (!found.path && any) found = check_several(root, any, false, value, at, depth);
    if (!found.path && one) found = check_several(root, one, true, value, at, depth);
    if (!found.path && not && !check(root, not, value, at, depth + 1).path) {
        found = wrong(at, "a value that is not excluded", shown(value));
    }
    return found;
}

static ferrule_mismatch check(json *root, json *schema, json *value, const way *at, int depth) {
    static const ferrule_json nothing = {.kind = FERRULE_BOOL};
    if (!schema || (schema->kind == FERRULE_BOOL && schema->boolean)) return NONE;
    if (schema->kind != FERRULE_OBJECT) return wrong(at, "nothing", kind_of(value));
    if (depth > DEPTH_MAX) return wrong(at, ferrule_format("at most %d levels", DEPTH_MAX), "more");
    json *reference = member(schema, "$ref");
    ferrule_mismatch found = NONE;
    if (reference) {
        json *other = named(root, reference->text);
        found = check(root, other ? other : &nothing, value, at, depth + 1);
    }
    if (!found.path) found = check_kind(schema, value, at);
    if (!found.path) found = check_size(schema, value, at);
    if (!found.path) found = check_members(root, schema, value, at, depth);
    if (!found.path) found = check_items(root, schema, value, at, depth);
    if (!found.path) found = check_alternatives(root, schema, value, at, depth);
    return found;
}

ferrule_mismatch ferrule_check(json *schema, json *value) {
    return check(schema, schema, value, NULL, 0);
}

/* --- The input of a task ----------------------------------------------------------------------------- */

/* That of `FERRULE_DESCRIBE`, if the plugin has one. */
__attribute__((weak)) const char *ferrule_input_schema = NULL;

static const ferrule_json *refuse(const ferrule_task *task, const char *why, ferrule_failure *failure) {
    const char *message = ferrule_format("the input of task `%s` cannot be used: %s", ferrule_text(task->name), why);
    ferrule_fail(failure, FERRULE_OPERATOR, "BAD_INPUT", message);
    return NULL;
}

const ferrule_json *ferrule_input(const ferrule_task *task, ferrule_failure *failure) {
    const ferrule_json *input = ferrule_read((const char *)task->input.ptr, task->input.len), *schema;
    if (!input) return refuse(task, "it is no JSON", failure);
    if (!ferrule_input_schema) return input->kind == FERRULE_OBJECT ? input : refuse(task, "it is no object", failure);
    schema = ferrule_read(ferrule_input_schema, strlen(ferrule_input_schema));
    const char *unknown = schema ? ferrule_unknown_keyword(schema) : NULL;
    if (!schema || unknown) {
        const char *message =
            schema ? ferrule_format("the schema of the input has the keyword `%s`, which the SDK does not check: leave it "
                                    "out, and check that in the code",
                                    unknown)
                   : "the schema of the input is no JSON";
        ferrule_fail(failure, FERRULE_OPERATOR, "BAD_SCHEMA", message);
        return NULL;
    }
    ferrule_mismatch wrong = ferrule_check(schema, input);
    if (!wrong.path) return input;
    refuse(task, ferrule_format("`%s`: expected %s, got %s", wrong.path, wrong.expected, wrong.got), failure);
    ferrule_plugin_types_attribute_t *told = calloc(3, sizeof *told);
    if (!told) abort();
    told[0] = (ferrule_plugin_types_attribute_t){ferrule_string("path"), ferrule_string(wrong.path)};
    told[1] = (ferrule_plugin_types_attribute_t){ferrule_string("expected"), ferrule_string(wrong.expected)};
    told[2] = (ferrule_plugin_types_attribute_t){ferrule_string("got"), ferrule_string(wrong.got)};
    failure->attributes.ptr = told;
    failure->attributes.len = 3;
    return NULL;
}
