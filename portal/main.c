/* SPDX-License-Identifier: Apache-2.0 */
/* eonay-portal: the reference authority. Options, then one process with a few threads until SIGTERM or SIGINT. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "language.h"
#include "log.h"
#include "portal.h"
#include "server.h"
#include "signature.h"
#include "upkeep.h"

#define DEFAULT_CONFIG EONAY_CONFIG_DIR "/eonay-portal.conf"

static void usage(FILE *out) {
    (void)fputs("Usage: eonay-portal [--config FILE]\n\n"
                "The reference authority: web pages and the interface that local programs sign through.\n\n"
                "  --config FILE   the configuration, " DEFAULT_CONFIG " otherwise\n"
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

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout), EXIT_SUCCESS;
        if (option == 'v')
            return (void)puts("eonay-portal " EONAY_VERSION), EXIT_SUCCESS;
        if (option != 'c')
            return usage(stderr), 2;
        *ret_config = optarg;
    }
    if (optind < argc)
        return usage(stderr), 2;
    return -1;
}

static int serve(Portal *portal, const sigset_t *ends) {
    Upkeep *upkeep = NULL;
    Server *server = NULL;
    int signal_number = 0;

    if (upkeep_start(portal, &upkeep) != 0 || server_start(portal, &server) != 0)
        return upkeep_stop(upkeep), EXIT_FAILURE;
    (void)sd_notify(0, "READY=1");
    (void)sigwait(ends, &signal_number);
    (void)sd_notify(0, "STOPPING=1");
    server_stop(server);
    upkeep_stop(upkeep);
    log_info("stopped");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    const struct rlimit no_core = {0, 0};
    const char *path = DEFAULT_CONFIG;
    Config *config = NULL;
    Portal *portal = NULL;
    char *error = NULL;
    sigset_t ends;
    int status = read_options(argc, argv, &path);

    if (status >= 0)
        return status;
    /* Memory holds identity numbers and keys: it is for nobody's core file or debugger. */
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, 0);
    signature_init();
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL); /* the threads inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
    if (!(config = config_load(path, &error))) {
        log_error("%s", error);
        g_free(error);
        return EXIT_FAILURE;
    }
    language_init(g_getenv("EONAY_LOCALE_DIR"));
    if (portal_new(config, &portal) != 0)
        return EXIT_FAILURE;
    status = serve(portal, &ends);
    portal_free(portal);
    return status;
}
