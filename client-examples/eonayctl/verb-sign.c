/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonayctl sign: opens the consent of a code, shows what would be signed, asks, takes the PIN, and keeps signature and
 * receipt. Nothing is retried without the user: a wrong PIN is told with the tries left and asked for again.
 */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "choose.h"
#include "consent.h"
#include "error.h"
#include "failure.h"
#include "file.h"
#include "json.h"
#include "p12.h"
#include "pin-source.h"
#include "prompt.h"
#include "text.h"
#include "texts.h"

static char *certificate;
static char *p12_file;
static char *output;
static char *receipt_file;
static char *backend;
static gboolean yes;
static gboolean use_agent;
static gboolean allow_final_try;

static const GOptionEntry options[] = {
    {"certificate", 'c', 0, G_OPTION_ARG_STRING, &certificate,
     N_("Sign with this certificate: a fingerprint (or its beginning) or an object path"), N_("CERTIFICATE")},
    {"file", 'f', 0, G_OPTION_ARG_FILENAME, &p12_file, N_("Sign with the key in this PKCS#12 file"), N_("FILE")},
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
     N_("Write the signature (CMS, DER) here; several texts give NAME-1.p7s, NAME-2.p7s …"), N_("FILE")},
    {"receipt", 'r', 0, G_OPTION_ARG_FILENAME, &receipt_file, N_("Write the receipt here, as JSON"), N_("FILE")},
    {"backend", 'b', 0, G_OPTION_ARG_STRING, &backend, N_("The authority that gave the code"), N_("NAME")},
    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, N_("Do not ask whether to sign: the text was read elsewhere"), NULL},
    {"pin-file", 0, 0, G_OPTION_ARG_FILENAME, &pin_source.file,
     N_("Take the PIN from this file, which nobody else may be able to read"), N_("FILE")},
    {"pin-fd", 0, 0, G_OPTION_ARG_INT, &pin_source.fd, N_("Take the PIN from this open descriptor"), N_("NUMBER")},
    {"allow-final-try", 0, 0, G_OPTION_ARG_NONE, &allow_final_try,
     N_("Use the last PIN try before the token locks itself"), NULL},
    {"agent", 0, 0, G_OPTION_ARG_NONE, &use_agent, N_("Let the agent of the session show the text and ask for the PIN"),
     NULL},
    {NULL},
};

typedef struct Signing {
    Ctl *ctl;
    Terminal *terminal;
    Consent consent;
    char *code;
    char *token; /* of --file */
    json_t *certificate;
    bool pin_pad;
    bool allow_final_try;
    Pin *pin; /* given beforehand: used once */
} Signing;

/* ---- what is asked before ---- */

static int take_code(Signing *s, const char *argument) {
    _cleanup_(pin_freep) Pin *answer = NULL;
    if (argument && strcmp(argument, "-") != 0) {
        s->code = g_strdup(argument);
        return CTL_OK;
    }
    int r = argument ? -ENOTTY : prompt_ask(s->ctl, s->terminal, _("Verification code: "), false, NULL, &answer);
    if (r > 0)
        s->code = g_strdup(pin_text(answer));
    else if (r == -ENOTTY)
        r = file_line("-", 4096, &s->code);
    if (r == 0 && !s->code)
        return failure_report_code(s->ctl, EONAY_ERROR_CANCELLED, NULL);
    if (r == -EFBIG)
        return failure_report_code(s->ctl, EONAY_ERROR_CODE_INVALID, NULL);
    return r < 0 ? failure_report_errno(s->ctl, r) : CTL_OK;
}

/* An answer that did not come: the consent ended meanwhile, or the user did. */
static int not_answered(Signing *s, int r) {
    if (r == -ESTALE)
        return consent_report(&s->consent);
    return failure_report_errno(s->ctl, r == 0 ? -EINTR : r);
}

static int confirm(Signing *s) {
    texts_show(terminal_out(s->terminal), s->consent.texts, s->consent.details);
    if (yes)
        return CTL_OK;
    int r = prompt_confirm(s->ctl, s->terminal, _("Do you agree and want to sign this? [y/N] "), &s->consent.ended);
    return r > 0 ? CTL_OK : not_answered(s, r);
}

static int confirm_final_try(Signing *s) {
    if (s->allow_final_try || pin_source_is_given())
        return CTL_OK; /* without --allow-final-try the daemon refuses */
    int r = prompt_confirm(
        s->ctl, s->terminal,
        _("Only one PIN try is left before the token locks itself. Are you sure of the PIN and want to use it? [y/N] "),
        &s->consent.ended);
    if (r <= 0)
        return r == -ENOTTY ? failure_report_code(s->ctl, EONAY_ERROR_PIN_FINAL_TRY, NULL) : not_answered(s, r);
    s->allow_final_try = true;
    return CTL_OK;
}

/* The token's own keypad and its remaining tries. A token that vanished is told by Sign(). */
static int look_at_token(Signing *s) {
    _cleanup_json_ json_t *token = NULL;
    const char *path = json_get_string(s->certificate, "Token", "/");
    if (bus_properties(s->ctl, path, EONAY_INTERFACE_TOKEN, &token) < 0)
        return s->ctl->interrupted ? not_answered(s, -EINTR) : CTL_OK;
    const char *state = json_get_string(token, "PinState", "");
    s->pin_pad = json_get_bool(token, "PinPad", false);
    if (strcmp(state, "low") == 0)
        fprintf(terminal_out(s->terminal), "%s\n",
                _("A wrong PIN was entered for this token before: type the PIN with care."));
    return strcmp(state, "final-try") == 0 ? confirm_final_try(s) : CTL_OK;
}

static int take_pin(Signing *s, Pin **ret) {
    if (s->pin) {
        *ret = TAKE_PTR(s->pin);
        return CTL_OK;
    }
    g_autofree char *name = text_common_name(json_get_string(s->certificate, "Subject", ""));
    g_autofree char *question = g_strdup_printf(_("PIN of %s (is not shown; Enter alone ends): "), name);
    int r = pin_source_take(s->ctl, s->terminal, question, &s->consent.ended, ret);
    return r != CTL_OK && s->consent.ended ? consent_report(&s->consent) : r;
}

/* ---- the attempts ---- */

static int attempt(Signing *s) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    _cleanup_close_ int fd = -1;
    bool wants_pin = !use_agent && !s->pin_pad;
    int r = wants_pin ? take_pin(s, &pin) : CTL_OK;
    if (r != CTL_OK)
        return r;
    if (pin && (r = pin_pipe(pin, &fd)) < 0)
        return failure_report_errno(s->ctl, r);
    pin = pin_free(pin);
    if (s->pin_pad && !use_agent)
        fprintf(terminal_out(s->terminal), "%s\n", _("Enter the PIN on the reader or phone."));
    return consent_sign(&s->consent,
                        &(ConsentSign){.certificate = json_get_string(s->certificate, "Path", "/"),
                                       .accept = !use_agent,
                                       .pin_fd = fd,
                                       .allow_final_try = s->allow_final_try},
                        s->terminal);
}

/* Whether the user can do better at once: a wrong PIN, a PIN of impossible form, the last try not allowed yet. */
static bool can_try_again(const Signing *s) {
    int code = eonay_error_from_name(s->consent.error);
    return !s->consent.success && json_get_bool(s->consent.result, "Retriable", false) && !use_agent && !s->pin_pad &&
           !pin_source_is_given() && terminal_fd(s->terminal) >= 0 &&
           (code == EONAY_ERROR_PIN_INCORRECT || code == EONAY_ERROR_PIN_FORMAT || code == EONAY_ERROR_PIN_FINAL_TRY);
}

static int sign(Signing *s) {
    int r = attempt(s);
    while (r == CTL_OK && can_try_again(s)) {
        bool json = s->ctl->json;
        s->ctl->json = FALSE; /* the end decides what is printed */
        consent_report(&s->consent);
        s->ctl->json = json;
        s->consent.ended = false;
        if (eonay_error_from_name(s->consent.error) == EONAY_ERROR_PIN_FINAL_TRY ||
            json_get_integer(s->consent.result, "TriesLeft", -1) == 1)
            r = confirm_final_try(s);
        if (r == CTL_OK)
            r = attempt(s);
    }
    if (r != CTL_OK || s->consent.success)
        return r;
    return consent_report(&s->consent);
}

/* ---- what is kept ---- */

static int store(Signing *s, const char *path, const void *data, size_t size) {
    int r = file_store(path, data, size);
    if (r == 0)
        return CTL_OK;
    fprintf(stderr, _("eonayctl: '%s' cannot be written: %s\n"), path,
            r == -ENOTSUP ? _("it is a terminal") : g_strerror(-r));
    fprintf(stderr, _("          The signature is not lost: 'eonayctl export %s' gives the evidence.\n"),
            json_get_string(s->consent.details, "ConsentId", "ID"));
    return CTL_FAILED;
}

static int store_signatures(Signing *s) {
    unsigned n = s->consent.texts->len;
    for (unsigned i = 0; output && i < n; i++) {
        g_autoptr(GBytes) signature = NULL;
        g_autofree char *path = n > 1 && strcmp(output, "-") != 0 ? file_numbered(output, i + 1) : g_strdup(output);
        int r = consent_signature(&s->consent, i, &signature);
        if (r == CTL_OK)
            r = store(s, path, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));
        if (r != CTL_OK)
            return r;
    }
    return CTL_OK;
}

static void show_receipt(const json_t *receipt) {
    g_autofree char *id = text_clean(json_get_string(receipt, "ReceiptId", "-"));
    g_autofree char *signed_at = text_time(json_get_integer(receipt, "SignedAt", 0));
    printf(_("The consent is signed and the authority has received it.\n"));
    printf(_("Receipt: %s\nSigned: %s\nConsent: %s\n"), id, signed_at, json_get_string(receipt, "ConsentId", "-"));
}

static int keep(Signing *s) {
    _cleanup_json_ json_t *receipt = NULL;
    int r = consent_receipt(&s->consent, &receipt);
    if (r == CTL_OK)
        r = store_signatures(s);
    if (r != CTL_OK)
        return r;
    g_autofree char *text = json_text(receipt);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (receipt_file)
        r = store(s, receipt_file, line, strlen(line));
    if (s->ctl->json)
        json_print(json_incref(receipt));
    else if (g_strcmp0(output, "-") != 0 && g_strcmp0(receipt_file, "-") != 0)
        show_receipt(receipt);
    return r;
}

/* ---- the whole ---- */

/* What is bound to fail is told while the code is still good: nobody to ask, a PIN file that is none. */
static int look_ahead(Signing *s) {
    if (!use_agent && !yes && terminal_fd(s->terminal) < 0)
        return ctl_usage(_("There is no terminal to ask on: use --yes, or --agent."));
    return pin_source.file && !p12_file ? pin_source_take_given(s->ctl, &pin_source, &s->pin) : CTL_OK;
}

static int check_options(const Ctl *ctl) {
    (void)ctl;
    if (use_agent && (yes || pin_source_is_given()))
        return ctl_usage(
            _("--agent leaves confirmation and PIN to the agent: it excludes --yes, --pin-file and --pin-fd."));
    if (pin_source.file && pin_source.fd >= 0)
        return ctl_usage(_("--pin-file and --pin-fd exclude each other."));
    return CTL_OK;
}

static int run_signing(Signing *s, const char *code) {
    int r = look_ahead(s);
    if (r == CTL_OK)
        r = take_code(s, code);
    if (r == CTL_OK && p12_file)
        r = p12_add(s->ctl, s->terminal, p12_file, &s->token, &s->pin);
    if (r == CTL_OK)
        r = consent_open(s->ctl, s->code, backend, &s->consent);
    if (r == CTL_OK)
        r = choose_certificate(s->ctl, s->terminal, certificate, s->token, &s->consent.ended, &s->certificate);
    if (r == CTL_OK && !use_agent)
        r = confirm(s);
    if (r == CTL_OK)
        r = look_at_token(s);
    if (r == CTL_OK)
        r = sign(s);
    if (r == CTL_OK)
        r = keep(s);
    else
        consent_cancel(&s->consent);
    return r;
}

static int run(Ctl *ctl, char **arguments) {
    Signing s = {.ctl = ctl, .allow_final_try = allow_final_try};
    s.terminal = terminal_open(!(yes && pin_source_is_given()));
    int r = run_signing(&s, arguments[0]);
    consent_clear(&s.consent);
    terminal_close(s.terminal);
    if (s.code)
        explicit_bzero(s.code, strlen(s.code));
    g_free(s.code);
    g_free(s.token);
    json_decref(s.certificate);
    pin_free(s.pin);
    return r;
}

const Verb verb_sign = {
    .name = "sign",
    .arguments = N_("[CODE]"),
    .max = 1,
    .summary = N_("Read, confirm and sign the consent of a verification code"),
    .options = options,
    .check = check_options,
    .run = run,
};
