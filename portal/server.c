/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is an Exchange. libmicrohttpd calls accept_request() when its head is there, with each piece of its body,
 * when it is whole, and once more after the connection was suspended for a worker and woken by its reply.
 *
 * Limits of time: libmicrohttpd closes what is silent; what drips byte by byte is found by the exchange (in the body:
 * it answers 408) or by the watch, a thread that shuts down connections whose request's head or handshake takes too
 * long.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "code-watch.h"
#include "listen.h"
#include "log.h"
#include "responder.h"
#include "router.h"
#include "worker.h"

#define TLS_PRIORITIES    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"
#define SILENCE_SECONDS   15
#define IDLE_SECONDS      30 /* from the end of one request to the whole head of the next */
#define ENDING_SECONDS    3  /* that what is answered at the end has to be sent */
#define SERVER_THREADS    1
#define DISCARD_MAX       (64u * 1024) /* read and thrown away of a body that is too large */
#define CONNECTION_MEMORY (REQUEST_HEADERS_MAX + 8192u)

typedef struct Connection {
    int fd;
    gint64 waiting_since; /* monotonic; 0 while a request is at work */
    struct Connection *next, *previous;
} Connection;

struct Server {
    Portal *portal;
    struct MHD_Daemon *daemon;
    Workers *workers;
    int fd;
    char *certificate, *private_key;
    pthread_mutex_t lock; /* the connections */
    pthread_cond_t changed;
    Connection *connections;
    unsigned at_work; /* requests given to a worker whose answer is not sent yet */
    bool stopping;
    bool watching;
    pthread_t watch;
};

typedef struct Exchange {
    Request request; /* first: again() */
    Server *server;
    GByteArray *body;
    gint64 started;
    size_t received;
    bool pushed;
    bool too_large;
    Reply *reply; /* of the worker */
} Exchange;

static Language language_of(struct MHD_Connection *connection) {
    return language_accepted(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, Reply *reply) {
    enum MHD_Result result = MHD_queue_response(connection, reply_status(reply), reply_response(reply));

    reply_free(reply);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, EonayError error, unsigned status,
                              const char *detail) {
    Reply *reply = problem_reply_full(language_of(connection), error, status, 0, detail);

    reply_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
    return send_reply(connection, reply);
}

static void address_of(const Server *s, struct MHD_Connection *connection, char *ret, size_t size) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *forwarded = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Forwarded-For");
    const struct sockaddr *address = info ? info->client_addr : NULL;

    *ret = '\0';
    /* The last entry is the one that our own proxy wrote; those before it are anybody's. */
    if (s->portal->config->trusted_proxy && forwarded) {
        const char *comma = strrchr(forwarded, ',');
        const char *last = comma ? comma + 1 : forwarded;
        (void)g_strlcpy(ret, last + strspn(last, " "), size);
    } else if (address && address->sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, ret, (socklen_t)size);
    } else if (address && address->sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, ret,
                        (socklen_t)size);
    }
}

/* "Text/HTML; charset=x" becomes "text/html". */
static char *media_type_of(struct MHD_Connection *connection) {
    const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    g_autofree char *plain = header ? g_strndup(header, strcspn(header, "; ")) : g_strdup("");

    return g_ascii_strdown(plain, -1);
}

static void push(Exchange *x) {
    if (workers_push(x->server->workers, &x->request, x))
        return;
    x->reply = problem_reply_full(x->request.language, EONAY_ERROR_BUSY, 0, 0, NULL);
    MHD_resume_connection(x->request.connection);
}

/* In any thread: the request is the first member. */
static void again(Request *request) {
    push((Exchange *)request);
}

static Exchange *exchange_new(Server *s, struct MHD_Connection *connection, const RouterMatch *match,
                              const char *path) {
    Exchange *x = g_new0(Exchange, 1);
    Request *r = &x->request;

    x->server = s;
    x->started = g_get_monotonic_time();
    x->body = g_byte_array_new();
    r->portal = s->portal;
    r->connection = connection;
    r->route = match->route;
    r->path = g_strdup(path);
    r->element = match->element ? r->path + (match->element - path) : NULL;
    r->media_type = media_type_of(connection);
    r->language = language_of(connection);
    r->again = again;
    address_of(s, connection, r->address, sizeof r->address);
    return x;
}

static void exchange_free(Exchange *x) {
    if (!x)
        return;
    g_byte_array_unref(x->body);
    g_free((char *)(uintptr_t)x->request.path);
    g_free((char *)(uintptr_t)x->request.media_type);
    if (x->request.form)
        g_hash_table_unref(x->request.form);
    reply_free(x->reply);
    g_free(x);
}

/* In a worker's thread. */
static void handled(Request *request, Reply *reply, void *data) {
    Exchange *x = data;

    x->reply = reply;
    MHD_resume_connection(request->connection);
}

static void mark(struct MHD_Connection *connection, Server *s, bool waiting) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    Connection *c = info ? info->socket_context : NULL;

    if (!c)
        return;
    pthread_mutex_lock(&s->lock);
    c->waiting_since = waiting ? g_get_monotonic_time() : 0;
    pthread_mutex_unlock(&s->lock);
}

static void count_at_work(Server *s, bool more) {
    pthread_mutex_lock(&s->lock);
    s->at_work += more ? 1u : -1u;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* A person gets a page, a program an object. */
static enum MHD_Result refuse_route(Server *s, struct MHD_Connection *connection, const RouterMatch *match) {
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    Language language = language_of(connection);
    Reply *reply = !*match->allow && accept && strstr(accept, "text/html")
                       ? web_no_such_page(s->portal, language)
                       : problem_reply_full(language, EONAY_ERROR_NOT_FOUND, *match->allow ? 405 : 404, 0, NULL);

    if (*match->allow)
        reply_header(reply, MHD_HTTP_HEADER_ALLOW, match->allow);
    reply_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
    return send_reply(connection, reply);
}

/* What can be said from the head alone; NULL *ret_exchange when it was refused. */
static enum MHD_Result begin(Server *s, struct MHD_Connection *connection, const char *method, const char *path,
                             void **ret_exchange) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    RouterMatch match;

    mark(connection, s, false);
    router_find(method, path, &match);
    if (!match.route)
        return refuse_route(s, connection, &match);
    /* What is a little too large is read and answered at its end: a client that is cut off while it sends sees no
     * answer. */
    if (length && g_ascii_strtoull(length, NULL, 10) > match.route->body_max + DISCARD_MAX)
        return refuse(connection, EONAY_ERROR_BACKEND_PROTOCOL, 413, "the body is too large");

    Exchange *x = exchange_new(s, connection, &match, path);
    if (match.route->media_type && strcmp(match.route->media_type, x->request.media_type) != 0) {
        exchange_free(x);
        return refuse(connection, EONAY_ERROR_BACKEND_PROTOCOL, 415, "the body is of another media type");
    }
    *ret_exchange = x;
    return MHD_YES;
}

/*
 * libmicrohttpd takes no reply while a body arrives, so this one is written by hand. We are in the thread of the
 * connection: nobody else writes.
 */
static enum MHD_Result break_off(struct MHD_Connection *connection, unsigned status, const char *reason,
                                 EonayError error) {
    const union MHD_ConnectionInfo *tls = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const Language language = language_of(connection);
    g_autofree char *body =
        g_strdup_printf("{\"type\":\"urn:eonay:error:%s\",\"title\":\"%s\",\"status\":%u,\"code\":\"%s\"}",
                        error_name(error), language_text(language, error_text(error)), status, error_name(error));
    g_autofree char *text = g_strdup_printf("HTTP/1.1 %u %s\r\nConnection: close\r\nCache-Control: no-store\r\n"
                                            "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n%s",
                                            status, reason, strlen(body), body);

    if (tls)
        (void)gnutls_record_send(tls->tls_session, text, strlen(text));
    else if (fd)
        (void)send(fd->connect_fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

static enum MHD_Result take_piece(Exchange *x, struct MHD_Connection *connection, const char *bytes, size_t *size) {
    if (g_get_monotonic_time() - x->started > (gint64)REQUEST_ARRIVAL_SECONDS * G_USEC_PER_SEC)
        return break_off(connection, 408, "Request Timeout", EONAY_ERROR_TIMED_OUT);
    x->received += *size;
    if (x->received > x->request.route->body_max) {
        x->too_large = true;
        if (x->received > x->request.route->body_max + DISCARD_MAX)
            return break_off(connection, 413, "Content Too Large", EONAY_ERROR_BACKEND_PROTOCOL);
    } else {
        g_byte_array_append(x->body, (const guint8 *)bytes, (guint)*size);
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result whole(Exchange *x, struct MHD_Connection *connection) {
    if (x->too_large)
        return refuse(connection, EONAY_ERROR_BACKEND_PROTOCOL, 413, "the body is too large");
    x->request.body = x->body->data;
    x->request.body_size = x->body->len;
    x->pushed = true;
    count_at_work(x->server, true);
    MHD_suspend_connection(connection);
    push(x);
    return MHD_YES;
}

static enum MHD_Result accept_request(void *data, struct MHD_Connection *connection, const char *path,
                                      const char *method, const char *version, const char *bytes, size_t *size,
                                      void **exchange) {
    Exchange *x = *exchange;

    (void)version;
    if (!x)
        return begin(data, connection, method, path, exchange);
    if (*size > 0)
        return take_piece(x, connection, bytes, size);
    if (!x->pushed)
        return whole(x, connection);
    if (!x->reply)
        return MHD_NO;
    return send_reply(connection, g_steal_pointer(&x->reply));
}

static void completed(void *data, struct MHD_Connection *connection, void **exchange,
                      enum MHD_RequestTerminationCode why) {
    Exchange *x = *exchange;

    (void)why;
    if (x && x->pushed)
        count_at_work(data, false);
    exchange_free(x);
    *exchange = NULL;
    mark(connection, data, true);
}

static void connection_changed(void *data, struct MHD_Connection *connection, void **socket_context,
                               enum MHD_ConnectionNotificationCode what) {
    Server *s = data;
    Connection *c = *socket_context;

    pthread_mutex_lock(&s->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        c = g_new0(Connection, 1);
        c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->waiting_since = g_get_monotonic_time();
        c->next = s->connections;
        if (c->next)
            c->next->previous = c;
        s->connections = c;
        *socket_context = c;
    } else if (c) {
        if (c->previous)
            c->previous->next = c->next;
        else
            s->connections = c->next;
        if (c->next)
            c->next->previous = c->previous;
        g_free(c);
        *socket_context = NULL;
    }
    pthread_mutex_unlock(&s->lock);
}

/* Under the lock a connection's socket is its own: it is closed after connection_changed() only. */
static void *watch(void *data) {
    Server *s = data;
    struct timespec until;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        gint64 late = g_get_monotonic_time() - (gint64)IDLE_SECONDS * G_USEC_PER_SEC;
        for (Connection *c = s->connections; c; c = c->next)
            if (c->waiting_since != 0 && c->waiting_since < late)
                (void)shutdown(c->fd, SHUT_RDWR);
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        (void)pthread_cond_timedwait(&s->changed, &s->lock, &until);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void mhd_log(void *data, const char *format, va_list ap) {
    char line[256];

    (void)data;
    (void)vsnprintf(line, sizeof line, format, ap);
    log_info("http: %s", line);
}

static char *read_pem(const char *path) {
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error))
        log_error("%s", error->message);
    return text;
}

static int start_daemon(Server *s) {
    const Config *config = s->portal->config;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, s->private_key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (config->plain_http ? 0u : (unsigned)MHD_USE_TLS);

    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, accept_request, s, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        s->fd, MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, s,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->trusted_proxy ? 0u : (unsigned)config->connections_per_address,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, config->plain_http ? none : tls, MHD_OPTION_END);
    if (!s->daemon)
        log_error("the HTTP server cannot be started; are Certificate= and PrivateKey= a pair in PEM?");
    return s->daemon ? 0 : -EIO;
}

int server_start(Portal *portal, Server **ret) {
    const Config *config = portal->config;
    g_autofree char *where = NULL;
    Server *s = g_new0(Server, 1);
    int r = 0;

    s->portal = portal;
    s->fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (!config->plain_http) {
        s->certificate = read_pem(config->certificate);
        s->private_key = read_pem(config->private_key);
        r = s->certificate && s->private_key ? 0 : -EIO;
    }
    if (r != 0 || (r = code_watch_start(portal, &portal->watch)) != 0 ||
        (r = responder_start(portal, &portal->responder)) != 0 ||
        (r = workers_new(portal, handled, &s->workers)) != 0 || (r = s->fd = listen_open(config->listen, &where)) < 0 ||
        (r = start_daemon(s)) != 0 || (r = -pthread_create(&s->watch, NULL, watch, s)) != 0)
        return server_stop(s), r;
    s->watching = true;
    log_info("listening on %s%s", config->plain_http ? (g_str_has_prefix(where, "unix:") ? "" : "http://") : "https://",
             where);
    *ret = s;
    return 0;
}

/* An answer is sent by the server's thread, some time after a worker gave it: an end before that would cut it off. */
static void wait_for_answers(Server *s) {
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ENDING_SECONDS;
    pthread_mutex_lock(&s->lock);
    while (s->at_work > 0 && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
}

Server *server_stop(Server *s) {
    if (!s)
        return NULL;
    if (s->daemon) {
        int fd = (int)MHD_quiesce_daemon(s->daemon);
        s->fd = fd >= 0 ? fd : s->fd;
    }
    code_watch_close(s->portal->watch);
    responder_close(s->portal->responder);
    workers_stop(s->workers);
    s->portal->watch = code_watch_stop(s->portal->watch);
    s->portal->responder = responder_stop(s->portal->responder);
    /* Until here connections that are open may bring requests, which are answered with Busy. */
    wait_for_answers(s);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    s->workers = workers_free(s->workers);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->watching)
        pthread_join(s->watch, NULL);
    if (s->fd >= 0)
        close(s->fd);
    g_free(s->certificate);
    if (s->private_key)
        memset(s->private_key, 0, strlen(s->private_key));
    g_free(s->private_key);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    g_free(s);
    return NULL;
}
