/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonay-portal-admin: what an operator does at the authority's own machine, on the records that the portals share.
 * Identity numbers and words come on standard input, never in argv, and everything done is audited.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../audit.h"
#include "../clock.h"
#include "../language.h"
#include "../portal.h"
#include "../publication.h"
#include "application.h"
#include "moment-text.h"
#include "register.h"
#include "signature.h"
#include "tckn.h"
#include "word.h"

#define DEFAULT_CONFIG EONAY_CONFIG_DIR "/eonay-portal.conf"
#define LINE_MAX_BYTES 512

typedef struct Admin {
    Portal *portal;
    Store *store;
    int64_t now;
} Admin;

typedef struct AuditWork {
    Admin *admin;
    AuditEvent event;
} AuditWork;

static int audit_work(Store *store, void *data) {
    AuditWork *w = data;

    return audit_add(w->admin->portal, store, &w->event, w->admin->now);
}

static void note(Admin *a, const char *action, const char *subject, const char *detail) {
    AuditWork work = {a, {.action = action, .subject = subject, .address = "admin", .detail = detail}};

    (void)store_write(a->store, audit_work, &work);
}

static int complain(const char *what, int error) {
    (void)fprintf(stderr, "eonay-portal-admin: %s: %s %s\n", what, error_text((EonayError)error),
                  error_hint((EonayError)error));
    return EXIT_FAILURE;
}

/* One line of standard input, without its end. */
static bool read_line(char ret[LINE_MAX_BYTES]) {
    if (!fgets(ret, LINE_MAX_BYTES, stdin))
        return false;
    ret[strcspn(ret, "\r\n")] = '\0';
    return *ret != '\0';
}

static bool read_number(char ret[LINE_MAX_BYTES]) {
    if (read_line(ret) && tckn_valid(ret))
        return true;
    (void)fputs("eonay-portal-admin: the first line of standard input must be a T.C. identity number\n", stderr);
    return false;
}

typedef struct OperatorWork {
    const char *account;
    int64_t now;
    bool add;
} OperatorWork;

/* Whoever is logged in already logs in again: the session says what he may. */
static int operator_work(Store *store, void *data) {
    const OperatorWork *w = data;
    int r = w->add ? store_change(store, STATEMENT_OPERATOR_ADD, NULL, "ti", w->account, w->now)
                   : store_change(store, STATEMENT_OPERATOR_REMOVE, NULL, "t", w->account);

    return r != 0 ? r : store_change(store, STATEMENT_OPERATOR_SESSIONS_END, NULL, "t", w->account);
}

static int operator_change(Admin *a, bool add) {
    char number[LINE_MAX_BYTES];
    OperatorWork work = {.account = number, .now = a->now, .add = add};
    int r = 0;

    if (!read_number(number))
        return 2;
    if ((r = store_write(a->store, operator_work, &work)) != 0)
        return complain("operator", r);
    note(a, add ? "operator-added" : "operator-removed", number, NULL);
    return EXIT_SUCCESS;
}

static int operator_add(Admin *a, char **arguments) {
    (void)arguments;
    return operator_change(a, true);
}

static int operator_remove(Admin *a, char **arguments) {
    (void)arguments;
    return operator_change(a, false);
}

static int certificate_import(Admin *a, char **arguments) {
    int status = EXIT_SUCCESS;

    for (char **path = arguments; *path; path++) {
        g_autofree char *bytes = NULL;
        gsize size = 0;
        bool is_new = false;
        int r = EONAY_ERROR_FILE_INVALID;

        if (g_file_get_contents(*path, &bytes, &size, NULL) && size <= SIGNATURE_CERTIFICATE_SIZE_MAX)
            r = register_import(a->store, (const uint8_t *)bytes, size, a->now, &is_new);
        if (r != 0) {
            status = complain(*path, r);
            continue;
        }
        (void)printf("%s\t%s\n", *path, is_new ? "imported" : "known");
        note(a, "certificate-imported", NULL, is_new ? "new" : "known");
    }
    return status;
}

static int crl_publish(Admin *a, char **arguments) {
    g_autofree char *detail = NULL;
    gint64 number = 0;
    int64_t made = 0;
    int r = 0;

    if (arguments[0] && !g_ascii_string_to_signed(arguments[0], 10, 1, G_MAXINT64 / 2, &number, NULL)) {
        (void)fprintf(stderr, "eonay-portal-admin: '%s' is no number of a list\n", arguments[0]);
        return 2;
    }
    r = publication_make(a->portal, a->store, number, &made);
    if (r == EONAY_ERROR_UNSUPPORTED)
        (void)fputs("eonay-portal-admin: CrlIssuer= and CrlKey= are needed to make a revocation list\n", stderr);
    else if (r == EONAY_ERROR_BUSY)
        (void)fputs("eonay-portal-admin: a list of this number or a later one is published already\n", stderr);
    else if (r != 0)
        return complain("crl-publish", r);
    if (r != 0)
        return EXIT_FAILURE;
    detail = g_strdup_printf("%lld", (long long)made);
    note(a, "crl-published", NULL, detail);
    (void)puts(detail);
    return EXIT_SUCCESS;
}

static void print_application(const Application *a) {
    char created[MOMENT_TEXT_SIZE];
    char held[MOMENT_TEXT_SIZE];

    (void)printf("%s\t%s\t%s\t%s\t%s\n", a->id, a->is_renewal ? "renewal" : "new", application_state_name(a->state),
                 moment_text(a->created_at, created), a->held_until ? moment_text(a->held_until, held) : "-");
}

static int applications(Admin *a, char **arguments) {
    g_autofree ApplicationList *list = g_new0(ApplicationList, 1);
    const ApplicationState usual[] = {APPLICATION_HELD, APPLICATION_SUBMITTED};
    ApplicationState state = APPLICATION_SUBMITTED;
    bool all_due = !arguments[0];
    int r = 0;

    if (arguments[0] && !application_state_parse(arguments[0], &state)) {
        (void)fprintf(stderr, "eonay-portal-admin: '%s' is no state\n", arguments[0]);
        return 2;
    }
    for (size_t i = 0; r == 0 && i < (all_due ? G_N_ELEMENTS(usual) : 1); i++) {
        /* Asked for by name, the held ones are shown whether they are due or not. */
        r = application_due(a->store, all_due ? usual[i] : state, all_due ? a->now : G_MAXINT64, list);
        for (size_t k = 0; r == 0 && k < list->n; k++)
            print_application(&list->at[k]);
    }
    return r == 0 ? EXIT_SUCCESS : complain("applications", r);
}

static int application_move_to(Admin *a, char **arguments) {
    g_autofree char *detail = g_strconcat(arguments[0], " ", arguments[1], NULL);
    ApplicationState state = APPLICATION_SUBMITTED;
    int r = 0;

    if (!application_state_parse(arguments[1], &state)) {
        (void)fprintf(stderr, "eonay-portal-admin: '%s' is no state\n", arguments[1]);
        return 2;
    }
    r = application_move(a->store, arguments[0], state, a->now);
    if (r == EONAY_ERROR_BUSY)
        (void)fprintf(stderr, "eonay-portal-admin: %s is held until its day of production\n", arguments[0]);
    else if (r == EONAY_ERROR_UNSUPPORTED)
        (void)fprintf(stderr, "eonay-portal-admin: %s does not follow from the state %s is in\n", arguments[1],
                      arguments[0]);
    else if (r == EONAY_ERROR_NOT_FOUND)
        (void)fprintf(stderr, "eonay-portal-admin: there is no application %s\n", arguments[0]);
    else if (r != 0)
        return complain(arguments[0], r);
    if (r == 0)
        note(a, "application-moved", NULL, detail);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int word_verify(Admin *a, char **arguments) {
    char number[LINE_MAX_BYTES];
    char word[LINE_MAX_BYTES];
    bool set = false;
    bool right = false;
    int64_t changed_at = 0;
    int r = 0;

    (void)arguments;
    if (!read_number(number) || !read_line(word))
        return 2;
    r = word_check(a->store, number, word, &set, &right, &changed_at);
    explicit_bzero(word, sizeof word);
    if (r != 0)
        return complain("security word", r);
    note(a, "security-word-checked", number, right ? "right" : set ? "wrong" : "none set");
    (void)puts(right ? "right" : set ? "wrong" : "none set");
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct {
    const char *name;
    int least;
    int most;
    int (*run)(Admin *a, char **arguments);
} verbs[] = {
    {"operator-add", 0, 0, operator_add},
    {"operator-remove", 0, 0, operator_remove},
    {"certificate-import", 1, 1000, certificate_import},
    {"crl-publish", 0, 1, crl_publish},
    {"applications", 0, 1, applications},
    {"application-move", 2, 2, application_move_to},
    {"word-check", 0, 0, word_verify},
};

static void usage(FILE *out) {
    (void)fputs(
        "Usage: eonay-portal-admin [--config FILE] VERB\n\n"
        "  operator-add                  who may see the operator's view; the number on standard input\n"
        "  operator-remove               and who no longer may\n"
        "  certificate-import FILE...    takes certificates into the register (PEM or DER)\n"
        "  crl-publish [NUMBER]          makes a revocation list now, with the next number or this one\n"
        "  applications [STATE]          those that can be produced now, or those in a state\n"
        "  application-move ID STATE     in-production, couriered, delivered, rejected\n"
        "  word-check                    whether a caller knows his security word; number and word, a line each\n\n"
        "  --config FILE   the portal's configuration, " DEFAULT_CONFIG " otherwise\n"
        "  --help          this text\n"
        "  --version       the version\n",
        out);
}

/* -1: go on with *ret_config. */
static int read_options(int argc, char **argv, const char **ret_config) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {0}};
    int option = 0;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout), EXIT_SUCCESS;
        if (option == 'v')
            return (void)puts("eonay-portal-admin " EONAY_VERSION), EXIT_SUCCESS;
        if (option != 'c')
            return usage(stderr), 2;
        *ret_config = optarg;
    }
    return -1;
}

static int run_verb(const char *path, size_t verb, char **arguments) {
    char *error = NULL;
    Config *config = config_load(path, &error);
    Admin admin = {.now = clock_now()};
    int status = EXIT_FAILURE;

    if (!config) {
        (void)fprintf(stderr, "eonay-portal-admin: %s\n", error);
        g_free(error);
        return EXIT_FAILURE;
    }
    language_init(g_getenv("EONAY_LOCALE_DIR"));
    if (portal_new(config, &admin.portal) != 0)
        return EXIT_FAILURE;
    if (store_new(admin.portal->stores, &admin.store) == 0)
        status = verbs[verb].run(&admin, arguments);
    store_free(admin.store);
    portal_free(admin.portal);
    return status;
}

int main(int argc, char **argv) {
    const char *path = DEFAULT_CONFIG;
    int status = read_options(argc, argv, &path);
    int n = argc - optind - 1;

    if (status >= 0)
        return status;
    signature_init();
    for (size_t i = 0; n >= 0 && i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i].name, argv[optind]) == 0 && n >= verbs[i].least && n <= verbs[i].most)
            return run_verb(path, i, argv + optind + 1);
    usage(stderr);
    return 2;
}
