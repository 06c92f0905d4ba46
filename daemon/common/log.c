/* SPDX-License-Identifier: Apache-2.0 */
/* The journal takes fields as an iovec; a terminal gets the message and the fields behind it. */
#include "log.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define LOG_FIELDS_MAX 16

static const char *log_program = "eonay";
static int log_max_priority = LOG_INFO;
static bool log_to_journal;

/* $JOURNAL_STREAM names device and inode of the stream that systemd gave us as standard error (systemd.exec(5)). */
static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    unsigned long long device, inode;
    if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &st) < 0)
        return false;
    return st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *program, int max_priority) {
    log_program = program;
    log_max_priority = max_priority;
    log_to_journal = stderr_is_journal();
}

static void send_to_journal(int priority, const char *message_id, const char *const *fields, const char *text) {
    char *head[3] = {g_strdup_printf("MESSAGE=%s", text), g_strdup_printf("PRIORITY=%d", priority),
                     message_id ? g_strdup_printf("MESSAGE_ID=%s", message_id) : NULL};
    struct iovec iov[LOG_FIELDS_MAX + 3];
    int n = 0;
    for (size_t i = 0; i < 3; i++)
        if (head[i])
            iov[n++] = (struct iovec){head[i], strlen(head[i])};
    for (size_t i = 0; fields && fields[i] && i < LOG_FIELDS_MAX; i++)
        iov[n++] = (struct iovec){(char *)fields[i], strlen(fields[i])};
    sd_journal_sendv(iov, n);
    for (size_t i = 0; i < 3; i++)
        g_free(head[i]);
}

static void send_to_stderr(int priority, const char *const *fields, const char *text) {
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "%s: %s%s", log_program, priority <= LOG_ERR ? "error: " : "", text);
    for (size_t i = 0; fields && fields[i]; i++)
        g_string_append_printf(line, " %s", fields[i]);
    g_string_append_c(line, '\n');
    if (write(STDERR_FILENO, line->str, line->len) < 0) {
        /* nobody listens: a log line is not worth more than that */
    }
    g_string_free(line, TRUE);
}

void log_event(int priority, const char *message_id, const char *const *fields, const char *format, ...) {
    if (priority > log_max_priority)
        return;
    va_list ap;
    va_start(ap, format);
    char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    if (log_to_journal)
        send_to_journal(priority, message_id, fields, text);
    else
        send_to_stderr(priority, fields, text);
    g_free(text);
}
