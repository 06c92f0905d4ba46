/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define BACKLOG 128

static int complain(const char *where, const char *why) {
    log_error("Listen=%s: %s", where, why);
    return -EINVAL;
}

/* Whoever may connect is a matter of the folder's and the group's: the proxy is in it. */
static int open_unix(const char *where, const char *path, char **ret_where) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;

    if (strlen(path) >= sizeof address.sun_path)
        return complain(where, "the path is too long");
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0660) < 0 ||
        listen(fd, BACKLOG) < 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return complain(where, strerrordesc_np(error));
    }
    *ret_where = g_strdup(where);
    return fd;
}

static char *name_of(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        (void)getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
    return g_strdup_printf(address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int open_address(const char *where, const struct addrinfo *info, char **ret_where) {
    int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return complain(where, strerrordesc_np(error));
    }
    *ret_where = name_of(fd);
    return fd;
}

int listen_open(const char *where, char **ret_where) {
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *info = NULL;
    const char *colon = strrchr(where, ':');
    g_autofree char *host = NULL;

    if (g_str_has_prefix(where, "unix:/"))
        return open_unix(where, where + strlen("unix:"), ret_where);
    if (!colon)
        return complain(where, "is no ADDRESS:PORT");
    host = g_strndup(where, (gsize)(colon - where));
    if (*host == '[' && g_str_has_suffix(host, "]")) {
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = '\0';
    }
    if (getaddrinfo(host, colon + 1, &hints, &info) != 0)
        return complain(where, "is no ADDRESS:PORT");
    int fd = open_address(where, info, ret_where);
    freeaddrinfo(info);
    return fd;
}
