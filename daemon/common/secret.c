/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipe comes from somebody else and may be reopened or emptied by him at any moment, so a plain read() could block
 * for ever. splice() with SPLICE_F_NONBLOCK cannot: it moves what is there into a pipe of our own, which we then read.
 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eonay/plugin.h"
#include "names.h"
#include "util.h"

#define SECRET_PAGE 4096u

struct Secret {
    uint8_t *page;
    size_t size;
};

int secret_new(Secret **ret) {
    void *page = mmap(NULL, SECRET_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    if (mlock(page, SECRET_PAGE) < 0 || madvise(page, SECRET_PAGE, MADV_DONTDUMP) < 0) {
        int r = -errno;
        munmap(page, SECRET_PAGE);
        return r;
    }
    madvise(page, SECRET_PAGE, MADV_WIPEONFORK); /* since Linux 4.14; a child would hold a copy without it */
    Secret *s = calloc(1, sizeof(*s));
    if (!s) {
        munmap(page, SECRET_PAGE);
        return -ENOMEM;
    }
    s->page = page;
    *ret = s;
    return 0;
}

void secret_erase(Secret *s) {
    explicit_bzero(s->page, SECRET_PAGE);
    s->size = 0;
}

Secret *secret_free(Secret *s) {
    if (!s)
        return NULL;
    secret_erase(s);
    munmap(s->page, SECRET_PAGE);
    free(s);
    return NULL;
}

/* Moves up to one byte more than a secret may have, so that too much is noticed. */
static int drain_pipe(Secret *s, int fd, int in, int out) {
    size_t limit = EONAY_SECRET_MAX + 2; /* a line end, and one byte that tells of too many */
    while (s->size < limit) {
        ssize_t moved = splice(fd, NULL, out, NULL, limit - s->size, SPLICE_F_NONBLOCK);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved < 0 && errno != EAGAIN)
            return errno == EINVAL || errno == EBADF ? EONAY_ERROR_DESCRIPTOR_INVALID : -errno;
        if (moved <= 0)
            return 0;
        for (ssize_t taken = 0; taken < moved;) {
            ssize_t n = read(in, s->page + s->size, (size_t)(moved - taken));
            if (n <= 0)
                return n < 0 ? -errno : -EIO;
            s->size += (size_t)n;
            taken += n;
        }
    }
    return 0;
}

static int secret_check(Secret *s) {
    if (s->size > 0 && s->page[s->size - 1] == '\n')
        s->size--;
    if (s->size == 0 || s->size > EONAY_SECRET_MAX || memchr(s->page, 0, s->size))
        return EONAY_ERROR_PIN_FORMAT;
    return 0;
}

int secret_read_pipe(Secret *s, int fd) {
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
        return EONAY_ERROR_DESCRIPTOR_INVALID;
    int own[2];
    if (pipe2(own, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    secret_erase(s);
    int r = drain_pipe(s, fd, own[0], own[1]);
    safe_close(own[0]);
    safe_close(own[1]);
    if (r == 0)
        r = secret_check(s);
    if (r != 0)
        secret_erase(s);
    return r;
}

int secret_read_file(Secret *s, int fd) {
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return EONAY_ERROR_DESCRIPTOR_INVALID;
    secret_erase(s);
    ssize_t n = 1;
    while (n > 0 && s->size <= EONAY_SECRET_MAX + 1) { /* room for a line end, and for one too many */
        n = pread(fd, s->page + s->size, EONAY_SECRET_MAX + 2 - s->size, (off_t)s->size);
        s->size += n > 0 ? (size_t)n : 0;
    }
    int r = n < 0 ? -errno : secret_check(s);
    if (r != 0)
        secret_erase(s);
    return r;
}

const uint8_t *secret_bytes(const Secret *s) {
    return s->page;
}

size_t secret_size(const Secret *s) {
    return s->size;
}
