/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real eonay-plugin-host at the other end of a socket pair, as the daemon has it. Everything fails the running test
 * by itself; no call waits longer than HARNESS_TIMEOUT.
 */
#ifndef EONAY_TEST_HOST_HARNESS_H
#define EONAY_TEST_HOST_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "eonay/plugin.h"
#include "host-protocol.h"

#define HARNESS_TIMEOUT (20 * 1000000ull)
#define TEST_PIN        "Zq7!kPw92#vT"

typedef struct HostUnderTest {
    pid_t pid;
    sd_bus *bus;
    int log; /* what it wrote to standard error, to be read when it has ended */
} HostUnderTest;

typedef struct Outcome {
    int code;
    int tries_left;
    uint64_t native_code;
    char text[2048];
} Outcome;

/* Lists end with NULL; a NULL list is empty. */
typedef struct OpenArguments {
    const char *kind;
    const char *plugin;
    const char *library;
    const char *const *needs;
    const char *const *config; /* key, value, key, value … */
    const char *file_key;      /* passed as a descriptor */
    int file;
    const char *const *read_paths;
    const char *const *write_paths;
    const char *const *libraries; /* candidates of library_key */
    const char *library_key;      /* NULL: Module */
    const char *const *environment;
    uint32_t deadline; /* milliseconds, for every kind of call; 0: the host's own */
    int leash;         /* 0: none */
} OpenArguments;

#define STRINGS(...)                                                                                                   \
    (const char *const[]) {                                                                                            \
        __VA_ARGS__, NULL                                                                                              \
    }

/* Paths that meson passes in the environment: EONAY_TEST_<NAME>. */
const char *test_path(const char *name);

void host_start(HostUnderTest *h);
/* Without --trust-own-uid. */
void host_start_strict(HostUnderTest *h);
/* Closes the connection, waits for the end, and returns its wait status. */
int host_stop(HostUnderTest *h);
/* Waits for an end that came by itself. */
int host_wait(HostUnderTest *h);
/* What it logged, as a string; after host_stop() or host_wait(). Free with free(). */
char *host_log(HostUnderTest *h);

/* Open; returns the outcome's code. */
int host_open(HostUnderTest *h, const OpenArguments *a, Outcome *ret);
/* The fake plugins with configuration pairs ending with NULL; must succeed. */
void host_open_fake(HostUnderTest *h, const char *kind, const char *const *config, uint32_t deadline);

/* A method call; a negative errno when there was no outcome. *ret_reply stands behind the outcome; unref it. */
int host_call(HostUnderTest *h, sd_bus_message *m, Outcome *ret, sd_bus_message **ret_reply);
sd_bus_message *host_message(HostUnderTest *h, const char *method);
/* A call with arguments as of sd_bus_message_append() and nothing wanted but the outcome. */
int host_simple(HostUnderTest *h, const char *method, Outcome *ret, const char *types, ...);

/* The read end of a pipe that holds the bytes and whose writer has closed. */
int pipe_with(const void *bytes, size_t size);

int host_login(HostUnderTest *h, uint64_t request, const char *token, const char *pin, uint32_t flags, Outcome *ret);
/* One digest of 32 bytes with RSA-PKCS1-SHA256; *ret_n gets the number of signatures. */
int host_sign(HostUnderTest *h, uint64_t request, const char *token, Outcome *ret, unsigned *ret_n);
/* A string of an a{sv} that comes next in the reply; "" when it is not there. The reply is rewound to the outcome's
 * end. */
void host_dictionary_string(sd_bus_message *reply, const char *key, char *ret, size_t size);

#endif
