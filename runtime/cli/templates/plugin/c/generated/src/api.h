/* Addresses, requests and answers of the API. */
#ifndef API_H
#define API_H

#include "ferrule.h"
#include "ferrule_http.h"

/* A call of the plugin, for one operation. */
typedef struct {
    const ferrule_task *task;
    /* What the operation is given. */
    const ferrule_json *given;
    const char *element;
    ferrule_failure *failure;
    bool has_failed;
} api_call;

/* A header that is sent, unless its value is NULL. The last one has no name. */
typedef struct {
    const char *name;
    const ferrule_json *value;
} api_header;

/* What is sent beside method and address. */
typedef struct {
    const ferrule_json *body;
    const char *media;
    const api_header *headers;
} api_more;

/* The answer to a request: none that can be used, that nothing is there, or one that is a success. */
typedef enum { API_FAILED, API_ABSENT, API_FOUND } api_result;

/* An operation of the API. */
typedef struct {
    const char *name;
    bool (*run)(api_call *call, ferrule_outcome *outcome);
    bool (*undo)(api_call *call, const ferrule_json *output, ferrule_outcome *outcome);
    bool (*probe)(api_call *call, ferrule_finding *finding);
} api_operation;

/* The operations; the last one has no name. */
extern const api_operation operations[];

/* The names of the outputs; the last one is NULL. */
extern const char *const outputs[];

/* Fails, once: what follows from a failure is no other. Returns false. */
bool api_fail(api_call *call, int who, const char *code, const char *message);

/* Addresses are put together; NULL, after a failure, stays NULL. */
const char *api_address(api_call *call);
const char *api_text(const char *url, const char *text);
const char *api_value(api_call *call, const char *url, const char *name, const ferrule_json *value);
const char *api_query(const char *url, const char *name, const ferrule_json *values);

/* The value of a setting; NULL, with the failure filled in, if it is not set. */
const ferrule_json *api_setting(api_call *call, const char *name);

/* Sends a request. */
api_result api_find(api_call *call, const char *method, const char *url, api_more more, ferrule_response *response);

/* The same; fails unless the answer is a success. */
bool api_send(api_call *call, const char *method, const char *url, api_more more, ferrule_response *response);

/* Deletes what is at an address. Work that is not there is as good as undone. */
bool api_remove(api_call *call, const char *url);

/* The element has accepted the work and goes on with it: the next attempt looks for it. Returns false. */
bool api_accepted(api_call *call);

/* The element has accepted the work, and no request shows its end. Returns false. */
bool api_undecided(api_call *call);

/* Fails if the `state` or `status` of a document is one of work that goes on, or that failed. */
bool api_settled(api_call *call, const ferrule_json *document);

/* The body that is given, with the key of the task in a property that has none; NULL for no such property. */
ferrule_json *api_body(api_call *call, const char *key);

/* The entry of a list at an address that has a value in a property; NULL if there is none. */
bool api_listed(api_call *call, const char *url, const char *name, const ferrule_json *value,
                const ferrule_json **found);

/* Whether a document has all that was sent. */
bool api_agrees(const ferrule_json *sent, const ferrule_json *found);

/* Ends with the outputs of an answer: its properties, or all of it under a name. */
bool api_done(api_call *call, const ferrule_response *response, const char *name, ferrule_outcome *outcome);
bool api_found(api_call *call, const ferrule_json *document, const char *name, ferrule_finding *finding);

#endif
