/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every line of a text stands behind a bar at the left, so that a text cannot pretend to be a question of this program.
 * Long lines are folded for the eye only; what is signed are the bytes.
 */
#include "texts.h"

#include <string.h>

#include "ctl.h"
#include "eonay/plugin.h"
#include "json.h"
#include "terminal.h"
#include "text.h"

#define BAR            "│ "
#define BAR_WIDTH      2u
#define NARROWEST_TEXT 20u

static void consent_text_free(void *p) {
    ConsentText *t = p;
    g_free(t->title);
    g_free(t->media_type);
    g_free(t->sha256);
    g_bytes_unref(t->bytes);
    g_free(t);
}

static int check_text(const ConsentText *t) {
    gsize size;
    const char *bytes = g_bytes_get_data(t->bytes, &size);
    g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, t->bytes);
    if (g_strcmp0(sha256, t->sha256) != 0)
        return EONAY_ERROR_TEXT_MISMATCH;
    return text_is_safe(bytes, size) ? 0 : EONAY_ERROR_TEXT_UNSAFE;
}

/* Returns 1 when one was read, 0 at the end. */
static int read_text(sd_bus_message *m, ConsentText **ret) {
    const char *title, *media_type, *sha256;
    const void *bytes;
    size_t size;
    int r = sd_bus_message_enter_container(m, 'r', "sssay");
    if (r <= 0)
        return r;
    if ((r = sd_bus_message_read(m, "sss", &title, &media_type, &sha256)) < 0 ||
        (r = sd_bus_message_read_array(m, 'y', &bytes, &size)) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
        return r;
    ConsentText *t = g_new0(ConsentText, 1);
    t->title = text_clean(title);
    t->media_type = text_clean(media_type);
    t->sha256 = g_strdup(sha256);
    t->bytes = g_bytes_new(bytes, size);
    *ret = t;
    return 1;
}

int texts_read(sd_bus_message *m, GPtrArray **ret) {
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(consent_text_free);
    ConsentText *t = NULL;
    int r = sd_bus_message_enter_container(m, 'a', "(sssay)");
    while (r >= 0 && (r = read_text(m, &t)) > 0)
        g_ptr_array_add(texts, t);
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0)
        return r;
    for (guint i = 0; i < texts->len; i++)
        if ((r = check_text(texts->pdata[i])) != 0 && r > 0)
            return r;
    if (texts->len == 0)
        return EONAY_ERROR_TEXT_MISMATCH;
    *ret = g_steal_pointer(&texts);
    return 0;
}

int texts_accept(sd_bus_message *m, const GPtrArray *texts) {
    g_autofree char **hashes = g_new0(char *, texts->len + 1);
    for (guint i = 0; i < texts->len; i++)
        hashes[i] = ((const ConsentText *)texts->pdata[i])->sha256;
    int r;
    if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 ||
        (r = sd_bus_message_append(m, "s", "accept-text-sha256")) < 0 ||
        (r = sd_bus_message_open_container(m, 'v', "as")) < 0 || (r = sd_bus_message_append_strv(m, hashes)) < 0 ||
        (r = sd_bus_message_close_container(m)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

/* How many bytes of the line fit into the width; a break after a blank where there is one. */
static size_t fold_at(const char *line, size_t size, unsigned width) {
    size_t blank = 0;
    unsigned used = 0;
    for (const char *p = line; p < line + size; p = g_utf8_next_char(p)) {
        g_autofree char *one = g_strndup(p, (gsize)(g_utf8_next_char(p) - p));
        used += *p == '\t' ? 8 : text_width(one);
        if (used > width && p > line)
            return blank > 0 ? blank : (size_t)(p - line);
        if (*p == ' ')
            blank = (size_t)(p + 1 - line);
    }
    return size;
}

static void show_line(FILE *out, const char *line, size_t size, unsigned width) {
    do {
        size_t part = width > 0 ? fold_at(line, size, width) : size;
        fprintf(out, BAR "%.*s\n", (int)part, line);
        line += part;
        size -= part;
    } while (size > 0);
}

static void show_bytes(FILE *out, const char *bytes, size_t size) {
    unsigned columns = terminal_width(fileno(out));
    unsigned width = columns > NARROWEST_TEXT + BAR_WIDTH ? columns - BAR_WIDTH : 0;
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t line = end ? (size_t)(end - bytes) : size;
        size_t shown = line > 0 && bytes[line - 1] == '\r' ? line - 1 : line;
        show_line(out, bytes, shown, width);
        line += end ? 1 : 0;
        bytes += line;
        size -= line;
    }
}

static void show_detail(FILE *out, const char *label, const char *value) {
    if (!value || !*value)
        return;
    g_autofree char *clean = text_clean(value);
    unsigned width = text_width(label);
    fprintf(out, "%s%*s%s\n", label, (int)(width < 18 ? 18 - width : 1), "", clean);
}

static void show_details(FILE *out, const json_t *details) {
    g_autofree char *created = text_time(json_get_integer(details, "CreatedAt", 0));
    int64_t expires = json_get_integer(details, "ExpiresAt", 0);
    g_autofree char *left = g_strdup_printf(_("%lld s"), (long long)text_seconds_left(expires));
    show_detail(out, _("Requester:"), json_get_string(details, "Requester", NULL));
    show_detail(out, _("Program:"), json_get_string(details, "Caller", NULL));
    show_detail(out, _("Purpose:"), json_get_string(details, "Purpose", NULL));
    show_detail(out, _("Identity number:"), json_get_string(details, "SubjectMasked", NULL));
    show_detail(out, _("Certificate:"), json_get_string(details, "CertificateSubject", NULL));
    show_detail(out, _("Created:"), created);
    if (expires > 0)
        show_detail(out, _("Remaining time:"), left);
}

void texts_show(FILE *out, const GPtrArray *texts, const json_t *details) {
    show_details(out, details);
    for (guint i = 0; i < texts->len; i++) {
        const ConsentText *t = texts->pdata[i];
        gsize size;
        const char *bytes = g_bytes_get_data(t->bytes, &size);
        fprintf(out, _("\nText to be signed, %u of %u: %s\n"), i + 1, texts->len, t->title);
        fprintf(out, "SHA-256: %s\n", t->sha256);
        show_bytes(out, bytes, size);
    }
    fputc('\n', out);
    fflush(out);
}
