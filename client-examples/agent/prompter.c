/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question that loses its window is answered when the program's exit status is known: it tells a user who closed the
 * window (Cancelled) from a session without a display (the daemon then says NoAgent).
 */
#include "prompter.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "eonay/plugin.h"
#include "error.h"
#include "names.h"
#include "util.h"

#define CHANNEL_FD 3 /* in the window's program */
#define LIFE_MAX   (3600u * USEC_PER_SEC)

extern char **environ;

typedef struct Question {
    Prompter *prompter;
    sd_bus_message *call;
    sd_bus_slot *slot;
} Question;

struct Prompter {
    char *consent;
    sd_bus *bus;
    pid_t pid; /* 0 when it has ended */
    sd_event_source *child, *life;
    GPtrArray *questions;
    PrompterEnded ended;
    void *userdata;
};

static void question_free(gpointer data) {
    Question *q = data;
    sd_bus_slot_unref(q->slot);
    sd_bus_message_unref(q->call);
    g_free(q);
}

static void refuse_all(Prompter *p, const char *name, const char *text) {
    for (guint i = 0; i < p->questions->len; i++)
        sd_bus_reply_method_errorf(((Question *)p->questions->pdata[i])->call, name, "%s", text);
    g_ptr_array_set_size(p->questions, 0);
}

void prompter_refuse(Prompter *p) {
    refuse_all(p, eonay_error_name(EONAY_ERROR_CANCELLED), eonay_error_text(EONAY_ERROR_CANCELLED));
}

void prompter_end(Prompter *p) {
    if (p->pid > 0)
        kill(p->pid, SIGTERM);
}

Prompter *prompter_free(Prompter *p) {
    if (!p)
        return NULL;
    prompter_refuse(p);
    prompter_end(p);
    sd_event_source_disable_unref(p->child);
    sd_event_source_disable_unref(p->life);
    if (p->pid > 0)
        waitpid(p->pid, NULL, WNOHANG);
    g_ptr_array_unref(p->questions);
    sd_bus_close_unref(p->bus);
    g_free(p->consent);
    g_free(p);
    return NULL;
}

const char *prompter_consent(const Prompter *p) {
    return p->consent;
}

/* ---- the program ---- */

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata) {
    (void)source;
    Prompter *p = userdata;
    p->pid = 0;
    if (info->si_code == CLD_EXITED && info->si_status == PROMPTER_NO_DISPLAY)
        refuse_all(p, SD_BUS_ERROR_SERVICE_UNKNOWN, "There is no display to open a window on.");
    else
        prompter_refuse(p);
    p->ended(p, p->userdata);
    return 0;
}

static int on_life(sd_event_source *source, uint64_t usec, void *userdata) {
    (void)source;
    (void)usec;
    Prompter *p = userdata;
    if (p->pid > 0)
        kill(p->pid, SIGKILL);
    return 0;
}

static int spawn(char *const argv[], int channel, pid_t *ret) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, channel, CHANNEL_FD);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawn(ret, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

static int open_channel(Prompter *p, int fd) {
    sd_id128_t id;
    int r = sd_id128_randomize(&id);
    if (r < 0 || (r = sd_bus_new(&p->bus)) < 0 || (r = sd_bus_set_fd(p->bus, fd, fd)) < 0)
        return r;
    TAKE_FD(fd); /* the connection's from here on */
    if ((r = sd_bus_set_server(p->bus, true, id)) < 0 || (r = sd_bus_negotiate_fds(p->bus, true)) < 0)
        return r;
    return sd_bus_start(p->bus);
}

static int start(Prompter *p, sd_event *event, char *const argv[]) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    _cleanup_close_ int theirs = ends[1];
    int r = open_channel(p, ends[0]);
    if (r < 0 || (r = sd_bus_attach_event(p->bus, event, SD_EVENT_PRIORITY_NORMAL)) < 0 ||
        (r = spawn(argv, theirs, &p->pid)) < 0 ||
        (r = sd_event_add_child(event, &p->child, p->pid, WEXITED, on_child, p)) < 0)
        return r;
    return sd_event_add_time_relative(event, &p->life, CLOCK_MONOTONIC, LIFE_MAX, 0, on_life, p);
}

int prompter_start(sd_event *event, char *const argv[], const char *consent, PrompterEnded ended, void *userdata,
                   Prompter **ret) {
    _cleanup_(prompter_freep) Prompter *p = g_new0(Prompter, 1);
    p->consent = g_strdup(consent);
    p->questions = g_ptr_array_new_with_free_func(question_free);
    p->ended = ended;
    p->userdata = userdata;
    int r = start(p, event, argv);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(p);
    return 0;
}

/* ---- questions ---- */

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *error) {
    (void)error;
    Question *q = userdata;
    Prompter *p = q->prompter;
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    const sd_bus_error *e = sd_bus_message_get_error(answer);
    if (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY)) {
        prompter_end(p); /* the window has let go of its channel: its exit status decides */
        return 0;
    }
    int r = e ? sd_bus_message_new_method_error(q->call, &reply, e) : sd_bus_message_new_method_return(q->call, &reply);
    if (r >= 0 && !e)
        r = sd_bus_message_copy(reply, answer, true);
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    if (r < 0)
        sd_bus_reply_method_errno(q->call, r, NULL);
    g_ptr_array_remove(p->questions, q);
    return 0;
}

static int repeat(Prompter *p, sd_bus_message *call, sd_bus_message **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r;
    if ((r = sd_bus_message_new_method_call(p->bus, &m, NULL, AGENT_PATH, EONAY_INTERFACE_AGENT,
                                            sd_bus_message_get_member(call))) < 0 ||
        (r = sd_bus_message_rewind(call, true)) < 0 || (r = sd_bus_message_copy(m, call, true)) < 0)
        return r;
    *ret = TAKE_PTR(m);
    return 0;
}

int prompter_ask(Prompter *p, sd_bus_message *call) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = repeat(p, call, &m);
    if (r < 0)
        return r;
    Question *q = g_new0(Question, 1);
    q->prompter = p;
    q->call = sd_bus_message_ref(call);
    g_ptr_array_add(p->questions, q);
    r = sd_bus_call_async(p->bus, &q->slot, m, on_answer, q, LIFE_MAX);
    if (r < 0)
        g_ptr_array_remove(p->questions, q);
    return r;
}

int prompter_tell(Prompter *p, sd_bus_message *call) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r;
    if ((r = repeat(p, call, &m)) < 0 || (r = sd_bus_message_set_expect_reply(m, false)) < 0)
        return r;
    return sd_bus_send(p->bus, m, NULL);
}
