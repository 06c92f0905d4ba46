/* SPDX-License-Identifier: Apache-2.0 */
#include "pin-buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "names.h"
#include "util.h"

#define PAGE   4096u
#define BULLET "●"

struct _EonayPinBuffer {
    GtkEntryBuffer parent;
    char *page;   /* UTF-8, ended with NUL */
    gsize size;   /* bytes */
    guint length; /* characters */
};

G_DEFINE_TYPE(EonayPinBuffer, pin_buffer, GTK_TYPE_ENTRY_BUFFER)

static const char *pin_buffer_get_text(GtkEntryBuffer *buffer, gsize *n_bytes) {
    EonayPinBuffer *b = EONAY_PIN_BUFFER(buffer);
    if (n_bytes)
        *n_bytes = b->size;
    return b->page;
}

static guint pin_buffer_get_length(GtkEntryBuffer *buffer) {
    return EONAY_PIN_BUFFER(buffer)->length;
}

static guint pin_buffer_insert_text(GtkEntryBuffer *buffer, guint position, const char *chars, guint n_chars) {
    EonayPinBuffer *b = EONAY_PIN_BUFFER(buffer);
    gsize bytes = (gsize)(g_utf8_offset_to_pointer(chars, n_chars) - chars);
    if (bytes == 0 || bytes > EONAY_SECRET_MAX - b->size)
        return 0;
    char *at = g_utf8_offset_to_pointer(b->page, MIN(position, b->length));
    memmove(at + bytes, at, b->size + 1 - (gsize)(at - b->page));
    memcpy(at, chars, bytes);
    b->size += bytes;
    b->length += n_chars;
    g_autoptr(GString) bullets = g_string_new(NULL);
    for (guint i = 0; i < n_chars; i++)
        g_string_append(bullets, BULLET);
    gtk_entry_buffer_emit_inserted_text(buffer, position, bullets->str, n_chars);
    return n_chars;
}

static guint pin_buffer_delete_text(GtkEntryBuffer *buffer, guint position, guint n_chars) {
    const EonayPinBuffer *b = EONAY_PIN_BUFFER(buffer);
    guint from = MIN(position, b->length);
    guint n = MIN(n_chars, b->length - from);
    if (n > 0)
        gtk_entry_buffer_emit_deleted_text(buffer, from, n);
    return n;
}

/* The handler that runs last: those before it still see the old text. */
static void pin_buffer_deleted_text(GtkEntryBuffer *buffer, guint position, guint n_chars) {
    EonayPinBuffer *b = EONAY_PIN_BUFFER(buffer);
    char *from = g_utf8_offset_to_pointer(b->page, position);
    const char *to = g_utf8_offset_to_pointer(from, n_chars);
    gsize bytes = (gsize)(to - from);
    memmove(from, to, b->size + 1 - (gsize)(to - b->page));
    b->size -= bytes;
    b->length -= n_chars;
    explicit_bzero(b->page + b->size, bytes + 1);
    g_object_notify(G_OBJECT(buffer), "text");
    g_object_notify(G_OBJECT(buffer), "length");
}

static void pin_buffer_finalize(GObject *object) {
    EonayPinBuffer *b = EONAY_PIN_BUFFER(object);
    if (b->page) {
        explicit_bzero(b->page, PAGE);
        munmap(b->page, PAGE);
    }
    G_OBJECT_CLASS(pin_buffer_parent_class)->finalize(object);
}

static void pin_buffer_class_init(EonayPinBufferClass *class) {
    GtkEntryBufferClass *buffer = GTK_ENTRY_BUFFER_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = pin_buffer_finalize;
    buffer->get_text = pin_buffer_get_text;
    buffer->get_length = pin_buffer_get_length;
    buffer->insert_text = pin_buffer_insert_text;
    buffer->delete_text = pin_buffer_delete_text;
    buffer->deleted_text = pin_buffer_deleted_text;
}

static void pin_buffer_init(EonayPinBuffer *b) {
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    if (mlock(page, PAGE) < 0 || madvise(page, PAGE, MADV_DONTDUMP) < 0) {
        munmap(page, PAGE);
        return;
    }
    madvise(page, PAGE, MADV_WIPEONFORK);
    b->page = page;
}

EonayPinBuffer *pin_buffer_new(void) {
    EonayPinBuffer *b = g_object_new(pin_buffer_get_type(), NULL);
    if (!b->page)
        g_clear_object(&b);
    return b;
}

void pin_buffer_clear(EonayPinBuffer *b) {
    pin_buffer_delete_text(GTK_ENTRY_BUFFER(b), 0, b->length);
}

gsize pin_buffer_size(const EonayPinBuffer *b) {
    return b->size;
}

int pin_buffer_to_pipe(EonayPinBuffer *b, int *ret_fd) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    ssize_t n = write(ends[1], b->page, b->size); /* far below the capacity of a pipe: never blocks */
    int error = errno;
    safe_close(ends[1]);
    bool whole = n == (ssize_t)b->size;
    pin_buffer_clear(b);
    if (!whole) {
        safe_close(ends[0]);
        return n < 0 ? -error : -EIO;
    }
    *ret_fd = ends[0];
    return 0;
}
