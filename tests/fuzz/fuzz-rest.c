/* SPDX-License-Identifier: Apache-2.0 */
/* What an authority's server answers over HTTP: the first byte chooses status and type, the rest is the body. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "fuzz.h"

static int no_fault(const EonayHost *host, EonayError code, int tries_left, uint64_t native_code, const char *text) {
    (void)host;
    (void)tries_left;
    (void)native_code;
    (void)text;
    return code;
}

static const EonayHost host = {.struct_size = sizeof(host), .fault = no_fault};

void fuzz_begin(const char *seeds) {
    (void)seeds;
}

static void members_read(const json_t *json) {
    static const char *const keys[] = {"code", "expires_at", "texts", "state", "error", "interval"};
    static const char *const words[] = {"pending", "done", NULL};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text;
        uint64_t time;
        uint32_t number;
        bool yes;
        unsigned word;
        member_string(json, keys[i], &text);
        member_time(json, keys[i], &time);
        member_number(json, keys[i], &number);
        member_bool(json, keys[i], &yes);
        member_word(json, keys[i], words, &word);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const long statuses[] = {200, 204, 302, 400, 401, 409, 429, 503};
    static const char *const types[] = {"application/json", "application/problem+json", "application/json; x",
                                        "text/html"};
    if (size == 0)
        return 0;
    Answer a = {.status = statuses[data[0] & 7], .size = size - 1};
    snprintf(a.content_type, sizeof(a.content_type), "%s", types[data[0] >> 3 & 3]);
    a.body = malloc(size);
    if (!a.body)
        abort();
    memcpy(a.body, data + 1, size - 1);
    a.body[size - 1] = '\0';
    for (unsigned oauth = 0; oauth <= 1; oauth++) {
        json_t *json = NULL;
        int r = oauth ? answer_read_oauth(&host, &a, &json) : answer_read(&host, &a, &json);
        if (r == 0 && json)
            members_read(json);
        json_decref(json);
    }
    free(a.body);
    return 0;
}
