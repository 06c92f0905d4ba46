/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walls around a plugin, put up before any of its code runs and never taken down. In this order: namespaces, no
 * capabilities, no dumps, Landlock (landlock.h), system calls (syscall-filter.h).
 */
#ifndef EONAY_HOST_CONFINE_H
#define EONAY_HOST_CONFINE_H

#include <stdbool.h>

#define NEED_NETWORK (1u << 0) /* TCP and UDP, and the credentials; no UNIX sockets, and nothing that reads a PIN */
#define NEED_CARD    (1u << 1) /* UNIX sockets, for pcscd */
#define NEED_FILES   (1u << 2) /* says that the plugin works on files; the paths themselves are what opens them */
#define NEED_JIT     (1u << 3) /* memory that is both written and executed */

/* The folder of systemd.exec(5), "Credentials". */
#define CONFINE_CREDENTIALS "CREDENTIALS_DIRECTORY"

typedef struct Confinement {
    unsigned needs;
    bool in_unit;          /* namespaces are the unit's business */
    char **module_folders; /* all lists end with NULL */
    char **read_paths;
    char **write_paths;
    char **environment; /* NAME=VALUE */
} Confinement;

/* The set of names; -EINVAL for a name that is none. */
int confine_needs_from_names(char **names, unsigned *ret);

/*
 * Closes everything but the three standard streams and `fd`, points standard input and output at /dev/null, forbids
 * core dumps and new privileges. At the very start of the process.
 */
int confine_start(int fd);

/* The rest, once it is known what the plugin needs. Negative errno: the process must not load anything. */
int confine_process(const Confinement *c);

#endif
