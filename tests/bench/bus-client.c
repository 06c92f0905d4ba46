// SPDX-License-Identifier: Apache-2.0
/*
 * The daemon as one client on the bus sees it.
 *
 * Usage: bus-client BUS-ADDRESS ECHO-NAME [BACKEND]; first line of standard input: the PIN. Verbs:
 *   prepare N  opens N consents and takes the hashes of their texts; prints nothing
 *   sign N     signs N prepared consents one after the other. Prints for each: when the PIN was in its pipe and Sign
 * was about to be sent; when StateChanged told "submitting", which the daemon says exactly when the verified signature
 * is on disk; when Finished came list N     calls ListCertificates; prints how long each took size N     how many bytes
 * the echo service shall answer with echo N     asks the echo service; prints how long each took It says "." first of
 * all, when it is connected and has chosen a certificate.
 */
#include <unistd.h>

#include "bench-bus.h"

#define NAME         "org.eonay.EOnay1"
#define ROOT         "/org/eonay/EOnay1"
#define CONSENTS_MAX 4096

typedef struct Consent {
    char *path;
    char **hashes;
} Consent;

static sd_bus *bus;
static const char *echo_name, *backend = "";
static char pin[64];
static char *certificate;
static Consent consents[CONSENTS_MAX];
static unsigned n_consents, n_signed;
static const char *current;
static uint64_t submitting_at, finished_at;
static unsigned n_finished;
static uint32_t echo_size;

static void must(int r, const sd_bus_error *error, const char *what) {
    if (r < 0)
        bench_fail("%s: %s", what, error && error->message ? error->message : strerror(-r));
}

static sd_bus_message *new_call(const char *path, const char *interface, const char *member) {
    sd_bus_message *m = NULL;

    must(sd_bus_message_new_method_call(bus, &m, NAME, path, interface, member), NULL, member);
    return m;
}

/* Sends and releases m; the reply is the caller's. */
static sd_bus_message *call(sd_bus_message *m) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *reply = NULL;

    must(sd_bus_call(bus, m, 60000000, &error, &reply), &error, sd_bus_message_get_member(m));
    sd_bus_message_unref(m);
    return reply;
}

static char *open_consent(void) {
    sd_bus_message *m = new_call(ROOT, NAME ".Manager", "GetCode"), *reply;
    const char *code, *path;
    char *copy;

    must(sd_bus_message_append(m, "sa{sv}", backend, 0), NULL, "GetCode");
    reply = call(m);
    must(sd_bus_message_read(reply, "s", &code), NULL, "code");
    m = new_call(ROOT, NAME ".Manager", "OpenConsent");
    must(*backend ? sd_bus_message_append(m, "sa{sv}", code, 1, "backend", "s", backend)
                  : sd_bus_message_append(m, "sa{sv}", code, 0),
         NULL, "OpenConsent");
    sd_bus_message_unref(reply);
    reply = call(m);
    must(sd_bus_message_read(reply, "o", &path), NULL, "consent");
    copy = strdup(path);
    sd_bus_message_unref(reply);
    return copy;
}

static char **text_hashes(const char *path) {
    sd_bus_message *m = new_call(path, NAME ".Consent", "GetTexts"), *reply;
    char **hashes = calloc(17, sizeof *hashes);
    const char *hash;
    unsigned n = 0;

    must(sd_bus_message_append(m, "a{sv}", 0), NULL, "GetTexts");
    reply = call(m);
    must(sd_bus_message_enter_container(reply, 'a', "(sssay)"), NULL, "texts");
    while (n < 16 && sd_bus_message_enter_container(reply, 'r', "sssay") > 0) {
        must(sd_bus_message_skip(reply, "ss"), NULL, "text");
        must(sd_bus_message_read(reply, "s", &hash), NULL, "hash");
        must(sd_bus_message_skip(reply, "ay"), NULL, "text");
        must(sd_bus_message_exit_container(reply), NULL, "text");
        hashes[n++] = strdup(hash);
    }
    sd_bus_message_unref(reply);
    return hashes;
}

static sd_bus_message *list_certificates(bool usable) {
    sd_bus_message *m = new_call(ROOT, NAME ".Manager", "ListCertificates");

    if (usable)
        must(sd_bus_message_append(m, "a{sv}", 1, "usable", "b", true), NULL, "ListCertificates");
    else
        must(sd_bus_message_append(m, "a{sv}", 0), NULL, "ListCertificates");
    return call(m);
}

static void choose_certificate(void) {
    sd_bus_message *reply = list_certificates(true);
    const char *path;

    if (sd_bus_message_enter_container(reply, 'a', "(oa{sv})") < 0 ||
        sd_bus_message_enter_container(reply, 'r', "oa{sv}") <= 0 || sd_bus_message_read(reply, "o", &path) < 0)
        bench_fail("no usable certificate");
    certificate = strdup(path);
    sd_bus_message_unref(reply);
}

static void prepare(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (n_consents == CONSENTS_MAX)
            bench_fail("too many consents");
        consents[n_consents].path = open_consent();
        consents[n_consents].hashes = text_hashes(consents[n_consents].path);
        n_consents++;
    }
}

static int on_state_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *state;

    (void)userdata;
    (void)error;
    if (strcmp(sd_bus_message_get_path(m), current) != 0)
        return 0;
    if (sd_bus_message_read(m, "s", &state) >= 0 && strcmp(state, "submitting") == 0)
        submitting_at = bench_now();
    return 0;
}

static int on_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name;
    int success;

    (void)userdata;
    (void)error;
    finished_at = bench_now();
    n_finished++;
    if (sd_bus_message_read(m, "bs", &success, &name) < 0 || !success)
        bench_fail("Finished: %s", name);
    return 0;
}

static int on_sign_reply(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const sd_bus_error *e = sd_bus_message_get_error(m);

    (void)userdata;
    (void)error;
    if (e)
        bench_fail("Sign: %s", e->message);
    return 0;
}

static int pin_pipe(void) {
    size_t size = strlen(pin);
    int ends[2];

    if (pipe(ends) < 0 || write(ends[1], pin, size) != (ssize_t)size)
        bench_fail("no pipe");
    close(ends[1]);
    return ends[0];
}

static sd_bus_message *sign_call(const Consent *c, int descriptor) {
    sd_bus_message *m = new_call(c->path, NAME ".Consent", "Sign");
    int r;

    must(sd_bus_message_append(m, "o", certificate), NULL, "Sign");
    must(sd_bus_message_open_container(m, 'a', "{sv}"), NULL, "Sign");
    must(sd_bus_message_append(m, "{sv}", "pin", "h", descriptor), NULL, "Sign");
    must(sd_bus_message_open_container(m, 'e', "sv"), NULL, "Sign");
    must(sd_bus_message_append(m, "s", "accept-text-sha256"), NULL, "Sign");
    must(sd_bus_message_open_container(m, 'v', "as"), NULL, "Sign");
    must(sd_bus_message_append_strv(m, c->hashes), NULL, "Sign");
    for (r = 0; r < 3; r++)
        must(sd_bus_message_close_container(m), NULL, "Sign");
    return m;
}

static void close_consent(const char *path) {
    sd_bus_message *m = new_call(path, NAME ".Consent", "Close");

    must(sd_bus_message_append(m, "a{sv}", 0), NULL, "Close");
    sd_bus_message_unref(call(m));
}

static void wait_for_bus(void) {
    int r = sd_bus_process(bus, NULL);

    must(r, NULL, "bus");
    if (r == 0 && sd_bus_wait(bus, 60000000) == 0)
        bench_fail("the daemon has said nothing for a minute");
}

/* Sends Sign for the next prepared consent and waits until its signature is on disk; returns when it was sent. */
static uint64_t sign_next(void) {
    const Consent *c = &consents[n_signed++];
    int descriptor = pin_pipe();
    sd_bus_message *m = sign_call(c, descriptor);
    uint64_t start = bench_now();

    current = c->path;
    submitting_at = 0;
    must(sd_bus_call_async(bus, NULL, m, on_sign_reply, NULL, 0), NULL, "Sign");
    sd_bus_message_unref(m);
    close(descriptor);
    while (!submitting_at)
        wait_for_bus();
    return start;
}

static void sign_to_receipt(void) {
    uint64_t start = sign_next();

    while (n_finished < n_signed)
        wait_for_bus();
    printf("%llu %llu %llu\n", (unsigned long long)start, (unsigned long long)submitting_at,
           (unsigned long long)finished_at);
    close_consent(current);
}

static void sign_in_a_rush(unsigned count) {
    unsigned first = n_signed;

    for (unsigned i = 0; i < count; i++) {
        uint64_t start = sign_next();

        printf("%llu %llu\n", (unsigned long long)start, (unsigned long long)submitting_at);
    }
    while (n_finished < n_signed)
        wait_for_bus();
    printf("%llu\n", (unsigned long long)finished_at);
    while (first < n_signed)
        close_consent(consents[first++].path);
}

static void list_once(void) {
    uint64_t start = bench_now();
    sd_bus_message *reply = list_certificates(false);

    printf("%llu\n", (unsigned long long)(bench_now() - start));
    sd_bus_message_unref(reply);
}

static void echo_once(void) {
    uint64_t start = bench_now();
    sd_bus_message *m = NULL;

    must(sd_bus_message_new_method_call(bus, &m, echo_name, "/echo", NAME ".Agent", "Echo"), NULL, "Echo");
    must(sd_bus_message_append(m, "u", echo_size), NULL, "Echo");
    sd_bus_message_unref(call(m));
    printf("%llu\n", (unsigned long long)(bench_now() - start));
}

static void repeat(unsigned count, void (*action)(void)) {
    while (count-- > 0)
        action();
}

static void obey(const char *verb, unsigned count) {
    if (strcmp(verb, "prepare") == 0)
        prepare(count);
    else if (strcmp(verb, "sign") == 0 && count <= n_consents - n_signed)
        repeat(count, sign_to_receipt);
    else if (strcmp(verb, "rush") == 0 && count <= n_consents - n_signed)
        sign_in_a_rush(count);
    else if (strcmp(verb, "list") == 0)
        repeat(count, list_once);
    else if (strcmp(verb, "size") == 0)
        echo_size = count;
    else if (strcmp(verb, "echo") == 0)
        repeat(count, echo_once);
    else
        bench_fail("cannot %s %u", verb, count);
    bench_done();
}

int main(int argc, char **argv) {
    const char *verb;

    if (argc != 3 && argc != 4)
        bench_fail("usage: bus-client BUS-ADDRESS ECHO-NAME [BACKEND]");
    echo_name = argv[2];
    backend = argc == 4 ? argv[3] : "";
    bench_read_line(pin, sizeof pin);
    bus = bench_connect(argv[1]);
    /* Unicast signals need no match at the bus, but a slot here. */
    must(sd_bus_match_signal(bus, NULL, NULL, NULL, NAME ".Consent", "StateChanged", on_state_changed, NULL), NULL,
         "match");
    must(sd_bus_match_signal(bus, NULL, NULL, NULL, NAME ".Consent", "Finished", on_finished, NULL), NULL, "match");
    choose_certificate();
    bench_done();
    for (;;) {
        unsigned count = bench_next(&verb);

        obey(verb, count);
    }
}
