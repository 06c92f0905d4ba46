/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every verb of eonayctl shares: the options before and after the verb, the connection, the exit codes.
 * Output is always UTF-8. Results go to standard output, the conversation to the terminal or to standard error.
 */
#ifndef EONAYCTL_CTL_H
#define EONAYCTL_CTL_H

#include <glib.h>
#include <libintl.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "names.h"
#include "util.h"

#define _(s) dgettext(EONAY_GETTEXT_DOMAIN, s)
#ifndef N_
#define N_(s) s
#endif

/* Exit codes, documented in eonayctl(1): never renumbered. */
typedef enum CtlExit {
    CTL_OK = 0,
    CTL_FAILED = 1,
    CTL_USAGE = 2,
    CTL_NO_DAEMON = 3,
    CTL_REFUSED = 4,
    CTL_PIN = 5,
    CTL_CODE = 6,
    CTL_CERTIFICATE = 7,
    CTL_AUTHORITY = 8,
    CTL_TOKEN = 9,
    CTL_CANCELLED = 10,
    CTL_TIMED_OUT = 11,
    CTL_TEXT = 12,
    CTL_ALREADY_APPROVED = 13,
    CTL_UNDECIDED = 14,
} CtlExit;

typedef struct Ctl {
    sd_event *event;
    sd_bus *bus;
    char *daemon;     /* unique name of the daemon that answered last: signals and agent calls of others are ignored */
    char **command;   /* what stood behind "--", or NULL; borrowed from argv */
    bool interrupted; /* SIGINT, SIGTERM or SIGHUP came */
    bool gone;        /* the daemon left the bus */

    char *address; /* --bus */
    gboolean json;
    gboolean no_ask_password;
    gint timeout; /* seconds, for one call */
} Ctl;

typedef struct Verb {
    const char *name;
    const char *arguments; /* shown in the usage line */
    unsigned min, max;     /* how many of them */
    const char *summary;   /* English, translated when shown */
    const GOptionEntry *options;
    bool takes_command;                     /* words behind "--" are a command line */
    bool connects_late;                     /* calls ctl_open_loop() and bus_open() itself */
    int (*check)(const Ctl *ctl);           /* of the options, before anything is connected; may be NULL */
    int (*run)(Ctl *ctl, char **arguments); /* returns a CtlExit */
} Verb;

extern const Verb verb_agent, verb_audit, verb_certs, verb_erase, verb_code, verb_consents, verb_doctor, verb_export,
    verb_import, verb_pin, verb_renew, verb_sign, verb_status, verb_tokens, verb_verify;

/* Says on standard error what is wrong with the call, and returns CTL_USAGE. */
int ctl_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The event loop, with the signals that end the program. Not to be carried over a fork(). */
int ctl_open_loop(Ctl *c);

#endif
