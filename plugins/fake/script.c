/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A script is a list of lines "operation[:count] action [argument]". The operations ask it before they do anything, so
 * that every fault a vendor's module has ever shown can be had at a known moment.
 */
#include "script.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 32
#define WORD_MAX  64

typedef struct Line {
    char operation[WORD_MAX];
    unsigned from; /* which calls, counted from 1 */
    unsigned to;
    char action[WORD_MAX];
    char argument[WORD_MAX];
} Line;

typedef struct Counter {
    char operation[WORD_MAX];
    unsigned calls;
} Counter;

struct Script {
    const EonayHost *host;
    Line lines[LINES_MAX];
    size_t n_lines;
    Counter counters[LINES_MAX];
    size_t n_counters;
};

/* ------------------------------------------------------------------------------------------------------ helpers -- */

const char *config_text(const EonayHost *host, const char *key, const char *otherwise) {
    const char *value = host->config(host, key);
    return value ? value : otherwise;
}

long config_number(const EonayHost *host, const char *key, long otherwise) {
    const char *value = host->config(host, key);
    return value ? strtol(value, NULL, 0) : otherwise;
}

bool list_has(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *word = list; word && *word; word += strcspn(word, ",;")) {
        word += strspn(word, ",; ");
        if (strncmp(word, name, n) == 0 && strchr(",; ", word[n]))
            return true;
    }
    return false;
}

char *host_text(const EonayHost *host, const char *s) {
    size_t size = strlen(s) + 1;
    return memcpy(host->alloc(host, size), s, size);
}

/* ------------------------------------------------------------------------------------------------------ reading -- */

/* "sign", "sign:3" (the third call), "sign:3+" (from the third on). */
static bool read_calls(Line *line) {
    char *count = strchr(line->operation, ':');
    line->from = 1;
    line->to = ~0u;
    if (!count)
        return true;
    *count++ = '\0';
    char *end;
    line->from = (unsigned)strtoul(count, &end, 10);
    if (*end != '+')
        line->to = line->from;
    return end != count && line->from > 0 && (*end == '\0' || strcmp(end, "+") == 0);
}

static bool action_is_known(const char *action) {
    static const char *const known[] = {"hang", "hang-signals-blocked", "spin",   "crash", "abort", "exit", "fork",
                                        "slow", "until-cancelled",      "stdout", "error", "errno", "code", "garbage"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(action, known[i]) == 0)
            return true;
    return false;
}

static bool read_line(const char *text, size_t size, Line *ret) {
    char line[3 * WORD_MAX];
    if (size >= sizeof(line))
        return false;
    memcpy(line, text, size);
    line[size] = '\0';
    *ret = (Line){.from = 1};
    if (sscanf(line, "%63s %63s %63s", ret->operation, ret->action, ret->argument) < 2)
        return false;
    return action_is_known(ret->action) && read_calls(ret);
}

static bool read_script(Script *s, const char *text) {
    while (text && *text) {
        text += strspn(text, ";\n ");
        size_t size = strcspn(text, ";\n");
        if (size > 0 && (s->n_lines == LINES_MAX || !read_line(text, size, &s->lines[s->n_lines++])))
            return false;
        text += size;
    }
    return true;
}

int script_new(const EonayHost *host, Script **ret) {
    Script *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->host = host;
    if (!read_script(s, host->config(host, "Script"))) {
        script_free(s);
        return host->fault(host, EONAY_ERROR_PLUGIN_FAILED, -1, 0, "Script= cannot be understood");
    }
    *ret = s;
    return 0;
}

Script *script_free(Script *s) {
    free(s);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- acting -- */

static unsigned count_call(Script *s, const char *operation) {
    size_t i = 0;
    while (i < s->n_counters && strcmp(s->counters[i].operation, operation) != 0)
        i++;
    if (i == LINES_MAX)
        return 0;
    if (i == s->n_counters)
        snprintf(s->counters[s->n_counters++].operation, WORD_MAX, "%s", operation);
    return ++s->counters[i].calls;
}

static void wait_milliseconds(long milliseconds) {
    struct timespec left = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static void hang(bool block_signals) {
    sigset_t all;
    sigfillset(&all);
    if (block_signals)
        sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;)
        pause();
}

static void spin(void) {
    for (volatile unsigned turns = 0;;)
        turns = turns + 1;
}

static void crash(void) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void try_fork(const EonayHost *host) {
    pid_t child = fork();
    if (child == 0)
        hang(true);
    host->log(host, EONAY_LOG_INFO, child < 0 ? "fork was refused" : "there is a child now");
}

/* "PinIncorrect", "PinIncorrect,2" (tries left), "PinIncorrect,2,0xA0" (the library's number). */
static int fail(const EonayHost *host, char *argument) {
    static const struct {
        const char *name;
        int code;
    } errors[] = {
#define ROW(number, id, short_name, ...) {short_name, number},
        EONAY_ERROR_TABLE(ROW)
#undef ROW
    };
    char *tries = strchr(argument, ','), *native = tries ? strchr(tries + 1, ',') : NULL;
    size_t size = strcspn(argument, ",");
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strlen(errors[i].name) == size && strncmp(errors[i].name, argument, size) == 0)
            return host->fault(host, (EonayError)errors[i].code, tries ? (int)strtol(tries + 1, NULL, 10) : -1,
                               native ? strtoull(native + 1, NULL, 0) : 0, "as the script says");
    return host->fault(host, EONAY_ERROR_PLUGIN_FAILED, -1, 0, "the script names an error that there is not");
}

static int until_cancelled(const EonayHost *host) {
    while (!host->cancelled(host))
        wait_milliseconds(5);
    return host->fault(host, EONAY_ERROR_CANCELLED, -1, 0, "nobody waits any more");
}

/* Those that do not come back. */
static void act_finally(const char *action, const char *argument) {
    if (strcmp(action, "hang") == 0)
        hang(false);
    else if (strcmp(action, "hang-signals-blocked") == 0)
        hang(true);
    else if (strcmp(action, "spin") == 0)
        spin();
    else if (strcmp(action, "crash") == 0)
        crash();
    else if (strcmp(action, "abort") == 0)
        abort();
    else if (strcmp(action, "exit") == 0)
        exit((int)strtol(argument, NULL, 10));
}

static Act act(const EonayHost *host, Line *line) {
    const char *action = line->action;
    act_finally(action, line->argument);
    if (strcmp(action, "fork") == 0)
        try_fork(host);
    else if (strcmp(action, "slow") == 0) {
        host->log(host, EONAY_LOG_INFO, "slow now");
        wait_milliseconds(strtol(line->argument, NULL, 10));
    } else if (strcmp(action, "stdout") == 0)
        puts("a plugin that talks");
    else if (strcmp(action, "error") == 0)
        return (Act){true, fail(host, line->argument), ""};
    else if (strcmp(action, "errno") == 0)
        return (Act){true, -(int)strtol(line->argument, NULL, 10), ""};
    else if (strcmp(action, "code") == 0)
        return (Act){true, (int)strtol(line->argument, NULL, 10), ""};
    else if (strcmp(action, "until-cancelled") == 0)
        return (Act){true, until_cancelled(host), ""};
    else if (strcmp(action, "garbage") == 0)
        return (Act){false, 0, line->argument};
    return (Act){.garbage = ""};
}

Act script_step(Script *s, const char *operation) {
    unsigned call = count_call(s, operation);
    Act last = {.garbage = ""};
    for (size_t i = 0; i < s->n_lines && !last.ends; i++) {
        Line *line = &s->lines[i];
        bool meant = strcmp(line->operation, operation) == 0 || strcmp(line->operation, "*") == 0;
        if (meant && call >= line->from && call <= line->to)
            last = act(s->host, line);
    }
    fflush(stdout);
    return last;
}

/* Before open() there is no configuration, so a fault while loading is ordered by the environment:
 * EONAY_FAKE_LOAD=action. */
__attribute__((constructor)) static void fault_while_loading(void) {
    const char *action = getenv("EONAY_FAKE_LOAD");
    if (action)
        act_finally(action, "7");
}
