/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowest free descriptor tells how many are open, as nobody else's are closed in between; what is in memory is the
 * second number of /proc/self/statm (proc(5)), which the walls leave readable.
 */
#include "usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util.h"

#ifdef __SANITIZE_ADDRESS__
#define MEMORY_IS_LIMITED false /* its shadow is data, too, and most of the address space */
#else
#define MEMORY_IS_LIMITED true
#endif

/* Never more than we were given. */
static int limit(int resource, rlim_t max) {
    struct rlimit l;
    if (getrlimit(resource, &l) < 0)
        return -errno;
    l.rlim_max = l.rlim_max < max ? l.rlim_max : max;
    l.rlim_cur = l.rlim_max;
    return setrlimit(resource, &l) < 0 ? -errno : 0;
}

int usage_limit(void) {
    int r = limit(RLIMIT_NOFILE, USAGE_DESCRIPTORS_MAX);
    return r == 0 && MEMORY_IS_LIMITED ? limit(RLIMIT_DATA, USAGE_MEMORY_MAX) : r;
}

static unsigned long memory_in_use(void) {
    char text[128];
    unsigned long pages = 0;
    _cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n < 0 ? 0 : n] = '\0';
    return sscanf(text, "%*u %lu", &pages) == 1 ? pages * (unsigned long)sysconf(_SC_PAGESIZE) : 0;
}

static int descriptors_in_use(void) {
    _cleanup_close_ int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    return fd < 0 && errno == EMFILE ? USAGE_DESCRIPTORS_MAX : fd;
}

bool usage_is_enough(void) {
    return memory_in_use() >= USAGE_MEMORY_ENOUGH || descriptors_in_use() >= USAGE_DESCRIPTORS_ENOUGH;
}
