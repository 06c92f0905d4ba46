/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonayctl: the command line of the E-Onay service. One row a verb; options that every verb has may stand before or
 * after it. The event loop belongs to the program, the conversation to the verb.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "failure.h"
#include "signals.h"

#define TIMEOUT_DEFAULT 120 /* seconds: a slow card and a slow authority in a row */

static const Verb *const verbs[] = {&verb_code,   &verb_certs,  &verb_sign,   &verb_verify, &verb_consents,
                                    &verb_export, &verb_import, &verb_renew,  &verb_audit,  &verb_erase,
                                    &verb_tokens, &verb_pin,    &verb_status, &verb_doctor, &verb_agent};

static Ctl ctl = {.timeout = TIMEOUT_DEFAULT};
static gboolean version;

static const GOptionEntry common_options[] = {
    {"json", 'j', 0, G_OPTION_ARG_NONE, &ctl.json, N_("Print JSON for programs"), NULL},
    {"bus", 0, 0, G_OPTION_ARG_STRING, &ctl.address, N_("Use the bus at this D-Bus address, not the system bus"),
     N_("ADDRESS")},
    {"timeout", 0, 0, G_OPTION_ARG_INT, &ctl.timeout, N_("Wait so long for an answer (default: 120)"), N_("SECONDS")},
    {"no-ask-password", 0, 0, G_OPTION_ARG_NONE, &ctl.no_ask_password,
     N_("Never ask for a PIN, and let nobody ask for a password"), NULL},
    {"version", 0, 0, G_OPTION_ARG_NONE, &version, N_("Show the version"), NULL},
    {NULL},
};

int ctl_usage(const char *format, ...) {
    va_list ap;
    fputs("eonayctl: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputs(_(" (see 'eonayctl --help')\n"), stderr);
    return CTL_USAGE;
}

/* ---- surroundings ---- */

/* Texts must be shown exactly: output is UTF-8 even where the locale does not say so. */
static void set_language(void) {
    const char *folder = getenv("TEXTDOMAINDIR");
    if (!setlocale(LC_ALL, ""))
        setlocale(LC_ALL, "C.UTF-8");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    bindtextdomain(EONAY_GETTEXT_DOMAIN, folder && *folder ? folder : EONAY_LOCALE_DIR);
    bind_textdomain_codeset(EONAY_GETTEXT_DOMAIN, "UTF-8");
    textdomain(EONAY_GETTEXT_DOMAIN);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
    (void)source;
    (void)info;
    ((Ctl *)userdata)->interrupted = true;
    return 0;
}

int ctl_open_loop(Ctl *c) {
    signals_block();
    int r = sd_event_new(&c->event);
    for (int i = 0; r >= 0 && i < 3; i++)
        r = sd_event_add_signal(c->event, NULL, ((const int[]){SIGINT, SIGTERM, SIGHUP})[i], on_signal, c);
    return r < 0 ? failure_report_errno(c, r) : CTL_OK;
}

/* ---- the command line ---- */

static const Verb *find_verb(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static char *list_verbs(void) {
    GString *list = g_string_new(_("Verbs:"));
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        g_string_append_printf(list, "\n  %-10s %s", verbs[i]->name, _(verbs[i]->summary));
    g_string_append_printf(list, "\n\n%s", _("'eonayctl VERB --help' shows the options of a verb."));
    return g_string_free(list, FALSE);
}

/* Parses up to the verb, or, for a verb, everything behind it. The context prints --help and ends the program itself.
 */
static int parse(const Verb *verb, int *argc, char ***argv) {
    g_autoptr(GError) error = NULL;
    g_autofree char *parameters =
        verb ? g_strdup_printf("%s %s", verb->name, verb->arguments ? _(verb->arguments) : "") : g_strdup(_("VERB …"));
    g_autofree char *summary = verb ? g_strdup(_(verb->summary)) : list_verbs();
    g_autoptr(GOptionContext) context = g_option_context_new(g_strchomp(parameters));
    g_option_context_set_strict_posix(context, !verb);
    g_option_context_set_summary(context, summary);
    if (verb && verb->options)
        g_option_context_add_main_entries(context, verb->options, EONAY_GETTEXT_DOMAIN);
    g_option_context_add_main_entries(context, common_options, EONAY_GETTEXT_DOMAIN);
    if (!g_option_context_parse(context, argc, argv, &error))
        return ctl_usage("%s", error->message);
    return CTL_OK;
}

/* Everything behind "--" is a command for a verb that takes one, and plain arguments for the others. */
static void cut_command(int *argc, char **argv) {
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        ctl.command = argv + i + 1;
        argv[i] = NULL;
        *argc = i;
        return;
    }
}

static int show_version(void) {
    puts("eonayctl " EONAY_VERSION);
    return CTL_OK;
}

static GPtrArray *collect_arguments(const Verb *verb, int argc, char **argv) {
    GPtrArray *arguments = g_ptr_array_new();
    for (int i = 1; i < argc; i++)
        g_ptr_array_add(arguments, argv[i]);
    for (char **p = verb->takes_command ? NULL : ctl.command; p && *p; p++)
        g_ptr_array_add(arguments, *p);
    g_ptr_array_add(arguments, NULL);
    return arguments;
}

static int check_usage(const Verb *verb, char **arguments) {
    unsigned n = g_strv_length(arguments);
    if (n < verb->min)
        return ctl_usage(_("An argument is missing."));
    if (n > verb->max)
        return ctl_usage(_("'%s' is one argument too many."), arguments[verb->max]);
    if (ctl.timeout < 1)
        return ctl_usage(_("--timeout must be at least one second."));
    if (verb->takes_command && ctl.command && !*ctl.command)
        return ctl_usage(_("A command must follow '--'."));
    return verb->check ? verb->check(&ctl) : CTL_OK;
}

static int run_verb(const Verb *verb, int argc, char **argv) {
    int r = parse(verb, &argc, &argv);
    if (r != CTL_OK || version)
        return r == CTL_OK ? show_version() : r;
    g_autoptr(GPtrArray) arguments = collect_arguments(verb, argc, argv);
    r = check_usage(verb, (char **)arguments->pdata);
    if (r == CTL_OK && !verb->connects_late)
        r = ctl_open_loop(&ctl);
    if (r == CTL_OK && !verb->connects_late)
        r = bus_open(&ctl);
    return r == CTL_OK ? verb->run(&ctl, (char **)arguments->pdata) : r;
}

static int run(int argc, char **argv) {
    cut_command(&argc, argv);
    int r = parse(NULL, &argc, &argv);
    if (r != CTL_OK || version)
        return r == CTL_OK ? show_version() : r;
    if (argc < 2)
        return ctl_usage(_("A verb is missing."));
    const Verb *verb = find_verb(argv[1]);
    return verb ? run_verb(verb, argc - 1, argv + 1) : ctl_usage(_("'%s' is not a verb."), argv[1]);
}

/* What could not be written is lost, which a status of 0 would hide. A reader that has enough (EPIPE) knows it. */
static int end_output(int r) {
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost)
        return r;
    if (errno != 0 && errno != EPIPE)
        fprintf(stderr, _("eonayctl: '%s' cannot be written: %s\n"), "-", g_strerror(errno));
    return r == CTL_OK ? CTL_FAILED : r;
}

int main(int argc, char **argv) {
    set_language();
    g_set_prgname("eonayctl");
    int r = run(argc, argv);
    bus_close(&ctl);
    sd_event_unref(ctl.event);
    g_free(ctl.address);
    return end_output(r);
}
