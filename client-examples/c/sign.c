/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs a consent through eonayd, with sd-bus:   sign CODE [FILE]
 *
 * Shows the texts, asks on the terminal, lets the agent of the session ask for the PIN, stores the first signature.
 *
 *     cc -o sign sign.c $(pkg-config --cflags --libs libsystemd)
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define NAME      "org.eonay.EOnay1"
#define ROOT      "/org/eonay/EOnay1"
#define MANAGER   NAME ".Manager"
#define CONSENT   NAME ".Consent"
#define TEXTS_MAX 16

typedef struct Sign {
    sd_bus *bus;
    char *consent;           /* object path */
    char *hashes[TEXTS_MAX]; /* of the texts that were shown */
    size_t n;
    int ended, success;
} Sign;

/* One call; says what went wrong. The timeout is long: a person may be asked. */
static int call(Sign *s, sd_bus_message *m, sd_bus_message **ret) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_call(s->bus, m, 300 * 1000000ULL, &error, ret);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", error.name ? error.name : strerror(-r), error.message ? error.message : "");
    sd_bus_error_free(&error);
    sd_bus_message_unref(m);
    return r;
}

static sd_bus_message *method(Sign *s, const char *path, const char *interface, const char *member) {
    sd_bus_message *m = NULL;
    if (sd_bus_message_new_method_call(s->bus, &m, NAME, path, interface, member) < 0)
        abort();
    return m;
}

static int open_consent(Sign *s, const char *code) {
    sd_bus_message *reply = NULL, *m = method(s, ROOT, MANAGER, "OpenConsent");
    const char *path;
    sd_bus_message_append(m, "sa{sv}", code, 0);
    int r = call(s, m, &reply);
    if (r >= 0 && (r = sd_bus_message_read(reply, "o", &path)) >= 0)
        s->consent = strdup(path);
    sd_bus_message_unref(reply);
    return r;
}

/* Every text as it is, byte for byte: its hash is what gets signed. */
static int show_texts(Sign *s) {
    sd_bus_message *reply = NULL, *m = method(s, s->consent, CONSENT, "GetTexts");
    const char *title, *media_type, *sha256;
    const void *bytes;
    size_t size;
    sd_bus_message_append(m, "a{sv}", 0);
    int r = call(s, m, &reply);
    if (r >= 0)
        r = sd_bus_message_enter_container(reply, 'a', "(sssay)");
    while (r >= 0 && s->n < TEXTS_MAX && (r = sd_bus_message_enter_container(reply, 'r', "sssay")) > 0) {
        if ((r = sd_bus_message_read(reply, "sss", &title, &media_type, &sha256)) < 0 ||
            (r = sd_bus_message_read_array(reply, 'y', &bytes, &size)) < 0)
            break;
        printf("--- %s\n", title);
        fwrite(bytes, 1, size, stdout);
        s->hashes[s->n++] = strdup(sha256);
        r = sd_bus_message_exit_container(reply);
    }
    sd_bus_message_unref(reply);
    return r;
}

static int user_agrees(void) {
    char answer[16];
    printf("\nSign this? [yes/no] ");
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0;
}

/* The first certificate that can be used; a real program lets the user choose. */
static char *find_certificate(Sign *s) {
    sd_bus_message *reply = NULL, *m = method(s, ROOT, MANAGER, "ListCertificates");
    const char *path;
    char *found = NULL;
    sd_bus_message_append(m, "a{sv}", 1, "usable", "b", 1);
    if (call(s, m, &reply) >= 0 && sd_bus_message_enter_container(reply, 'a', "(oa{sv})") > 0 &&
        sd_bus_message_enter_container(reply, 'r', "oa{sv}") > 0 && sd_bus_message_read(reply, "o", &path) > 0)
        found = strdup(path);
    else
        fprintf(stderr, "There is no certificate that can be used.\n");
    sd_bus_message_unref(reply);
    return found;
}

static int on_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Sign *s = userdata;
    const char *name;
    (void)error;
    if (sd_bus_message_read(m, "bs", &s->success, &name) >= 0) {
        s->ended = 1;
        if (!s->success)
            fprintf(stderr, "%s\n", name);
    }
    return 0;
}

static int sign(Sign *s, const char *certificate) {
    sd_bus_message *m = method(s, s->consent, CONSENT, "Sign");
    int r = sd_bus_match_signal(s->bus, NULL, NAME, s->consent, CONSENT, "Finished", on_finished, s);
    sd_bus_message_append(m, "o", certificate);
    sd_bus_message_open_container(m, 'a', "{sv}");
    sd_bus_message_open_container(m, 'e', "sv");
    sd_bus_message_append(m, "s", "accept-text-sha256");
    sd_bus_message_open_container(m, 'v', "as");
    sd_bus_message_open_container(m, 'a', "s");
    for (size_t i = 0; i < s->n; i++)
        sd_bus_message_append(m, "s", s->hashes[i]);
    for (int i = 0; i < 4; i++) /* array, variant, entry, dictionary */
        sd_bus_message_close_container(m);
    if (r < 0 || (r = call(s, m, NULL)) < 0)
        return r;
    while (!s->ended && r >= 0) /* the agent asks for the PIN meanwhile */
        if ((r = sd_bus_process(s->bus, NULL)) == 0)
            r = sd_bus_wait(s->bus, UINT64_MAX);
    return s->success ? 0 : -ECANCELED;
}

static int store(Sign *s, const char *file) {
    sd_bus_message *reply = NULL, *m = method(s, s->consent, CONSENT, "GetSignature");
    char buffer[4096];
    ssize_t n;
    off_t at = 0;
    int fd;
    sd_bus_message_append(m, "a{sv}", 0);
    int r = call(s, m, &reply);
    FILE *out = r >= 0 ? fopen(file, "wb") : NULL;
    if (r >= 0 && out && (r = sd_bus_message_read(reply, "h", &fd)) >= 0)
        for (; (n = pread(fd, buffer, sizeof(buffer), at)) > 0; at += n)
            fwrite(buffer, 1, (size_t)n, out);
    if (!out || fclose(out) != 0)
        r = -EIO;
    sd_bus_message_unref(reply);
    if (r >= 0)
        printf("signed: %s\n", file);
    return r;
}

int main(int argc, char **argv) {
    Sign s = {0};
    char *certificate = NULL;
    if (argc < 2) {
        fprintf(stderr, "usage: sign CODE [FILE]\n");
        return 2;
    }
    int r = sd_bus_open_system(&s.bus);
    if (r >= 0 && (r = open_consent(&s, argv[1])) >= 0 && (r = show_texts(&s)) >= 0)
        r = user_agrees() && (certificate = find_certificate(&s)) ? sign(&s, certificate) : -ECANCELED;
    if (r >= 0)
        r = store(&s, argc > 2 ? argv[2] : "consent.p7s");
    for (size_t i = 0; i < s.n; i++)
        free(s.hashes[i]);
    free(certificate);
    free(s.consent);
    sd_bus_flush_close_unref(s.bus); /* an unsigned consent is cancelled by that */
    return r < 0 ? 1 : 0;
}
