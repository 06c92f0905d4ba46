/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonayctl pin change|unblock: a new PIN for a token. All that can be known is checked before anything is sent, since a
 * wrong PIN or PUK costs a try that nobody gives back.
 */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "error.h"
#include "failure.h"
#include "json.h"
#include "pin-source.h"
#include "terminal.h"
#include "text.h"
#include "token.h"

static PinSource new_source = {.fd = -1};

static const GOptionEntry options[] = {
    {"pin-file", 0, 0, G_OPTION_ARG_FILENAME, &pin_source.file,
     N_("Take the present PIN, or the PUK, from this file, which nobody else may be able to read"), N_("FILE")},
    {"new-pin-file", 0, 0, G_OPTION_ARG_FILENAME, &new_source.file, N_("Take the new PIN from such a file"),
     N_("FILE")},
    {NULL},
};

/* What the two words differ in. */
typedef struct PinWork {
    const char *word;
    const char *method;
    const char *question; /* for the known one; with the token's name */
    const char *done;
    bool puk;
} PinWork;

static const PinWork works[] = {
    {"change", "ChangePin", N_("Present PIN of '%s' (is not shown; Enter alone ends): "),
     N_("The PIN of '%s' was changed.\n"), false},
    {"unblock", "UnblockPin", N_("PUK of '%s' (is not shown; Enter alone ends): "),
     N_("'%s' has a new PIN and is not locked any more.\n"), true},
};

typedef struct PinCall {
    Ctl *ctl;
    const PinWork *work;
    Terminal *terminal;
    json_t *token; /* borrowed */
    char *name;    /* of the token, harmless */
    int64_t min, max;
} PinCall;

static const PinWork *find_work(const char *word) {
    for (size_t i = 0; i < G_N_ELEMENTS(works); i++)
        if (strcmp(works[i].word, word) == 0)
            return &works[i];
    return NULL;
}

/* ---- which token ---- */

static void show_choice(const json_t *tokens) {
    json_t *token;
    size_t i;
    json_array_foreach(tokens, i, token) {
        if (!token_is_readable(token))
            continue;
        g_autofree char *name = text_clean(token_name(token));
        fprintf(stderr, "  %s  %s\n", json_get_string(token, "Path", "/"), name);
    }
}

static int choose_token(Ctl *ctl, const json_t *tokens, const char *name, json_t **ret) {
    json_t *found = NULL, *token;
    size_t i, n = 0;
    json_array_foreach(tokens, i, token) {
        if (!token_is_readable(token) || (name && !token_is_named(token, name)))
            continue;
        found = token;
        n++;
    }
    if (n == 0)
        return failure_report_code(ctl, EONAY_ERROR_NOT_FOUND, name ? name : _("there is no card or token"));
    if (n == 1) {
        *ret = found;
        return CTL_OK;
    }
    int r = ctl_usage(_("There are several tokens; name one by its path, label or serial number:"));
    show_choice(tokens);
    return r;
}

/* ---- before anything is sent ---- */

static int check_token(const PinCall *p) {
    const char *state = json_get_string(p->token, "PinState", "unknown");
    if (json_get_bool(p->token, "PinPad", false))
        return failure_report_code(p->ctl, EONAY_ERROR_UNSUPPORTED,
                                   _("the PIN of this token is entered on its reader"));
    if (p->work->puk)
        return CTL_OK;
    if (strcmp(state, "locked") == 0)
        return failure_report_code(p->ctl, EONAY_ERROR_PIN_LOCKED, NULL);
    if (strcmp(state, "final-try") == 0)
        return failure_report_code(p->ctl, EONAY_ERROR_PIN_FINAL_TRY,
                                   _("sign once with the right PIN, then change it; or unblock it with the PUK"));
    if (strcmp(state, "low") == 0)
        fprintf(terminal_out(p->terminal), "%s\n",
                _("A wrong PIN was entered for this token before: type the PIN with care."));
    return CTL_OK;
}

/* NULL when it fits. Release with g_free(). */
static char *misfit(const PinCall *p, const Pin *pin) {
    int64_t size = (int64_t)pin_size(pin);
    if ((p->min == 0 || size >= p->min) && (p->max == 0 || size <= p->max))
        return NULL;
    if (p->max == 0)
        return g_strdup_printf(_("a PIN of this token has at least %lld characters"), (long long)p->min);
    return g_strdup_printf(_("a PIN of this token has %lld to %lld characters"), (long long)p->min, (long long)p->max);
}

static int take_known(const PinCall *p, Pin **ret) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    g_autofree char *question = g_strdup_printf(_(p->work->question), p->name);
    int r = pin_source_take(p->ctl, p->terminal, question, NULL, &pin);
    if (r != CTL_OK)
        return r;
    if (p->work->puk && pin_looks_like_code(pin))
        return failure_report_code(p->ctl, EONAY_ERROR_PIN_FORMAT,
                                   _("these 15 digits are a verification code, not a PUK"));
    g_autofree char *why = p->work->puk ? NULL : misfit(p, pin);
    if (why)
        return failure_report_code(p->ctl, EONAY_ERROR_PIN_FORMAT, why);
    *ret = TAKE_PTR(pin);
    return CTL_OK;
}

/* Whoever mistypes a PIN that is not shown locks himself out: so it is asked for twice. */
static int ask_new(const PinCall *p, Pin **ret) {
    for (;;) {
        _cleanup_(pin_freep) Pin *first = NULL;
        _cleanup_(pin_freep) Pin *second = NULL;
        int r = pin_source_ask(p->ctl, p->terminal, _("New PIN (is not shown; Enter alone ends): "), NULL, &first);
        g_autofree char *why = r == CTL_OK ? misfit(p, first) : NULL;
        if (r == CTL_OK && !why)
            r = pin_source_ask(p->ctl, p->terminal, _("The new PIN once more: "), NULL, &second);
        if (r != CTL_OK)
            return r;
        if (!why && pin_equal(first, second)) {
            *ret = TAKE_PTR(first);
            return CTL_OK;
        }
        fprintf(terminal_out(p->terminal), "%s\n", why ? why : _("The two are not equal."));
    }
}

static int take_new(const PinCall *p, Pin **ret) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    if (!new_source.file)
        return ask_new(p, ret);
    int r = pin_source_take_given(p->ctl, &new_source, &pin);
    if (r != CTL_OK)
        return r;
    g_autofree char *why = misfit(p, pin);
    if (why)
        return failure_report_code(p->ctl, EONAY_ERROR_PIN_FORMAT, why);
    *ret = TAKE_PTR(pin);
    return CTL_OK;
}

/* ---- the call ---- */

static int send_pins(const PinCall *p, const Pin *known, const Pin *new, sd_bus_error *error) {
    _cleanup_close_ int known_fd = -1, new_fd = -1;
    int r = pin_pipe(known, &known_fd);
    if (r >= 0)
        r = pin_pipe(new, &new_fd);
    if (r < 0)
        return r;
    sd_bus_message *m =
        bus_method(p->ctl, json_get_string(p->token, "Path", "/"), EONAY_INTERFACE_TOKEN, p->work->method);
    if (m)
        sd_bus_message_append(m, "hha{sv}", known_fd, new_fd, 0);
    return bus_call(p->ctl, m, NULL, error);
}

static const char *tries_left(const char *state) {
    if (strcmp(state, "locked") == 0)
        return _("no try is left: the PIN is locked now");
    if (strcmp(state, "final-try") == 0)
        return _("one try is left");
    return strcmp(state, "low") == 0 ? _("at least one try is gone") : NULL;
}

/* The daemon speaks of a PIN; with a PUK other things are meant, and lost. */
static int report(const PinCall *p, int r, const sd_bus_error *error) {
    int code = sd_bus_error_is_set(error) ? eonay_error_from_name(error->name) : 0;
    g_autofree char *state = token_pin_state(p->ctl, json_get_string(p->token, "Path", "/"));
    if (p->work->puk && code == EONAY_ERROR_PIN_INCORRECT)
        return failure_report_code(p->ctl, code,
                                   _("it was the PUK: after too many wrong ones the card cannot be used any more"));
    if (p->work->puk && (code == EONAY_ERROR_PIN_LOCKED || code == EONAY_ERROR_PIN_FINAL_TRY))
        return failure_report_code(
            p->ctl, code, _("the PUK itself is meant: ask the authority or the maker of the card, do not guess"));
    if (code == EONAY_ERROR_PIN_INCORRECT)
        return failure_report_code(p->ctl, code, tries_left(state));
    return failure_report(p->ctl, r, error);
}

static int change(const PinCall *p) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_(pin_freep) Pin *known = NULL;
    _cleanup_(pin_freep) Pin *new = NULL;
    int r = take_known(p, &known);
    if (r == CTL_OK)
        r = take_new(p, &new);
    if (r != CTL_OK)
        return r;
    r = send_pins(p, known, new, &error);
    if (r < 0)
        return report(p, r, &error);
    const char *path = json_get_string(p->token, "Path", "/");
    g_autofree char *state = token_pin_state(p->ctl, path);
    if (p->ctl->json)
        json_print(json_pack("{s:s, s:s}", "Path", path, "PinState", state));
    else
        printf(_(p->work->done), p->name);
    return CTL_OK;
}

static int begin(PinCall *p) {
    p->min = json_get_integer(p->token, "PinMinLength", 0);
    p->max = json_get_integer(p->token, "PinMaxLength", 0);
    int r = check_token(p);
    if (r != CTL_OK)
        return r;
    if (p->work->puk)
        fprintf(terminal_out(p->terminal), "%s\n",
                _("The PUK came with the card or from its authority. The 15-digit verification code is not a PUK."));
    return change(p);
}

static int run(Ctl *ctl, char **arguments) {
    _cleanup_json_ json_t *objects = NULL, *tokens = NULL;
    PinCall p = {.ctl = ctl, .work = find_work(arguments[0])};
    if (!p.work)
        return ctl_usage(_("'%s' is neither 'change' nor 'unblock'."), arguments[0]);
    int r = token_list(ctl, &objects, &tokens);
    if (r == CTL_OK)
        r = choose_token(ctl, tokens, arguments[1], &p.token);
    if (r != CTL_OK)
        return r;
    _cleanup_(terminal_closep) Terminal *terminal = terminal_open(!ctl->no_ask_password);
    g_autofree char *name = text_clean(token_name(p.token));
    p.terminal = terminal;
    p.name = name;
    return begin(&p);
}

const Verb verb_pin = {
    .name = "pin",
    .arguments = N_("change|unblock [TOKEN]"),
    .min = 1,
    .max = 2,
    .summary = N_("Change the PIN of a token, or unlock it with its PUK"),
    .options = options,
    .run = run,
};
