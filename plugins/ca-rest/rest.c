/* SPDX-License-Identifier: Apache-2.0 */
#include "rest.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "fault.h"
#include "scope.h"

#define PAUSE_FIRST_MS 100
#define ATTEMPTS_MAX   4

/* *ret_told_to_wait: the authority itself asks for a pause. */
static int ask_until(const Rest *rest, const Request *request, uint64_t deadline, json_t **ret,
                     bool *ret_told_to_wait) {
    _cleanup_(answer_clear) Answer answer = {0};
    int r = transfer_run(rest->transfers, request, deadline, &answer);

    *ret_told_to_wait = answer.retry_after > 0;
    return r != 0 ? r : answer_read(rest->host, &answer, ret);
}

int rest_ask(const Rest *rest, const Request *request, json_t **ret) {
    bool told_to_wait = false;

    return ask_until(rest, request, transfer_deadline(rest->transfers), ret, &told_to_wait);
}

int rest_ask_stubbornly(const Rest *rest, const Request *request, json_t **ret) {
    uint64_t deadline = transfer_deadline(rest->transfers);
    struct timespec pause = {.tv_nsec = PAUSE_FIRST_MS * 1000000L};

    for (int attempt = 1;; attempt++) {
        bool told_to_wait = false;
        int r = ask_until(rest, request, deadline, ret, &told_to_wait);
        if (r != EONAY_ERROR_BACKEND_UNREACHABLE || told_to_wait || attempt == ATTEMPTS_MAX ||
            transfer_deadline(rest->transfers) - rest->settings.timeout_ms + 1000 > deadline)
            return r;
        (void)nanosleep(&pause, NULL);
        pause.tv_nsec *= 2;
    }
}

int rest_body(json_t *object, char **ret_body) {
    _cleanup_json_ json_t *owned = object;
    char *body = owned ? json_dumps(owned, JSON_COMPACT) : NULL;

    if (!body)
        return -ENOMEM;
    *ret_body = body;
    return 0;
}

int rest_key(char ret[KEY_SIZE]) {
    uint8_t bytes[(KEY_SIZE - 1) / 2];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return -EIO;
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}
