/* A host for the unit tests of a plugin, which run natively: a test includes the parts that the plugin imports, once. */
#ifndef FAKE_H
#define FAKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrule.h"

/* Ends the tests if something is not so. */
#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: `%s` is not so\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

/* A task for tests: this input, an item with these characteristics, the key `key-1`. */
static inline ferrule_task fake_task(const char *input, const char *characteristics) {
    return (ferrule_task){
        .fulfilment = ferrule_string("fulfilment-1"),
        .name = ferrule_string("EXAMPLE.run"),
        .item = {true, {.spec = ferrule_string("EXAMPLE"), .characteristics = ferrule_string(characteristics)}},
        .input = ferrule_string(input),
        .attempt = 1,
        .idempotency_key = ferrule_string("key-1"),
        .callback_url = ferrule_string("http://localhost/callback/key-1"),
        .deadline_ms = 10000,
    };
}

/* The task of an undo: the host gives undos a key of their own, that of the work followed by `:undo`. */
static inline ferrule_task fake_undo(ferrule_task task) {
    task.idempotency_key = ferrule_string(ferrule_format("%s:undo", ferrule_text(task.idempotency_key)));
    return task;
}

/* Whether a text of the contract is this one. */
static inline bool fake_is(adapter_string_t text, const char *expected) {
    return ferrule_same(ferrule_text(text), expected);
}

#endif
