// SPDX-License-Identifier: Apache-2.0
/*
 * A time-stamp authority over HTTP that keeps its connections, and a bare client of it: what a stamp's round trip costs
 * without us. Both are one process each; the stamps are made by OpenSSL's own code.
 *
 * Usage: tsa serve PKI-DIR   prints its port, then serves / (stamps) and /crl (the issuing authority's list) until it
 * is ended tsa ask PORT        Verb: stamp N; asks for N stamps on one connection and prints how long each took
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "pki-services.h"
#include "signature.h"
#include "timestamp.h"

#define CONNECTIONS_MAX 64
#define MESSAGE_MAX     65536

typedef struct Connection {
    int fd;
    size_t size;
    char bytes[MESSAGE_MAX];
} Connection;

static Pki *pki;
static PkiLeaf *authority;
static uint8_t *list;
static size_t list_size;

static void must(int good, const char *what) {
    if (!good)
        bench_fail("%s", what);
}

static void write_all(int fd, const void *bytes, size_t size) {
    for (const char *p = bytes; size > 0;) {
        ssize_t n = send(fd, p, size, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        p += n;
        size -= (size_t)n;
    }
}

/* The whole message at the beginning of the bytes, 0 while it is not there: where its body is, and how long it is. */
static size_t message_whole(const char *bytes, size_t size, size_t *ret_body, size_t *ret_body_size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    const char *length = end ? memmem(bytes, (size_t)(end - bytes), "Content-Length: ", 16) : NULL;
    if (!end)
        return 0;
    *ret_body = (size_t)(end - bytes) + 4;
    *ret_body_size = length ? strtoul(length + 16, NULL, 10) : 0;
    return *ret_body + *ret_body_size <= size ? *ret_body + *ret_body_size : 0;
}

static void answer(int fd, const char *status, const void *body, size_t size) {
    char bytes[MESSAGE_MAX];
    int n = snprintf(bytes, sizeof bytes, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, size);
    must((size_t)n + size < sizeof bytes, "the answer is too long");
    if (size > 0)
        memcpy(bytes + n, body, size);
    write_all(fd, bytes, (size_t)n + size);
}

static void serve_message(Connection *c, size_t body, size_t body_size) {
    size_t size = 0;
    if (strncmp(c->bytes, "GET /crl", 8) == 0) {
        answer(c->fd, "200 OK", list, list_size);
        return;
    }
    uint8_t *stamp = body_size > 0 ? pki_stamp(pki, authority, (uint8_t *)c->bytes + body, body_size, 0, &size) : NULL;
    answer(c->fd, stamp ? "200 OK" : "404 Not Found", stamp, size);
    OPENSSL_free(stamp);
}

/* False: it has gone. */
static int serve_connection(Connection *c) {
    size_t body, body_size, whole;
    ssize_t n = recv(c->fd, c->bytes + c->size, sizeof c->bytes - c->size, 0);
    if (n <= 0)
        return 0;
    c->size += (size_t)n;
    while ((whole = message_whole(c->bytes, c->size, &body, &body_size)) > 0) {
        serve_message(c, body, body_size);
        c->size -= whole;
        memmove(c->bytes, c->bytes + whole, c->size);
    }
    return c->size < sizeof c->bytes;
}

static void no_delay(int fd) {
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, CONNECTIONS_MAX) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &size) == 0,
         "no port");
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void serve_all(int listener) {
    static Connection connections[CONNECTIONS_MAX];
    struct pollfd fds[CONNECTIONS_MAX + 1];
    int n = 0;
    for (;;) {
        fds[0] = (struct pollfd){.fd = listener, .events = n < CONNECTIONS_MAX ? POLLIN : 0};
        for (int i = 0; i < n; i++)
            fds[i + 1] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        if (poll(fds, (nfds_t)n + 1, -1) < 0)
            continue;
        for (int i = n - 1; i >= 0; i--) {
            if (!fds[i + 1].revents || serve_connection(&connections[i]))
                continue;
            close(connections[i].fd);
            connections[i] = connections[--n];
        }
        if (!fds[0].revents)
            continue;
        connections[n] = (Connection){.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)};
        if (connections[n].fd < 0)
            continue;
        no_delay(connections[n++].fd);
    }
}

static void serve(const char *folder) {
    int64_t now = (int64_t)time(NULL);
    must(pki_load(folder, &pki) == 0 &&
             pki_issue(pki, &(PkiRequest){.profile = "tsa", .key = "p256", .name = "Bench TSA"}, &authority) == 0,
         "the infrastructure");
    PkiAnswer answer_of_all = {
        .about = authority->certificate, .reason = -1, .this_update = now - 60, .next_update = now + 86400};
    list = pki_crl(pki, &answer_of_all, &list_size);
    must(list != NULL, "the list");
    serve_all(listen_somewhere());
}

/* ------------------------------------------------------------------------------------------------------ client -- */

static int connect_to(unsigned port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "no connection");
    no_delay(fd);
    return fd;
}

static void ask_once(int fd, const uint8_t *query, size_t size) {
    static char bytes[MESSAGE_MAX];
    size_t got = 0, body, body_size;
    int n = snprintf(bytes, sizeof bytes,
                     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/timestamp-query\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     size);
    memcpy(bytes + n, query, size);
    write_all(fd, bytes, (size_t)n + size);
    do {
        ssize_t more = recv(fd, bytes + got, sizeof bytes - got, 0);
        must(more > 0, "no answer");
        got += (size_t)more;
    } while (message_whole(bytes, got, &body, &body_size) == 0);
    must(strncmp(bytes, "HTTP/1.1 200", 12) == 0, "no stamp");
}

static void ask(unsigned port) {
    static const uint8_t hash[32] = {1}, nonce[TIMESTAMP_NONCE_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};
    const char *verb;
    uint8_t *query;
    size_t size;
    int fd = connect_to(port);
    must(timestamp_request(hash, sizeof hash, nonce, NULL, &query, &size) == 0, "the query");
    for (;;) {
        for (unsigned n = bench_next(&verb); n > 0; n--) {
            uint64_t start = bench_now();
            ask_once(fd, query, size);
            printf("%llu\n", (unsigned long long)(bench_now() - start));
        }
        bench_done();
    }
}

int main(int argc, char **argv) {
    signature_init();
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "ask") == 0)
        ask((unsigned)strtoul(argv[2], NULL, 10));
    return 2;
}
