/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's side of host-protocol.h, as short as a test can have it. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

const char *test_path(const char *name) {
    char variable[64];
    snprintf(variable, sizeof(variable), "EONAY_TEST_%s", name);
    const char *path = getenv(variable);
    ck_assert_msg(path != NULL, "%s is not set: run this test through meson", variable);
    return path;
}

static void connect_bus(HostUnderTest *h, int fd) {
    ck_assert_int_ge(sd_bus_new(&h->bus), 0);
    ck_assert_int_ge(sd_bus_set_fd(h->bus, fd, fd), 0);
    ck_assert_int_ge(sd_bus_set_anonymous(h->bus, 1), 0);
    ck_assert_int_ge(sd_bus_negotiate_fds(h->bus, 1), 0);
    ck_assert_int_ge(sd_bus_start(h->bus), 0);
}

static void start(HostUnderTest *h, const char *option) {
    int pair[2];
    const char *program = test_path("HOST");
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    h->log = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_ge(h->log, 0);
    h->pid = fork();
    ck_assert_int_ge(h->pid, 0);
    if (h->pid == 0) {
        int own = fcntl(pair[1], F_DUPFD, 100); /* not 3: the option is tested too, and what is left open */
        dup2(h->log, STDERR_FILENO);
        char fd[16];
        snprintf(fd, sizeof(fd), "--fd=%d", own);
        execl(program, program, fd, option, (char *)NULL);
        _exit(127);
    }
    close(pair[1]);
    connect_bus(h, pair[0]);
}

void host_start(HostUnderTest *h) {
    start(h, "--trust-own-uid");
}

void host_start_strict(HostUnderTest *h) {
    start(h, NULL);
}

/* The host itself ends on every path; should that break, the test must fail and not hang. */
int host_wait(HostUnderTest *h) {
    int status = -1;
    for (int turns = 0; turns < 2000; turns++) {
        pid_t pid = waitpid(h->pid, &status, WNOHANG);
        if (pid == h->pid) {
            h->bus = sd_bus_close_unref(h->bus);
            return status;
        }
        usleep(10000);
    }
    kill(h->pid, SIGKILL);
    ck_abort_msg("the host did not end");
    return -1;
}

int host_stop(HostUnderTest *h) {
    h->bus = sd_bus_flush_close_unref(h->bus);
    return host_wait(h);
}

char *host_log(HostUnderTest *h) {
    off_t size = lseek(h->log, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);
    ck_assert_int_eq(pread(h->log, text, (size_t)size, 0), size);
    return text;
}

/* ------------------------------------------------------------------------------------------------------- calls -- */

sd_bus_message *host_message(HostUnderTest *h, const char *method) {
    sd_bus_message *m = NULL;
    ck_assert_int_ge(sd_bus_message_new_method_call(h->bus, &m, NULL, HOST_PATH, HOST_INTERFACE, method), 0);
    return m;
}

static void read_outcome(sd_bus_message *reply, Outcome *ret) {
    const char *text;
    ck_assert_int_ge(sd_bus_message_read(reply, HOST_OUTCOME, &ret->code, &ret->tries_left, &ret->native_code, &text),
                     0);
    snprintf(ret->text, sizeof(ret->text), "%s", text);
}

int host_call(HostUnderTest *h, sd_bus_message *m, Outcome *ret, sd_bus_message **ret_reply) {
    sd_bus_message *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_call(h->bus, m, HARNESS_TIMEOUT, &error, &reply);
    sd_bus_message_unref(m);
    if (r < 0) {
        ck_assert_msg(r != -ETIMEDOUT, "the host does not answer");
        snprintf(ret->text, sizeof(ret->text), "%s", error.name ? error.name : "");
        sd_bus_error_free(&error);
        return r;
    }
    read_outcome(reply, ret);
    if (ret_reply)
        *ret_reply = reply;
    else
        sd_bus_message_unref(reply);
    return ret->code;
}

int host_simple(HostUnderTest *h, const char *method, Outcome *ret, const char *types, ...) {
    sd_bus_message *m = host_message(h, method);
    va_list ap;
    va_start(ap, types);
    ck_assert_int_ge(sd_bus_message_appendv(m, types, ap), 0);
    va_end(ap);
    return host_call(h, m, ret, NULL);
}

static void append_list(sd_bus_message *m, const char *const *list) {
    ck_assert_int_ge(sd_bus_message_append_strv(m, (char **)list), 0);
}

static void append_config(sd_bus_message *m, const char *const *config) {
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{ss}"), 0);
    for (; config && config[0]; config += 2)
        ck_assert_int_ge(sd_bus_message_append(m, "{ss}", config[0], config[1]), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
}

static void append_deadlines(sd_bus_message *m, uint32_t deadline) {
    const char *const names[] = {HOST_DEADLINE_OPEN,   HOST_DEADLINE_LIST, HOST_DEADLINE_LOGIN,
                                 HOST_DEADLINE_PINPAD, HOST_DEADLINE_SIGN, HOST_DEADLINE_CA};
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{su}"), 0);
    for (size_t i = 0; deadline > 0 && i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_int_ge(sd_bus_message_append(m, "{su}", names[i], deadline), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
}

/* All as candidates of one key. */
static void append_libraries(sd_bus_message *m, const char *key, const char *const *paths) {
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sas}"), 0);
    if (paths) {
        ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sas"), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", key ? key : "Module"), 0);
        append_list(m, paths);
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    }
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
}

int host_open(HostUnderTest *h, const OpenArguments *a, Outcome *ret) {
    sd_bus_message *m = host_message(h, HOST_METHOD_OPEN);
    ck_assert_int_ge(sd_bus_message_append(m, "ssss", a->kind, a->plugin, a->library, "unit"), 0);
    append_list(m, a->needs);
    append_config(m, a->config);
    ck_assert_int_ge(a->file_key ? sd_bus_message_append(m, "a{sh}", 1, a->file_key, a->file)
                                 : sd_bus_message_append(m, "a{sh}", 0),
                     0);
    append_list(m, a->read_paths);
    append_list(m, a->write_paths);
    append_libraries(m, a->library_key, a->libraries);
    append_list(m, a->environment);
    append_deadlines(m, a->deadline);
    ck_assert_int_ge(a->leash > 0 ? sd_bus_message_append(m, "ah", 1, a->leash) : sd_bus_message_append(m, "ah", 0), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "s", ""), 0);
    return host_call(h, m, ret, NULL);
}

void host_open_fake(HostUnderTest *h, const char *kind, const char *const *config, uint32_t deadline) {
    bool token = strcmp(kind, "token") == 0;
    const OpenArguments a = {.kind = kind,
                             .plugin = token ? "fake-token" : "fake-ca",
                             .library = test_path(token ? "FAKE_TOKEN" : "FAKE_CA"),
                             .config = config,
                             .deadline = deadline};
    Outcome o;
    int r = host_open(h, &a, &o);
    ck_assert_msg(r == 0, "open: %d %s", r, o.text);
}

/* ------------------------------------------------------------------------------------------------------- tokens -- */

int pipe_with(const void *bytes, size_t size) {
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(write(ends[1], bytes, size), (ssize_t)size);
    close(ends[1]);
    return ends[0];
}

int host_login(HostUnderTest *h, uint64_t request, const char *token, const char *pin, uint32_t flags, Outcome *ret) {
    sd_bus_message *m = host_message(h, HOST_METHOD_LOGIN);
    _cleanup_close_ int fd = pin ? pipe_with(pin, strlen(pin)) : -1;
    ck_assert_int_ge(sd_bus_message_append(m, "ts", request, token), 0);
    ck_assert_int_ge(pin ? sd_bus_message_append(m, "ah", 1, fd) : sd_bus_message_append(m, "ah", 0), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "u", flags), 0);
    return host_call(h, m, ret, NULL);
}

int host_sign(HostUnderTest *h, uint64_t request, const char *token, Outcome *ret, unsigned *ret_n) {
    static const uint8_t certificate[] = "certificate", digest[32] = {1, 2, 3};
    sd_bus_message *m = host_message(h, HOST_METHOD_SIGN), *reply = NULL;
    ck_assert_int_ge(sd_bus_message_append(m, "ts", request, token), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', certificate, sizeof(certificate)), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "u", EONAY_MECH_RSA_PKCS1_SHA256), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "ay"), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 'y', digest, sizeof(digest)), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    int r = host_call(h, m, ret, &reply);
    *ret_n = 0;
    if (r >= 0 && sd_bus_message_enter_container(reply, 'a', "ay") > 0)
        while (sd_bus_message_skip(reply, "ay") > 0)
            ++*ret_n;
    sd_bus_message_unref(reply);
    return r;
}

void host_dictionary_string(sd_bus_message *reply, const char *key, char *ret, size_t size) {
    const char *name, *value;
    ck_assert_int_ge(sd_bus_message_rewind(reply, 1), 0);
    ck_assert_int_ge(sd_bus_message_skip(reply, HOST_OUTCOME), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "{sv}"), 0);
    snprintf(ret, size, "%s", "");
    while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &name), 0);
        if (strcmp(name, key) == 0) {
            ck_assert_int_gt(sd_bus_message_read(reply, "v", "s", &value), 0);
            snprintf(ret, size, "%s", value);
        } else {
            ck_assert_int_gt(sd_bus_message_skip(reply, "v"), 0);
        }
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
    }
}
