/* SPDX-License-Identifier: Apache-2.0 */
/* eonayd: options, configuration, signals, the loop. */
#include <errno.h>
#include <glib.h>
#include <libintl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "config.h"
#include "log.h"
#include "manager.h"
#include "messages.h"
#include "names.h"
#include "reload.h"
#include "signature.h"
#include "util.h"

typedef struct Arguments {
    char *bus;
    char *config_file;
    char *state_directory;
    char **plugin_directories;
    char *host_path;
    char *host_sockets;
    char *log_level;
    gboolean version;
} Arguments;

static void arguments_clear(Arguments *a) {
    g_free(a->bus);
    g_free(a->config_file);
    g_free(a->state_directory);
    g_strfreev(a->plugin_directories);
    g_free(a->host_path);
    g_free(a->host_sockets);
    g_free(a->log_level);
}

static int parse_arguments(int argc, char **argv, Arguments *a) {
    const GOptionEntry entries[] = {
        {"bus", 0, 0, G_OPTION_ARG_STRING, &a->bus,
         "Serve the private bus at ADDRESS, for the user who starts eonayd only", "ADDRESS"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &a->config_file,
         "Read FILE and FILE.d/*.conf instead of " EONAY_CONFIG_DIR "/eonayd.conf", "FILE"},
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &a->state_directory, "Keep the records in DIR", "DIR"},
        {"plugin-dir", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a->plugin_directories,
         "Look for plugins in DIR (may be repeated)", "DIR"},
        {"host", 0, 0, G_OPTION_ARG_FILENAME, &a->host_path, "The program that loads plugins", "PROGRAM"},
        {"host-sockets", 0, 0, G_OPTION_ARG_FILENAME, &a->host_sockets,
         "Have it started by the socket units that listen in DIR", "DIR"},
        {"log-level", 0, 0, G_OPTION_ARG_STRING, &a->log_level, "error, warning, notice, info or debug", "LEVEL"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &a->version, "Print the version and exit", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("- the service for E-Onay signatures");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "eonayd: %s\n", error->message);
        return -EINVAL;
    }
    if (argc > 1) {
        fprintf(stderr, "eonayd: unexpected argument '%s'\n", argv[1]);
        return -EINVAL;
    }
    return 0;
}

static const struct {
    const char *name;
    int priority;
} levels[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}};

static int level_of(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].priority;
    return -1;
}

/* What the command line says goes over what the files say. */
static void apply_arguments(Config *c, Arguments *a) {
    if (a->state_directory) {
        g_free(c->state_directory);
        c->state_directory = g_strdup(a->state_directory);
    }
    if (a->plugin_directories) {
        g_strfreev(c->plugin_directories);
        c->plugin_directories = g_strdupv(a->plugin_directories);
    }
    if (a->host_path) {
        g_free(c->host_path);
        c->host_path = g_strdup(a->host_path);
    }
    c->host_sockets = g_strdup(a->host_sockets);
    if (a->log_level)
        c->log_level = level_of(a->log_level);
    log_open("eonayd", c->log_level);
}

/* Callers bring descriptors; how many one may bring is limited, how many there are callers is not. */
static void raise_file_limit(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* Codes and identities pass through our memory: no core, and no other process of the user may look. */
static void protect_process(void) {
    const struct rlimit none = {0, 0};
#ifdef EONAY_CRASH_POINTS
    if (!getenv("EONAY_STAY_DUMPABLE")) /* so that tests of an ordinary user may look into /proc/PID */
#endif
        prctl(PR_SET_DUMPABLE, 0);
    raise_file_limit();
    setrlimit(RLIMIT_CORE, &none);
    umask(0077);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
    (void)si;
    (void)userdata;
    sd_notify(false, "STOPPING=1");
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

typedef struct Settings {
    Arguments *arguments;
    const char *file;
    Manager *manager;
} Settings;

/* Type=notify takes it for reloading from the one notice to the other; systemd 253 also wants to know the time. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
    (void)source, (void)si;
    const Settings *s = userdata;
    sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)g_get_monotonic_time());
    Config *fresh = config_load(s->file);
    apply_arguments(fresh, s->arguments);
    manager_reload(s->manager, fresh);
    sd_notify(false, "READY=1");
    return 0;
}

static int watch_signals(sd_event *event, Settings *settings) {
    sigset_t set;
    int r;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    if ((r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, NULL)) < 0 ||
        (r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, settings)) < 0)
        return r;
    return sd_event_add_signal(event, NULL, SIGINT, on_stop, NULL);
}

static int run(const char *bus, Config *config, Settings *settings) {
    Manager *m = NULL;
    int r = manager_new(bus, config, &m);
    if (r < 0) {
        log_event(LOG_ERR, MESSAGE_BUS_FAILED, NULL, "cannot start: %s", strerror(-r));
        return r;
    }
    settings->manager = m;
    if ((r = watch_signals(m->event, settings)) < 0 || (r = sd_event_set_watchdog(m->event, true)) < 0 ||
        (r = manager_start(m)) < 0)
        log_event(LOG_ERR, MESSAGE_BUS_FAILED, NULL, "cannot serve %s: %s", EONAY_BUS_NAME, strerror(-r));
    else {
        sd_notify(false, "READY=1");
        r = sd_event_loop(m->event);
    }
    manager_free(m);
    return r;
}

int main(int argc, char **argv) {
    _cleanup_(arguments_clear) Arguments a = {0};
    setlocale(LC_ALL, "");
    bindtextdomain(EONAY_GETTEXT_DOMAIN, EONAY_LOCALE_DIR);
    bind_textdomain_codeset(EONAY_GETTEXT_DOMAIN, "UTF-8");
    log_open("eonayd", LOG_INFO);
    if (parse_arguments(argc, argv, &a) < 0)
        return 2;
    if (a.version) {
        puts("eonayd " EONAY_VERSION);
        return 0;
    }
    if (a.log_level && level_of(a.log_level) < 0) {
        fprintf(stderr, "eonayd: --log-level must be error, warning, notice, info or debug\n");
        return 2;
    }
    protect_process();
    signature_init();
    const char *bus = a.bus ? a.bus : getenv("DBUS_SYSTEM_BUS_ADDRESS");
    Settings settings = {.arguments = &a, .file = a.config_file ? a.config_file : EONAY_CONFIG_DIR "/eonayd.conf"};
    Config *config = config_load(settings.file);
    apply_arguments(config, &a);
    return run(bus, config, &settings) < 0 ? 1 : 0;
}
