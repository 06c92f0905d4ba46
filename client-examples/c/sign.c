/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs a consent through eonayd, with sd-bus:   sign CODE [FILE]
 *
 * Shows the texts, asks on the terminal, lets the agent of the session ask for the PIN, stores the first signature.
 *
 *     cc -o sign sign.c $(pkg-config --cflags --libs libsystemd)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define NAME          "org.eonay.EOnay1"
#define ROOT          "/org/eonay/EOnay1"
#define MANAGER       NAME ".Manager"
#define CONSENT       NAME ".Consent"
#define PATIENCE      300 /* seconds: the life of a code; a person is asked */
#define TEXTS_MAX     16
#define SIGNATURE_MAX (8 << 20)

typedef struct Sign {
    sd_bus *bus;
    sd_bus_message *reply;       /* of the call that was made last */
    char *consent, *certificate; /* object paths */
    char *hashes[TEXTS_MAX + 1]; /* of the texts that were shown, ended by NULL */
    int ended, success;
} Sign;

/* Says what happened and what to do next, in the daemon's words. The timeout is long: a person may be asked. */
static int call(Sign *s, sd_bus_message *m) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    s->reply = sd_bus_message_unref(s->reply);
    int r = sd_bus_call(s->bus, m, PATIENCE * 1000000ULL, &error, &s->reply);
    if (r < 0)
        fprintf(stderr, "%s\n", error.message ? error.message : strerror(-r));
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
    sd_bus_message *m = method(s, ROOT, MANAGER, "OpenConsent");
    const char *path;
    sd_bus_message_append(m, "sa{sv}", code, 0);
    int r = call(s, m);
    if (r >= 0 && (r = sd_bus_message_read(s->reply, "o", &path)) >= 0)
        s->consent = strdup(path);
    return r;
}

/* Every text as it is, byte for byte: its hash is what gets signed. */
static int show_texts(Sign *s) {
    sd_bus_message *m = method(s, s->consent, CONSENT, "GetTexts");
    const char *title, *sha256;
    const void *bytes;
    size_t size, n = 0;
    sd_bus_message_append(m, "a{sv}", 0);
    int r = call(s, m);
    if (r >= 0)
        r = sd_bus_message_enter_container(s->reply, 'a', "(sssay)");
    while (r >= 0 && n < TEXTS_MAX && (r = sd_bus_message_enter_container(s->reply, 'r', "sssay")) > 0) {
        if ((r = sd_bus_message_read(s->reply, "sss", &title, NULL, &sha256)) < 0 ||
            (r = sd_bus_message_read_array(s->reply, 'y', &bytes, &size)) < 0)
            break;
        printf("--- %s\n%.*s\n", title, (int)size, (const char *)bytes);
        s->hashes[n++] = strdup(sha256);
        r = sd_bus_message_exit_container(s->reply);
    }
    return r;
}

static int user_agrees(void) {
    char answer[16];
    printf("Sign this? [yes/no] ");
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0 ? 0 : -ECANCELED;
}

/* The first certificate that can be used; a real program lets the user choose. */
static int find_certificate(Sign *s) {
    sd_bus_message *m = method(s, ROOT, MANAGER, "ListCertificates");
    const char *path;
    sd_bus_message_append(m, "a{sv}", 1, "usable", "b", 1);
    int r = call(s, m);
    if (r >= 0 && sd_bus_message_enter_container(s->reply, 'a', "(oa{sv})") > 0 &&
        sd_bus_message_enter_container(s->reply, 'r', "oa{sv}") > 0 && sd_bus_message_read(s->reply, "o", &path) > 0)
        s->certificate = strdup(path);
    else if (r >= 0)
        fprintf(stderr, "There is no certificate that can be used.\n");
    return s->certificate ? 0 : -ENOENT;
}

static int on_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Sign *s = userdata;
    const char *key, *value;
    (void)error;
    if (sd_bus_message_read(m, "bs", &s->success, NULL) < 0 || sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
        return 0;
    s->ended = 1;
    while (sd_bus_message_enter_container(m, 'e', "sv") > 0 && sd_bus_message_read(m, "s", &key) > 0) {
        if (strcmp(key, "Message") != 0 && strcmp(key, "Hint") != 0)
            sd_bus_message_skip(m, "v");
        else if (sd_bus_message_read(m, "v", "s", &value) > 0)
            fprintf(stderr, "%s\n", value);
        sd_bus_message_exit_container(m);
    }
    return 0;
}

static int sign(Sign *s) {
    sd_bus_message *m = method(s, s->consent, CONSENT, "Sign");
    time_t end = time(NULL) + PATIENCE;
    int r = sd_bus_match_signal(s->bus, NULL, NAME, s->consent, CONSENT, "Finished", on_finished, s);
    sd_bus_message_append(m, "o", s->certificate);
    sd_bus_message_open_container(m, 'a', "{sv}");
    sd_bus_message_open_container(m, 'e', "sv");
    sd_bus_message_append(m, "s", "accept-text-sha256");
    sd_bus_message_open_container(m, 'v', "as");
    sd_bus_message_append_strv(m, s->hashes);
    for (int i = 0; i < 3; i++) /* variant, entry, dictionary */
        sd_bus_message_close_container(m);
    r = r < 0 ? r : call(s, m);
    while (r >= 0 && !s->ended && time(NULL) < end) /* the agent asks for the PIN meanwhile */
        if ((r = sd_bus_process(s->bus, NULL)) == 0)
            r = sd_bus_wait(s->bus, 1000000);
    return r >= 0 && !s->success ? -ECANCELED : r;
}

static int store(Sign *s, const char *file) {
    sd_bus_message *m = method(s, s->consent, CONSENT, "GetSignature");
    off_t at = 0;
    int fd, out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    sd_bus_message_append(m, "a{sv}", 0);
    int r = call(s, m);
    if (r >= 0 && (r = sd_bus_message_read(s->reply, "h", &fd)) >= 0 && sendfile(out, fd, &at, SIGNATURE_MAX) <= 0)
        r = -errno;
    if (out >= 0)
        close(out);
    fprintf(r < 0 ? stderr : stdout, r < 0 ? "%s could not be written\n" : "signed: %s\n", file);
    return r;
}

int main(int argc, char **argv) {
    Sign s = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: sign CODE [FILE]\n");
        return 2;
    }
    int r = sd_bus_open_system(&s.bus);
    if (r < 0)
        fprintf(stderr, "The system bus cannot be reached: %s\n", strerror(-r));
    else if ((r = open_consent(&s, argv[1])) >= 0 && (r = show_texts(&s)) >= 0 && (r = user_agrees()) >= 0 &&
             (r = find_certificate(&s)) >= 0 && (r = sign(&s)) >= 0)
        r = store(&s, argc > 2 ? argv[2] : "consent.p7s");
    for (size_t i = 0; s.hashes[i]; i++)
        free(s.hashes[i]);
    free(s.certificate);
    free(s.consent);
    sd_bus_message_unref(s.reply);
    sd_bus_flush_close_unref(s.bus); /* an unsigned consent is cancelled by that */
    return r < 0 ? 1 : 0;
}
