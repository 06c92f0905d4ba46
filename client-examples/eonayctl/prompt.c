/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal stays in its line mode: one readable event is one whole line, or none when Ctrl-C came in between, at
 * which the terminal forgets what was typed. Every answer, a PIN or not, is read into locked memory, so that there is
 * one way only.
 */
#include "prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bus.h"

struct Prompt {
    Terminal *terminal;
    bool secret;
    bool answered;
    bool quiet; /* the echo is off */
    struct termios before;
    sd_event_source *source;
    Pin *answer;
    PromptHandler handler;
    void *userdata;
};

static void restore_echo(Prompt *p) {
    if (p->quiet)
        terminal_echo_on(terminal_fd(p->terminal), &p->before);
    p->quiet = false;
}

static int on_line(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    (void)events;
    Prompt *p = userdata;
    int r = pin_read_terminal(p->answer, fd);
    if (r == -EAGAIN)
        return 0;
    p->answered = true;
    p->source = sd_event_source_disable_unref(source);
    restore_echo(p);
    if (p->secret || r <= 0) /* the user's own line end was not echoed */
        fputc('\n', terminal_out(p->terminal));
    fflush(terminal_out(p->terminal));
    p->handler(p, r > 0 ? p->answer : NULL, p->userdata); /* may free p */
    return 0;
}

static int prompt_begin(Prompt *p, sd_event *event, const char *question) {
    int fd = terminal_fd(p->terminal);
    if (fd < 0)
        return -ENOTTY;
    int r = pin_new(&p->answer);
    if (r >= 0)
        r = sd_event_add_io(event, &p->source, fd, EPOLLIN, on_line, p);
    if (r >= 0 && p->secret)
        r = terminal_echo_off(fd, &p->before);
    if (r < 0)
        return r;
    p->quiet = p->secret;
    terminal_status(p->terminal, NULL);
    fputs(question, terminal_out(p->terminal));
    fflush(terminal_out(p->terminal));
    return 0;
}

int prompt_new(sd_event *event, Terminal *terminal, const char *question, bool secret, PromptHandler handler,
               void *userdata, Prompt **ret) {
    _cleanup_(prompt_freep) Prompt *p = g_new0(Prompt, 1);
    p->terminal = terminal;
    p->secret = secret;
    p->handler = handler;
    p->userdata = userdata;
    p->answered = true; /* nothing to take back yet */
    int r = prompt_begin(p, event, question);
    if (r < 0)
        return r;
    p->answered = false;
    *ret = TAKE_PTR(p);
    return 0;
}

Prompt *prompt_free(Prompt *p) {
    if (!p)
        return NULL;
    restore_echo(p);
    sd_event_source_disable_unref(p->source);
    if (!p->answered) {
        fputc('\n', terminal_out(p->terminal));
        fflush(terminal_out(p->terminal));
    }
    pin_free(p->answer);
    g_free(p);
    return NULL;
}

typedef struct Asked {
    bool done;
    Pin *answer;
} Asked;

static void on_asked(Prompt *p, Pin *answer, void *userdata) {
    Asked *asked = userdata;
    asked->done = true;
    asked->answer = answer;
    if (answer)
        p->answer = NULL; /* handed over */
}

int prompt_ask(Ctl *ctl, Terminal *terminal, const char *question, bool secret, const bool *stop, Pin **ret) {
    _cleanup_(prompt_freep) Prompt *p = NULL;
    Asked asked = {0};
    int r = prompt_new(ctl->event, terminal, question, secret, on_asked, &asked, &p);
    while (r >= 0 && !asked.done) {
        r = ctl->bus ? bus_turn(ctl, UINT64_MAX) : sd_event_run(ctl->event, UINT64_MAX);
        if (r >= 0 && ctl->interrupted)
            r = -EINTR;
        if (r >= 0 && stop && *stop)
            r = -ESTALE;
    }
    if (r < 0) {
        pin_free(asked.answer);
        return r;
    }
    if (!asked.answer)
        return 0;
    *ret = asked.answer;
    return 1;
}

bool prompt_is_yes(const char *answer) {
    /* TRANSLATORS: what a user types for yes, in short and in full; lower case */
    const char *words[] = {"y", "yes", _("y"), _("yes")};
    g_autofree char *word = g_utf8_validate(answer, -1, NULL) ? g_strstrip(g_strdup(answer)) : NULL;
    for (size_t i = 0; word && i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

int prompt_confirm(Ctl *ctl, Terminal *terminal, const char *question, const bool *stop) {
    _cleanup_(pin_freep) Pin *answer = NULL;
    int r = prompt_ask(ctl, terminal, question, false, stop, &answer);
    return r <= 0 ? r : prompt_is_yes(pin_text(answer));
}
