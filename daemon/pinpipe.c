/* SPDX-License-Identifier: Apache-2.0 */
#include "pinpipe.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "eonay/plugin.h"
#include "util.h"

struct PinPipe {
    int fd;
    sd_event_source *hangup;
    sd_event_source *timeout;
    PinPipeHandler handler;
    void *userdata;
};

int pinpipe_check(int fd) {
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) != O_RDONLY || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
        return EONAY_ERROR_DESCRIPTOR_INVALID;
    return 0;
}

static void pinpipe_settle(PinPipe *p, int r) {
    p->hangup = sd_event_source_disable_unref(p->hangup);
    p->timeout = sd_event_source_disable_unref(p->timeout);
    p->handler(r, p->userdata);
}

static int on_hangup(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    (void)source;
    (void)fd;
    (void)events;
    pinpipe_settle(userdata, 0);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    pinpipe_settle(userdata, EONAY_ERROR_TIMED_OUT);
    return 0;
}

int pinpipe_wait(sd_event *event, int fd, uint64_t timeout_usec, PinPipeHandler handler, void *userdata,
                 PinPipe **ret) {
    int r = pinpipe_check(fd);
    if (r != 0)
        return r;
    PinPipe *p = g_new0(PinPipe, 1);
    p->handler = handler;
    p->userdata = userdata;
    p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    r = p->fd < 0 ? -errno : 0;
    /* no event is asked for: a hang-up is always reported, and data alone must not wake us */
    if (r < 0 || (r = sd_event_add_io(event, &p->hangup, p->fd, 0, on_hangup, p)) < 0 ||
        (r = sd_event_add_time_relative(event, &p->timeout, CLOCK_MONOTONIC, timeout_usec, 0, on_timeout, p)) < 0) {
        pinpipe_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

int pinpipe_fd(const PinPipe *p) {
    return p->fd;
}

bool pinpipe_is_full(const PinPipe *p) {
    int n = 0;
    return ioctl(p->fd, FIONREAD, &n) == 0 && n > 0;
}

PinPipe *pinpipe_free(PinPipe *p) {
    if (!p)
        return NULL;
    sd_event_source_disable_unref(p->hangup);
    sd_event_source_disable_unref(p->timeout);
    safe_close(p->fd);
    g_free(p);
    return NULL;
}
