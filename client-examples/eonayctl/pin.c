/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes are read straight into the locked page and written straight into the pipe: no other copy is made here. */
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "signals.h"
#include "util.h"

#define PIN_PAGE    4096u
#define CODE_DIGITS 15u /* of an authority */

struct Pin {
    char *page;
    size_t size;
};

static void forbid_dumps(void) {
    struct rlimit cores;
    prctl(PR_SET_DUMPABLE, 0);
    if (getrlimit(RLIMIT_CORE, &cores) == 0) {
        cores.rlim_cur = 0; /* the hard limit stays for a command that is started */
        setrlimit(RLIMIT_CORE, &cores);
    }
}

int pin_new(Pin **ret) {
    forbid_dumps();
    void *page = mmap(NULL, PIN_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    if (mlock(page, PIN_PAGE) < 0 || madvise(page, PIN_PAGE, MADV_DONTDUMP) < 0) {
        int r = -errno;
        munmap(page, PIN_PAGE);
        return r;
    }
    madvise(page, PIN_PAGE, MADV_WIPEONFORK);
    Pin *p = calloc(1, sizeof(*p));
    if (!p) {
        munmap(page, PIN_PAGE);
        return -ENOMEM;
    }
    p->page = page;
    *ret = p;
    return 0;
}

static void pin_erase(Pin *p) {
    explicit_bzero(p->page, PIN_PAGE);
    p->size = 0;
}

Pin *pin_free(Pin *p) {
    if (!p)
        return NULL;
    pin_erase(p);
    munmap(p->page, PIN_PAGE);
    free(p);
    return NULL;
}

const char *pin_text(const Pin *p) {
    return p->page;
}

size_t pin_size(const Pin *p) {
    return p->size;
}

bool pin_equal(const Pin *a, const Pin *b) {
    unsigned char differs = a->size != b->size;
    size_t n = a->size < b->size ? a->size : b->size;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)(a->page[i] ^ b->page[i]);
    return !differs;
}

bool pin_looks_like_code(const Pin *p) {
    size_t digits = 0;
    for (size_t i = 0; i < p->size; i++) {
        if (p->page[i] >= '0' && p->page[i] <= '9')
            digits++;
        else if (p->page[i] != ' ' && p->page[i] != '-')
            return false;
    }
    return digits == CODE_DIGITS;
}

static void drop_line_end(Pin *p) {
    if (p->size > 0 && p->page[p->size - 1] == '\n')
        p->page[--p->size] = '\0';
    if (p->size > 0 && p->page[p->size - 1] == '\r')
        p->page[--p->size] = '\0';
}

int pin_read_terminal(Pin *p, int fd) {
    pin_erase(p);
    ssize_t n = read(fd, p->page, PIN_LINE_MAX + 1);
    if (n < 0)
        return -errno;
    if (n == 0)
        return 0;
    p->size = (size_t)n;
    if (p->size <= PIN_LINE_MAX || p->page[PIN_LINE_MAX] == '\n') {
        drop_line_end(p);
        return 1;
    }
    pin_erase(p);
    return -EMSGSIZE;
}

static int pin_check(Pin *p) {
    drop_line_end(p);
    if (p->size > EONAY_SECRET_MAX)
        return -EMSGSIZE;
    return p->size == 0 || memchr(p->page, 0, p->size) ? -EBADMSG : 0;
}

static int wait_for_input(int fd, int timeout) {
    struct pollfd input = {.fd = fd, .events = POLLIN};
    int r = poll(&input, 1, timeout);
    if (r < 0)
        return errno == EINTR ? 0 : -errno;
    return r == 0 ? -ETIMEDOUT : 0;
}

int pin_read_fd(Pin *p, int fd, int timeout) {
    SIGNALS_END_US;
    pin_erase(p);
    while (p->size < EONAY_SECRET_MAX + 3) { /* a line end of two bytes, and one that tells of too many */
        int r = wait_for_input(fd, timeout);
        if (r < 0)
            return r;
        ssize_t n = read(fd, p->page + p->size, EONAY_SECRET_MAX + 3 - p->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        p->size += (size_t)n;
    }
    int r = pin_check(p);
    if (r < 0)
        pin_erase(p);
    return r;
}

int pin_read_file(Pin *p, const char *path) {
    struct stat st;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 077) != 0)
        return -EPERM;
    return pin_read_fd(p, fd, 0);
}

int pin_pipe(const Pin *p, int *ret_fd) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    ssize_t n = write(ends[1], p->page, p->size); /* far below the capacity of a pipe: never blocks */
    safe_close(ends[1]);
    if (n != (ssize_t)p->size) {
        safe_close(ends[0]);
        return n < 0 ? -errno : -EIO;
    }
    *ret_fd = ends[0];
    return 0;
}
