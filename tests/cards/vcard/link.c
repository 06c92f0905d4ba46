/* SPDX-License-Identifier: Apache-2.0 */
/* The reader side is vpcd: frames of a 16-bit length and a body. A body of one byte switches power or asks for the ATR
 * (the reader's presence poll), any other is a command. The connection is reset rather than closed when the card is
 * pulled, so that the reader learns of it in the middle of a command too. While a command is being worked on slowly,
 * the card can still be pulled: answers wait for their time here, nothing sleeps. */
#include "link.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/poll.h>
#include <time.h>
#include <unistd.h>

enum {
    CONTROL_OFF = 0,
    CONTROL_ON = 1,
    CONTROL_RESET = 2,
    CONTROL_ATR = 4,
    FRAME_HEAD = 2,
    CONNECT_PATIENCE_MS = 200, /* the reader's queue holds one connection; a lost SYN is only sent again after 1 s */
    CONNECT_PAUSE_MS = 20,
};

uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void link_init(Link *link, Card *card, struct in_addr host, uint16_t port) {
    *link = (Link){.card = card, .fd = -1};
    link->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = host, .sin_port = htons(port)};
}

static void link_disconnect(Link *link) {
    struct linger reset = {.l_onoff = 1};
    if (link->fd >= 0) {
        (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(link->fd);
    }
    link->fd = -1;
    link->connected = false;
    link->input.size = link->answer.size = 0;
    link->answer_at = link->pull_at = 0;
    link->again = now_ms() + CONNECT_PAUSE_MS;
    card_reset(link->card);
    link->card->powered = false;
    link->card->power_ups = 0;
}

void link_free(Link *link) {
    link_disconnect(link);
    buffer_free(&link->input);
    buffer_free(&link->answer);
    if (link->log)
        fclose(link->log);
}

static void link_connect(Link *link) {
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    link->again = now_ms() + CONNECT_PATIENCE_MS;
    if (link->fd < 0)
        return;
    if (connect(link->fd, (struct sockaddr *)&link->address, sizeof(link->address)) == 0)
        link->connected = true;
    else if (errno != EINPROGRESS)
        link_disconnect(link);
}

void link_insert(Link *link) {
    link->inserted = true;
    if (link->fd < 0)
        link_connect(link);
}

void link_pull(Link *link) {
    link->inserted = false;
    link_disconnect(link);
}

static void link_send(Link *link, Bytes body) {
    _cleanup_buffer_ Buffer frame = {0};
    buffer_add_byte(&frame, (uint8_t)(body.size >> 8));
    buffer_add_byte(&frame, (uint8_t)body.size);
    buffer_add(&frame, body);
    /* A frame is far smaller than a socket's buffer and the reader waits for it: it goes out whole or the reader is
     * gone. */
    if (send(link->fd, frame.data, frame.size, MSG_NOSIGNAL) != (ssize_t)frame.size)
        link_disconnect(link);
}

static void link_log(const Link *link, Bytes command, const char *outcome) {
    if (!link->log || command.size < 4)
        return;
    const uint8_t *c = command.data;
    fprintf(link->log, "%llu %02X%02X%02X%02X size=%zu %s\n", (unsigned long long)now_ms(), c[0], c[1], c[2], c[3],
            command.size, outcome);
    fflush(link->log);
}

static void link_log_answer(const Link *link, Bytes command) {
    char outcome[32];
    size_t size = link->answer.size;
    unsigned status = size >= 2 ? (unsigned)link->answer.data[size - 2] << 8 | link->answer.data[size - 1] : 0;
    snprintf(outcome, sizeof(outcome), "-> %04X answer=%zu", status, size);
    link_log(link, command, outcome);
}

static void link_command(Link *link, Bytes command) {
    Verdict verdict = faults_judge(&link->faults, command);
    _cleanup_buffer_ Buffer replaced = verdict.answer;
    if (verdict.pull && verdict.pull_after == 0) {
        link_log(link, command, "pulled");
        link_pull(link);
        return;
    }
    if (verdict.pull)
        link->pull_at = now_ms() + verdict.pull_after;
    if (verdict.mute) {
        link_log(link, command, "mute");
        return;
    }
    link->answer.size = 0;
    if (verdict.replaced)
        buffer_add(&link->answer, buffer_bytes(&replaced));
    else
        card_transmit(link->card, command, &link->answer);
    link_log_answer(link, command);
    link->answer_at = now_ms() + verdict.delay;
    if (verdict.delay == 0 && !verdict.pull) {
        link->answer_at = 0;
        link_send(link, buffer_bytes(&link->answer));
    }
}

static void link_frame(Link *link, Bytes body) {
    if (body.size != 1) {
        link_command(link, body);
        return;
    }
    switch (body.data[0]) {
    case CONTROL_OFF:
    case CONTROL_ON:
    case CONTROL_RESET:
        card_reset(link->card);
        link->card->powered = body.data[0] != CONTROL_OFF;
        link->card->power_ups += link->card->powered;
        break;
    case CONTROL_ATR:
        link_send(link, buffer_bytes(&link->card->atr));
        break;
    default:
        break;
    }
}

/* The reader sends the length and the body apart and waits for the first to be acknowledged: without this, which the
 * kernel forgets after each use, every command costs 40 ms. */
static void link_acknowledge(const Link *link) {
    int on = 1;
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void link_receive(Link *link) {
    uint8_t chunk[4096];
    ssize_t size = recv(link->fd, chunk, sizeof(chunk), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    link_acknowledge(link);
    if (size <= 0) {
        link_disconnect(link); /* the reader went away; it is found again when it returns */
        return;
    }
    buffer_add(&link->input, (Bytes){chunk, (size_t)size});
    while (link->input.size >= FRAME_HEAD) {
        size_t length = (size_t)link->input.data[0] << 8 | link->input.data[1];
        if (link->input.size < FRAME_HEAD + length)
            return;
        _cleanup_buffer_ Buffer body = {0};
        buffer_add(&body, (Bytes){link->input.data + FRAME_HEAD, length});
        buffer_consume(&link->input, FRAME_HEAD + length);
        link_frame(link, buffer_bytes(&body));
    }
}

short link_events(const Link *link) {
    return link->connected ? POLLIN : POLLOUT;
}

static void earlier(uint64_t *at, uint64_t other) {
    if (other && (*at == 0 || other < *at))
        *at = other;
}

int link_timeout(const Link *link) {
    uint64_t at = 0, now = now_ms();
    earlier(&at, link->answer_at);
    earlier(&at, link->pull_at);
    if (link->inserted && !link->connected)
        earlier(&at, link->again);
    if (at == 0)
        return -1;
    return at > now ? (int)(at - now) : 0;
}

static void link_connected(Link *link) {
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
        link_disconnect(link);
    else
        link->connected = true;
}

void link_turn(Link *link, short happened) {
    if (link->fd >= 0 && happened) {
        if (link->connected)
            link_receive(link);
        else
            link_connected(link);
    }
    uint64_t now = now_ms();
    if (link->pull_at && link->pull_at <= now)
        link_pull(link);
    if (link->answer_at && link->answer_at <= now) {
        link->answer_at = 0;
        link_send(link, buffer_bytes(&link->answer));
    }
    if (link->inserted && !link->connected && link->again <= now) {
        if (link->fd >= 0)
            link_disconnect(link);
        link_connect(link);
    }
}
