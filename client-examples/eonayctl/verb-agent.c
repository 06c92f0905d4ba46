/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonayctl agent: confirms texts and gives PINs for the programs of this session, until it is ended or its command
 * ends. It registers again when the daemon was restarted.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent.h"
#include "bus.h"
#include "failure.h"
#include "pin-source.h"

static gboolean accept_texts;
static gboolean background;
static gboolean allow_final_try;
static gint ready_fd = -1;

static const GOptionEntry options[] = {
    {"accept", 0, 0, G_OPTION_ARG_NONE, &accept_texts,
     N_("Confirm every text without asking: for tests, demonstrations and unattended machines"), NULL},
    {"pin-file", 0, 0, G_OPTION_ARG_FILENAME, &pin_source.file,
     N_("Take the PIN from this file, which nobody else may be able to read"), N_("FILE")},
    {"allow-final-try", 0, 0, G_OPTION_ARG_NONE, &allow_final_try,
     N_("Give the PIN of the file even for the last try before the token locks itself"), NULL},
    {"background", 0, 0, G_OPTION_ARG_NONE, &background,
     N_("Leave the terminal once registered; needs --accept and --pin-file"), NULL},
    {"ready-fd", 0, 0, G_OPTION_ARG_INT, &ready_fd, N_("Write a line to this open descriptor once registered"),
     N_("NUMBER")},
    {NULL},
};

typedef struct Run {
    Ctl *ctl;
    bool command_ended;
    int status; /* of the command, as a shell tells it */
    pid_t command;
} Run;

/* ---- being registered ---- */

static int on_registered(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    (void)error;
    Ctl *ctl = userdata;
    if (sd_bus_message_is_method_error(reply, NULL))
        return 0; /* the next owner of the name is asked again */
    g_free(ctl->daemon);
    ctl->daemon = g_strdup(sd_bus_message_get_sender(reply));
    return 0;
}

static sd_bus_message *register_message(Ctl *ctl) {
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "RegisterAgent");
    if (m)
        sd_bus_message_append(m, "oa{sv}", AGENT_PATH, 0);
    return m;
}

static int on_new_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Ctl *ctl = userdata;
    const char *name, *old, *new;
    if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
        return 0;
    g_clear_pointer(&ctl->daemon, g_free);
    if (*new) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = register_message(ctl);
        if (call)
            sd_bus_call_async(ctl->bus, NULL, call, on_registered, ctl, (uint64_t)ctl->timeout * USEC_PER_SEC);
    }
    return 0;
}

static int follow_daemon(Ctl *ctl) {
    int r = sd_bus_add_match(ctl->bus, NULL,
                             "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                             "member='NameOwnerChanged',arg0='" EONAY_BUS_NAME "'",
                             on_new_owner, ctl);
    return r < 0 ? failure_report(ctl, r, NULL) : CTL_OK;
}

/* Whoever started it may wait for the end of its output. */
static void drop_standard_streams(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    safe_close(null);
}

static void tell_ready(void) {
    if (background)
        drop_standard_streams();
    if (ready_fd >= 0) {
        ssize_t n = write(ready_fd, "ready\n", 6);
        (void)n; /* whoever wanted to know is gone */
        ready_fd = safe_close(ready_fd);
    }
}

/* ---- the command ---- */

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata) {
    (void)source;
    Run *run = userdata;
    run->command_ended = true;
    run->status = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
    return 0;
}

/* As if started without the agent, but that it finds the same bus. */
static void exec_command(const Ctl *ctl) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (ctl->address)
        setenv("DBUS_SYSTEM_BUS_ADDRESS", ctl->address, 1);
    execvp(ctl->command[0], ctl->command);
    fprintf(stderr, "eonayctl: %s: %s\n", ctl->command[0], g_strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static int start_command(Run *run) {
    fflush(NULL);
    run->command = fork();
    if (run->command == 0)
        exec_command(run->ctl);
    if (run->command < 0)
        return failure_report_errno(run->ctl, -errno);
    int r = sd_event_add_child(run->ctl->event, NULL, run->command, WEXITED, on_child, run);
    return r < 0 ? failure_report_errno(run->ctl, r) : CTL_OK;
}

/* The bus may go while the command runs; its exit status is passed on all the same. */
static int wait_for_command(Run *run) {
    bool told = false;
    while (!run->command_ended) {
        if (sd_event_run(run->ctl->event, UINT64_MAX) < 0)
            break;
        if (run->ctl->interrupted && !told) {
            kill(run->command, SIGTERM);
            told = true;
        }
    }
    return run->status;
}

static int serve(Run *run) {
    Ctl *ctl = run->ctl;
    int r = CTL_OK;
    if (ctl->command)
        return (r = start_command(run)) == CTL_OK ? wait_for_command(run) : r;
    while (!ctl->interrupted) {
        if (sd_event_run(ctl->event, UINT64_MAX) < 0 || sd_bus_is_open(ctl->bus) <= 0)
            return failure_report(ctl, -ENOTCONN, NULL);
    }
    return CTL_OK;
}

static int run_agent(Ctl *ctl, Terminal *terminal) {
    _cleanup_(agent_freep) Agent *agent = NULL;
    Run run = {.ctl = ctl};
    int r = ctl_open_loop(ctl);
    if (r == CTL_OK)
        r = bus_open(ctl);
    if (r != CTL_OK)
        return r;
    if ((r = agent_new(ctl, terminal, accept_texts, allow_final_try, &agent)) < 0)
        return failure_report_errno(ctl, r);
    r = bus_call_or_report(ctl, register_message(ctl), NULL);
    if (r == CTL_OK)
        r = follow_daemon(ctl);
    if (r != CTL_OK)
        return r;
    tell_ready();
    if (!ctl->command && !background) {
        puts("ready");
        fflush(stdout);
    }
    return serve(&run);
}

/* ---- leaving the terminal ---- */

/* Returns in the child; the parent waits until the child is registered, or takes over its exit code. */
static int leave_terminal(Ctl *ctl) {
    int ends[2], status;
    char byte;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return failure_report_errno(ctl, -errno);
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return failure_report_errno(ctl, -errno);
    if (child == 0) {
        safe_close(ends[0]);
        setsid();
        ready_fd = ends[1];
        return CTL_OK;
    }
    safe_close(ends[1]);
    if (read(ends[0], &byte, 1) == 1) {
        printf("ready %d\n", (int)child);
        fflush(stdout);
        _exit(CTL_OK);
    }
    _exit(waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : CTL_FAILED);
}

static int check_options(const Ctl *ctl) {
    if (background && (!accept_texts || !pin_source.file))
        return ctl_usage(_("--background has no terminal to ask on: it needs --accept and --pin-file."));
    if (background && (ctl->command || ready_fd >= 0))
        return ctl_usage(_("--background excludes a command and --ready-fd."));
    return CTL_OK;
}

/* A wrong mode of the file is told now, not when somebody signs. */
static int check_pin_file(Ctl *ctl) {
    _cleanup_(pin_freep) Pin *pin = NULL;
    return pin_source.file ? pin_source_take(ctl, NULL, "", NULL, &pin) : CTL_OK;
}

static int check_terminal(const Terminal *terminal) {
    if (terminal_fd(terminal) >= 0 || (accept_texts && pin_source.file))
        return CTL_OK;
    return ctl_usage(_("There is no terminal to ask on: use --accept and --pin-file."));
}

static int run(Ctl *ctl, char **arguments) {
    (void)arguments;
    int r = check_pin_file(ctl);
    if (r == CTL_OK && background)
        r = leave_terminal(ctl);
    if (r != CTL_OK)
        return r;
    _cleanup_(terminal_closep) Terminal *terminal = terminal_open(!accept_texts || !pin_source.file);
    r = check_terminal(terminal);
    return r == CTL_OK ? run_agent(ctl, terminal) : r;
}

const Verb verb_agent = {
    .name = "agent",
    .arguments = N_("[-- COMMAND…]"),
    .summary = N_("Confirm texts and give PINs for the programs of this session"),
    .options = options,
    .takes_command = true,
    .connects_late = true,
    .check = check_options,
    .run = run,
};
