/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonayctl code: a verification code of an authority, with its remaining time. Where the login in a browser comes first
 * the code is waited for.
 *
 * There is no option that takes an identity number or an old code on the command line: every user of the machine can
 * read the command lines of all processes.
 */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "error.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "prompt.h"
#include "text.h"

static char *backend;
static char *purpose;
static char *language;
static char *subject_file;
static char *old_code_file;
static gboolean no_wait;

static const GOptionEntry options[] = {
    {"backend", 'b', 0, G_OPTION_ARG_STRING, &backend, N_("Ask this authority"), N_("NAME")},
    {"purpose", 0, 0, G_OPTION_ARG_STRING, &purpose, N_("What the consent is for"), N_("NAME")},
    {"language", 0, 0, G_OPTION_ARG_STRING, &language, N_("Language of the texts: tr or en"), N_("LANGUAGE")},
    {"subject-file", 0, 0, G_OPTION_ARG_FILENAME, &subject_file,
     N_("Bind the code to the T.C. identity number in this file (-: standard input)"), N_("FILE")},
    {"supersede-file", 0, 0, G_OPTION_ARG_FILENAME, &old_code_file,
     N_("End the code in this file (-: standard input) with the new one"), N_("FILE")},
    {"no-wait", 0, 0, G_OPTION_ARG_NONE, &no_wait, N_("Print the code and do not count down"), NULL},
    {NULL},
};

typedef struct CodeRequest {
    Ctl *ctl;
    char *subject;
    char *superseded;
    char *code; /* "" while the login in the browser is open */
    json_t *details;
    bool failed; /* CodeFailed came */
    char *error; /* its name and message */
    char *message;
    bool again; /* the user asked for a new code */
} CodeRequest;

static void code_request_clear(CodeRequest *q) {
    if (q->code)
        explicit_bzero(q->code, strlen(q->code));
    g_clear_pointer(&q->code, g_free);
    g_clear_pointer(&q->details, json_decref);
    g_clear_pointer(&q->error, g_free);
    g_clear_pointer(&q->message, g_free);
    q->failed = q->again = false;
}

static bool has_code(const CodeRequest *q) {
    return q->code && *q->code;
}

static int read_inputs(CodeRequest *q) {
    int r = subject_file ? file_line(subject_file, 64, &q->subject) : 0;
    if (r >= 0 && old_code_file)
        r = file_line(old_code_file, 64, &q->superseded);
    return r < 0 ? ctl_usage(_("A file given cannot be read: %s"), g_strerror(-r)) : CTL_OK;
}

static sd_bus_message *get_code_message(CodeRequest *q) {
    sd_bus_message *m = bus_method(q->ctl, NULL, NULL, "GetCode");
    if (!m || sd_bus_message_append(m, "s", backend ? backend : "") < 0 ||
        sd_bus_message_open_container(m, 'a', "{sv}") < 0)
        return m;
    if (q->subject || q->superseded)
        sd_bus_message_sensitive(m);
    bus_append_string(m, "purpose", purpose);
    bus_append_string(m, "language", language);
    bus_append_string(m, "subject", q->subject);
    bus_append_string(m, "superseded-code", q->superseded);
    sd_bus_message_close_container(m);
    return m;
}

static int get_code(CodeRequest *q) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const char *code;
    int r = bus_call_or_report(q->ctl, get_code_message(q), &reply);
    if (r != CTL_OK)
        return r;
    r = sd_bus_message_read(reply, "s", &code);
    if (r >= 0) {
        q->code = g_strdup(code);
        r = json_read(reply, &q->details);
    }
    return r < 0 ? failure_report_errno(q->ctl, r) : CTL_OK;
}

/* ---- the login in the browser ---- */

static bool is_ours(CodeRequest *q, sd_bus_message *m, const char *handle) {
    return g_strcmp0(sd_bus_message_get_sender(m), q->ctl->daemon) == 0 &&
           strcmp(handle, json_get_string(q->details, "Handle", "")) == 0;
}

static int on_ready(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    CodeRequest *q = userdata;
    const char *handle, *code;
    json_t *details = NULL;
    if (sd_bus_message_read(m, "ss", &handle, &code) < 0 || !q->details || !is_ours(q, m, handle) ||
        json_read(m, &details) < 0)
        return 0;
    code_request_clear(q);
    q->code = g_strdup(code);
    q->details = details;
    return 0;
}

static int on_failed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    CodeRequest *q = userdata;
    const char *handle, *name, *message;
    if (sd_bus_message_read(m, "sss", &handle, &name, &message) < 0 || !q->details || !is_ours(q, m, handle))
        return 0;
    q->failed = true;
    q->error = g_strdup(name);
    q->message = g_strdup(message);
    return 0;
}

static int watch_answers(CodeRequest *q) {
    int r = sd_bus_match_signal(q->ctl->bus, NULL, EONAY_BUS_NAME, EONAY_PATH, EONAY_INTERFACE_MANAGER, "CodeReady",
                                on_ready, q);
    if (r >= 0)
        r = sd_bus_match_signal(q->ctl->bus, NULL, EONAY_BUS_NAME, EONAY_PATH, EONAY_INTERFACE_MANAGER, "CodeFailed",
                                on_failed, q);
    if (r >= 0)
        r = bus_watch_daemon(q->ctl);
    return r < 0 ? failure_report_errno(q->ctl, r) : CTL_OK;
}

static void show_pending(const json_t *details, FILE *out) {
    g_autofree char *uri = text_clean(json_get_string(details, "VerificationUri", ""));
    g_autofree char *whole = text_clean(json_get_string(details, "VerificationUriComplete", uri));
    g_autofree char *user_code = text_clean(json_get_string(details, "UserCode", ""));
    fprintf(out, _("Log in and accept in a browser first:\n  %s\n"), *whole ? whole : uri);
    if (*user_code)
        fprintf(out, _("If the page at %s asks for it, type: %s\n"), uri, user_code);
}

static void cancel_code(CodeRequest *q) {
    Ctl *ctl = q->ctl;
    sd_bus_message *m = NULL;
    const char *handle = json_get_string(q->details, "Handle", "");
    if (sd_bus_message_new_method_call(ctl->bus, &m, EONAY_BUS_NAME, EONAY_PATH, EONAY_INTERFACE_MANAGER,
                                       "CancelCode") < 0)
        return;
    if (sd_bus_message_append(m, "sa{sv}", handle, 0) >= 0)
        sd_bus_call(ctl->bus, m, 2 * USEC_PER_SEC, NULL, NULL);
    sd_bus_message_unref(m);
}

/* Ends with a code, or with what went wrong. The authority itself ends the wait with CodeFailed. */
static int wait_for_login(CodeRequest *q, Terminal *terminal) {
    int r = 0;
    show_pending(q->details, stderr);
    while (r == 0 && !q->failed && !has_code(q)) {
        terminal_countdown(terminal, _("Waiting for the login"), json_get_integer(q->details, "ExpiresAt", 0));
        r = bus_turn(q->ctl, USEC_PER_SEC);
    }
    terminal_status(terminal, NULL);
    if (r == -EINTR)
        cancel_code(q);
    if (r < 0)
        return failure_report(q->ctl, r, NULL);
    return q->failed ? failure_report_named(q->ctl, q->error, q->message) : CTL_OK;
}

/* ---- the code ---- */

static void show_json(CodeRequest *q) {
    json_object_set_new(q->details, "Code", json_string(q->code));
    json_print(json_incref(q->details));
}

static void on_again(Prompt *p, Pin *answer, void *userdata) {
    (void)p;
    CodeRequest *q = userdata;
    q->again = answer != NULL;
}

/* "Kalan süre", and Enter for a new code as the button of the portal's page. */
static int count_down(CodeRequest *q, Terminal *terminal) {
    _cleanup_(prompt_freep) Prompt *p = NULL;
    int64_t until = json_get_integer(q->details, "ExpiresAt", 0);
    int r = prompt_new(q->ctl->event, terminal, _("Enter: a new code instead of this one · Ctrl-C: leave it and end\n"),
                       false, on_again, q, &p);
    while (r >= 0 && !q->again && text_seconds_left(until) > 0) {
        terminal_countdown(terminal, NULL, until);
        r = bus_turn(q->ctl, USEC_PER_SEC);
    }
    terminal_status(terminal, NULL);
    if (r == -EINTR || q->again)
        return CTL_OK;
    return r < 0 ? failure_report(q->ctl, r, NULL) : failure_report_code(q->ctl, EONAY_ERROR_CODE_EXPIRED, NULL);
}

static int one_code(CodeRequest *q, Terminal *terminal, bool live) {
    int r = get_code(q);
    if (r == CTL_OK && !has_code(q))
        r = wait_for_login(q, terminal);
    if (r != CTL_OK)
        return r;
    if (q->ctl->json) {
        show_json(q);
        return CTL_OK;
    }
    puts(q->code);
    fflush(stdout);
    return live ? count_down(q, terminal) : CTL_OK;
}

static int run_request(CodeRequest *q) {
    bool live = !q->ctl->json && !no_wait && isatty(STDOUT_FILENO);
    _cleanup_(terminal_closep) Terminal *terminal = terminal_open(live);
    int r = read_inputs(q);
    if (r == CTL_OK)
        r = watch_answers(q);
    while (r == CTL_OK) {
        r = one_code(q, terminal, live && terminal_fd(terminal) >= 0);
        if (!q->again)
            break;
        g_free(q->superseded);
        q->superseded = g_strdup(q->code);
        code_request_clear(q);
    }
    return r;
}

static int check_options(const Ctl *ctl) {
    (void)ctl;
    if (language && strcmp(language, "tr") != 0 && strcmp(language, "en") != 0)
        return ctl_usage(_("--language is tr or en."));
    return CTL_OK;
}

static int run(Ctl *ctl, char **arguments) {
    (void)arguments;
    CodeRequest q = {.ctl = ctl};
    int r = run_request(&q);
    code_request_clear(&q);
    g_free(q.subject);
    g_free(q.superseded);
    return r;
}

const Verb verb_code = {
    .name = "code",
    .summary = N_("Get a verification code and see its remaining time"),
    .options = options,
    .check = check_options,
    .run = run,
};
