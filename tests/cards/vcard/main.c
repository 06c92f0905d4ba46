/* SPDX-License-Identifier: Apache-2.0 */
/* eonay-vcard: a smart card that is a process. One poll() loop over the reader connection, the control socket and its
 * clients, standard input when it is the script, and the signals that end it. */
#include "control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { VPCD_PORT = 35963, CLIENTS_MAXIMUM = 16 };
enum { AT_LINK, AT_SIGNAL, AT_LISTEN, AT_CLIENTS, AT_COUNT = AT_CLIENTS + CLIENTS_MAXIMUM };

typedef struct Client {
    int in;  /* -1: free */
    int out; /* standard input answers on standard output */
    char line[LINE_MAXIMUM];
    size_t size;
} Client;

typedef struct Program {
    Card card;
    Link link;
    int signals;
    int listener;
    const char *control; /* the socket's path, removed at the end */
    Client clients[CLIENTS_MAXIMUM];
    bool exit;
} Program;

static int fail(const char *what, const char *which, int error) {
    fprintf(stderr, "eonay-vcard: %s%s%s: %s\n", what, which ? " " : "", which ? which : "", strerror(-error));
    return EXIT_FAILURE;
}

static void client_add(Program *program, int in, int out) {
    for (int i = 0; i < CLIENTS_MAXIMUM; i++) {
        Client *client = &program->clients[i];
        if (client->in >= 0)
            continue;
        *client = (Client){.in = in, .out = out};
        return;
    }
    close(in);
}

static void client_drop(Program *program, Client *client) {
    if (client->in == STDIN_FILENO)
        program->exit = true; /* whoever wrote the script is gone */
    else
        close(client->in);
    client->in = -1;
}

static void client_reply(const Client *client, char reply[static REPLY_MAXIMUM]) {
    char text[REPLY_MAXIMUM + 1];
    int size = snprintf(text, sizeof(text), "%s\n", reply);
    /* A client that does not read its answers loses them. */
    if (client->out == STDOUT_FILENO)
        (void)!write(client->out, text, (size_t)size);
    else
        (void)send(client->out, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void client_lines(Program *program, Client *client) {
    char *end, reply[REPLY_MAXIMUM];
    while ((end = memchr(client->line, '\n', client->size))) {
        size_t length = (size_t)(end - client->line) + 1;
        *end = '\0';
        control_line(&program->link, client->line, reply, &program->exit);
        client_reply(client, reply);
        memmove(client->line, client->line + length, client->size - length);
        client->size -= length;
    }
}

static void client_read(Program *program, Client *client) {
    ssize_t size = read(client->in, client->line + client->size, LINE_MAXIMUM - client->size);
    if (size < 0 && errno == EINTR)
        return;
    if (size <= 0) {
        client_drop(program, client);
        return;
    }
    client->size += (size_t)size;
    client_lines(program, client);
    if (client->size == LINE_MAXIMUM)
        client_drop(program, client);
}

static int program_listen(Program *program, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = sizeof(address.sun_path);
    if (snprintf(address.sun_path, size, "%s.new", path) >= (int)size)
        return -ENAMETOOLONG;
    program->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (program->listener < 0)
        return -errno;
    (void)unlink(address.sun_path);
    /* who sees the socket can connect to it */
    if (bind(program->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(program->listener, CLIENTS_MAXIMUM) < 0 || rename(address.sun_path, path) < 0)
        return -errno;
    program->control = path;
    return 0;
}

static int program_script(Program *program, const char *path) {
    if (strcmp(path, "-") == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        client_add(program, STDIN_FILENO, STDOUT_FILENO);
        return 0;
    }
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    char line[LINE_MAXIMUM], reply[REPLY_MAXIMUM];
    bool good = true;
    for (unsigned number = 1; good && fgets(line, sizeof(line), file); number++) {
        good = control_line(&program->link, line, reply, &program->exit);
        if (!good)
            fprintf(stderr, "eonay-vcard: %s:%u: %s\n", path, number, reply);
    }
    fclose(file);
    return good ? 0 : -EBADMSG;
}

static int program_signals(Program *program) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    program->signals = signalfd(-1, &set, SFD_CLOEXEC);
    return program->signals < 0 ? -errno : 0;
}

static void program_accept(Program *program) {
    int fd = accept4(program->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        client_add(program, fd, fd);
}

static void program_turn(Program *program) {
    struct pollfd polled[AT_COUNT] = {
        [AT_LINK] = {.fd = program->link.fd, .events = link_events(&program->link)},
        [AT_SIGNAL] = {.fd = program->signals, .events = POLLIN},
        [AT_LISTEN] = {.fd = program->listener, .events = POLLIN},
    };
    for (int i = 0; i < CLIENTS_MAXIMUM; i++)
        polled[AT_CLIENTS + i] = (struct pollfd){.fd = program->clients[i].in, .events = POLLIN};
    if (poll(polled, AT_COUNT, link_timeout(&program->link)) < 0)
        return;
    if (polled[AT_SIGNAL].revents)
        program->exit = true;
    link_turn(&program->link, polled[AT_LINK].revents);
    for (int i = 0; i < CLIENTS_MAXIMUM; i++)
        if (polled[AT_CLIENTS + i].revents && program->clients[i].in >= 0)
            client_read(program, &program->clients[i]);
    if (polled[AT_LISTEN].revents)
        program_accept(program);
}

/* SLOT=FILE, such as 9c=key.pem */
static int slot_argument(Program *program, const char *argument, bool certificate) {
    SlotName name;
    char *end;
    unsigned long reference = strtoul(argument, &end, 16);
    if (*end != '=' || reference > 0xFF || !card_slot((uint8_t)reference, &name))
        return fail("not a slot (9a, 9c, 9d, 9e):", argument, -EINVAL);
    Slot *slot = &program->card.slots[name];
    int r = certificate ? certificate_load(end + 1, &slot->certificate) : key_load(end + 1, &slot->key);
    return r < 0 ? fail("cannot read", end + 1, r) : 0;
}

static int host_argument(const char *text, struct in_addr *ret) {
    struct in_addr host;
    if (inet_pton(AF_INET, text, &host) != 1 || ntohl(host.s_addr) >> 24 != 127)
        return fail("only loopback addresses:", text, -EINVAL);
    *ret = host;
    return 0;
}

static int port_argument(const char *text, uint16_t *ret) {
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (end == text || *end || port == 0 || port > 65535)
        return fail("not a port:", text, -EINVAL);
    *ret = (uint16_t)port;
    return 0;
}

static int usage(int status) {
    fputs("usage: eonay-vcard [--host 127.0.0.1] [--port 35963] --key 9c=FILE --cert 9c=FILE ...\n"
          "                   [--state FILE] [--serial HEX32] [--script FILE|-] [--control SOCKET]\n"
          "                   [--log FILE] [--absent]\n",
          status ? stderr : stdout);
    return status;
}

typedef struct Options {
    struct in_addr host;
    uint16_t port;
    const char *state;
    const char *serial;
    const char *script;
    const char *control;
    const char *log;
    bool absent;
} Options;

static int option_apply(Program *program, Options *options, int option) {
    switch (option) {
    case 'k':
        return slot_argument(program, optarg, false);
    case 'c':
        return slot_argument(program, optarg, true);
    case 'h':
        return host_argument(optarg, &options->host);
    case 'p':
        return port_argument(optarg, &options->port);
    case 's':
        options->state = optarg;
        return 0;
    case 'n':
        options->serial = optarg;
        return 0;
    case 'f':
        options->script = optarg;
        return 0;
    case 'o':
        options->control = optarg;
        return 0;
    case 'l':
        options->log = optarg;
        return 0;
    case 'a':
        options->absent = true;
        return 0;
    default:
        return usage(EXIT_FAILURE);
    }
}

static int options_parse(Program *program, int argc, char **argv, Options *ret) {
    static const struct option names[] = {
        {"key", required_argument, NULL, 'k'},
        {"cert", required_argument, NULL, 'c'},
        {"host", required_argument, NULL, 'h'},
        {"port", required_argument, NULL, 'p'},
        {"state", required_argument, NULL, 's'},
        {"serial", required_argument, NULL, 'n'},
        {"script", required_argument, NULL, 'f'},
        {"control", required_argument, NULL, 'o'},
        {"log", required_argument, NULL, 'l'},
        {"absent", no_argument, NULL, 'a'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        int r = option_apply(program, ret, option);
        if (r != 0)
            return r;
    }
    return optind == argc ? 0 : usage(EXIT_FAILURE);
}

static int serial_set(Program *program, const char *serial) {
    _cleanup_buffer_ Buffer guid = {0};
    if (!serial)
        return getrandom(program->card.guid, GUID_SIZE, 0) == GUID_SIZE ? 0 : fail("no randomness", NULL, -EIO);
    if (!buffer_add_hex(&guid, serial) || guid.size != GUID_SIZE)
        return fail("a serial is 32 hexadecimal digits:", serial, -EINVAL);
    memcpy(program->card.guid, guid.data, GUID_SIZE);
    return 0;
}

static int program_start(Program *program, const Options *options) {
    int r = serial_set(program, options->serial);
    if (r != 0)
        return r;
    link_init(&program->link, &program->card, options->host, options->port);
    if (options->state && (r = references_open(&program->card.references, options->state)) < 0)
        return fail("cannot use the state", options->state, r);
    if (options->log && !(program->link.log = fopen(options->log, "ae")))
        return fail("cannot write", options->log, -errno);
    if ((r = program_signals(program)) < 0)
        return fail("signals", NULL, r);
    if (options->control && (r = program_listen(program, options->control)) < 0)
        return fail("cannot listen on", options->control, r);
    if (options->script && (r = program_script(program, options->script)) < 0)
        return fail("cannot run the script", options->script, r);
    if (!options->absent)
        link_insert(&program->link);
    return 0;
}

static void program_free(Program *program) {
    link_free(&program->link);
    card_free(&program->card);
    for (int i = 0; i < CLIENTS_MAXIMUM; i++)
        if (program->clients[i].in > STDIN_FILENO)
            close(program->clients[i].in);
    if (program->listener >= 0)
        close(program->listener);
    if (program->control)
        (void)unlink(program->control);
    if (program->signals >= 0)
        close(program->signals);
}

int main(int argc, char **argv) {
    static Program program = {.signals = -1, .listener = -1, .link = {.fd = -1, .card = &program.card}};
    Options options = {.host = {htonl(INADDR_LOOPBACK)}, .port = VPCD_PORT};
    card_init(&program.card);
    for (int i = 0; i < CLIENTS_MAXIMUM; i++)
        program.clients[i].in = -1;
    int status = options_parse(&program, argc, argv, &options);
    if (status == 0)
        status = program_start(&program, &options);
    while (status == 0 && !program.exit)
        program_turn(&program);
    program_free(&program);
    return status;
}
