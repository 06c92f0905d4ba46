/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTTP answer means: the JSON object of a success, or the documented condition of a refusal
 * (docs/portal-api.yaml). Members are read as what they must be; one that is missing or of another type makes the
 * answer BACKEND_PROTOCOL.
 */
#ifndef CA_REST_ANSWER_H
#define CA_REST_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "transfer.h"

/* *ret_json: the object of a 200, NULL for 204. Else the condition: the one the problem document names, or
 * BACKEND_UNREACHABLE for 408, 429 and 5xx of whoever stands in between, or BACKEND_PROTOCOL. */
int answer_read(const EonayHost *host, const Answer *answer, json_t **ret_json);

/* The same for the OAuth paths (RFC 6749 section 5.2, RFC 8628 section 3.5). */
int answer_read_oauth(const EonayHost *host, const Answer *answer, json_t **ret_json);

/* Members. Each returns false when the member is not there or not of its kind; strings are borrowed. */
bool member_string(const json_t *object, const char *key, const char **ret);
bool member_time(const json_t *object, const char *key, uint64_t *ret);
bool member_number(const json_t *object, const char *key, uint32_t *ret);
bool member_bool(const json_t *object, const char *key, bool *ret);
/* One of `words`, which ends with NULL; *ret is its place. */
bool member_word(const json_t *object, const char *key, const char *const *words, unsigned *ret);

/* BACKEND_PROTOCOL, with what is wrong. */
int answer_garbled(const EonayHost *host, const char *what);

#endif
