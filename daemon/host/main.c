/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonay-plugin-host: the only program that loads plugins. It belongs to the one connection it is given and ends with
 * it.
 *
 * It ends with _exit(): destructors of vendors' modules are known to hang or crash, and there is nothing left for them
 * to do.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "deadline.h"
#include "log.h"
#include "messages.h"
#include "serve.h"

#define EXIT_USAGE 2
#define FD_DEFAULT 3 /* where systemd puts an accepted connection, sd_listen_fds(3) */
#define FD_MAX     65535

#ifdef __SANITIZE_ADDRESS__
/* The search for leaks wants a child that traces us. The walls allow neither, and a plugin that calls exit() starts it.
 */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return 1;
}
#endif

typedef struct Options {
    int fd;
    bool trust_own_uid;
    bool in_unit;
    bool debug;
} Options;

static const char usage[] =
    "eonay-plugin-host [--fd=N] [--trust-own-uid] [--in-unit] [--debug]\n"
    "Loads one plugin for eonayd and serves it on the socket N (3).\n"
    "  --trust-own-uid  load also files that belong to the user who runs this\n"
    "  --in-unit        network and folders were taken away by the unit of the service manager\n";

static int read_fd(const char *s, int *ret) {
    char *end;
    errno = 0;
    long n = strtol(s, &end, 10);
    if (errno != 0 || end == s || *end != '\0' || n < 3 || n > FD_MAX)
        return -EINVAL;
    *ret = (int)n;
    return 0;
}

static int read_options(int argc, char **argv, Options *ret) {
    static const struct option known[] = {{"fd", required_argument, NULL, 'f'},
                                          {"trust-own-uid", no_argument, NULL, 't'},
                                          {"in-unit", no_argument, NULL, 'u'},
                                          {"debug", no_argument, NULL, 'd'},
                                          {0}};
    Options options = {.fd = FD_DEFAULT};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 't')
            options.trust_own_uid = true;
        else if (c == 'u')
            options.in_unit = true;
        else if (c == 'd')
            options.debug = true;
        else if (c != 'f' || read_fd(optarg, &options.fd) < 0)
            return -EINVAL;
    }
    if (optind != argc)
        return -EINVAL;
    *ret = options;
    return 0;
}

static bool is_socket(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int connection_open(int fd, sd_bus **ret) {
    sd_id128_t id;
    sd_bus *bus = NULL;
    int r = sd_id128_randomize(&id);
    if (r >= 0)
        r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_fd(bus, fd, fd);
    if (r >= 0)
        r = sd_bus_set_server(bus, 1, id);
    if (r >= 0)
        r = sd_bus_set_anonymous(bus, 1);
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        *ret = bus;
    return r;
}

static int run(const Options *options) {
    const Trust trust = {
        .own = options->trust_own_uid, .uid = geteuid(), .hidden = options->trust_own_uid ? trust_hidden_owner() : 0};
    Host host = {.credential = -1, .in_unit = options->in_unit, .trust = trust};
    int r = deadline_init();
    if (r >= 0)
        r = secret_new(&host.session.secret);
    if (r >= 0)
        r = connection_open(options->fd, &host.bus);
    if (r < 0)
        return r;
    services_init(&host.services, options->fd);
    r = serve(&host);
    host_close(&host);
    secret_free(host.session.secret);
    return r < 0 ? r : host.ruined ? -ECANCELED : 0;
}

int main(int argc, char **argv) {
    Options options;
    if (read_options(argc, argv, &options) < 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    /* Text on standard error, also under systemd, which keeps it: the journal's own protocol would need a socket. */
    unsetenv("JOURNAL_STREAM");
    log_open("eonay-plugin-host", options.debug ? LOG_DEBUG : LOG_INFO);
    if (!is_socket(options.fd)) {
        fprintf(stderr, "eonay-plugin-host: descriptor %d is not a socket; eonayd starts this program\n", options.fd);
        return EXIT_USAGE;
    }
    int r = confine_start(options.fd);
    if (r >= 0)
        r = run(&options);
    if (r < 0)
        log_event(LOG_ERR, MESSAGE_HOST_FAILED, NULL, "ended: %s", strerror(-r));
    _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
