/* SPDX-License-Identifier: Apache-2.0 */
/* Small idioms: cleanup attributes, handing over, descriptors that are always closed. */
#ifndef EONAY_UTIL_H
#define EONAY_UTIL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Hands a pointer over: the variable is NULL afterwards. */
#define TAKE_PTR(p)                                                                                                    \
    ({                                                                                                                 \
        __typeof__(p) *take_from_ = &(p);                                                                              \
        __typeof__(p) take_value_ = *take_from_;                                                                       \
        *take_from_ = NULL;                                                                                            \
        take_value_;                                                                                                   \
    })

#define TAKE_FD(fd)                                                                                                    \
    ({                                                                                                                 \
        int *take_from_ = &(fd);                                                                                       \
        int take_value_ = *take_from_;                                                                                 \
        *take_from_ = -1;                                                                                              \
        take_value_;                                                                                                   \
    })

static inline int safe_close(int fd) {
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return -1;
}

static inline void closep(int *fd) {
    *fd = safe_close(*fd);
}
#define _cleanup_close_ _cleanup_(closep)

#define USEC_PER_SEC  1000000ULL
#define USEC_PER_MSEC 1000ULL

/* ASCII only, whatever the locale says about i and ı. */
static inline int ascii_isdigit(char c) {
    return c >= '0' && c <= '9';
}

#endif
