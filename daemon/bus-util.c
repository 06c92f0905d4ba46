/* SPDX-License-Identifier: Apache-2.0 */
#include "bus-util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "eonay/plugin.h"
#include "util.h"

void bus_message_destroy(gpointer message) {
    sd_bus_message_unref(message);
}

int bus_invalid_args(sd_bus_error *error, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);
    va_end(ap);
    return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, text);
}

/* ----------------------------------------------------------------------------------------------------- reading -- */

static int read_value(sd_bus_message *m, const BusOption *o) {
    if (strcmp(o->type, "as") == 0)
        return sd_bus_message_read_strv(m, (char ***)o->target);
    if (strcmp(o->type, "b") == 0) {
        int value;
        int r = sd_bus_message_read_basic(m, 'b', &value);
        *(bool *)o->target = value;
        return r;
    }
    return sd_bus_message_read_basic(m, o->type[0], o->target);
}

static const BusOption *find_option(const BusOption *table, const char *key, size_t *ret_index) {
    for (size_t i = 0; table[i].key; i++)
        if (strcmp(table[i].key, key) == 0) {
            *ret_index = i;
            return &table[i];
        }
    return NULL;
}

static int read_entry(sd_bus_message *m, const BusOption *table, uint64_t *seen, sd_bus_error *error) {
    const char *key, *contents;
    size_t index;
    int r = sd_bus_message_read_basic(m, 's', &key);
    if (r < 0)
        return r;
    r = sd_bus_message_peek_type(m, NULL, &contents);
    if (r < 0)
        return r;
    const BusOption *o = find_option(table, key, &index);
    if (!o)
        return error ? bus_invalid_args(error, "Unknown option '%.64s'.", key) : sd_bus_message_skip(m, "v");
    if (strcmp(contents, o->type) != 0)
        return error ? bus_invalid_args(error, "Option '%s' must be of type %s.", key, o->type) : -EBADMSG;
    if (error && *seen & (1ull << index))
        return bus_invalid_args(error, "Option '%s' is given twice.", key);
    *seen |= 1ull << index;
    if ((r = sd_bus_message_enter_container(m, 'v', contents)) < 0 || (r = read_value(m, o)) < 0)
        return r;
    return sd_bus_message_exit_container(m);
}

static int read_table(sd_bus_message *m, const BusOption *table, sd_bus_error *error) {
    uint64_t seen = 0;
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0)
        if ((r = read_entry(m, table, &seen, error)) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
            return r;
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_options(sd_bus_message *m, const BusOption *table, sd_bus_error *error) {
    return read_table(m, table, error);
}

int bus_read_no_options(sd_bus_message *m, sd_bus_error *error) {
    static const BusOption none[] = {{NULL, NULL, NULL}};
    return read_table(m, none, error);
}

int bus_read_dict(sd_bus_message *m, const BusOption *table) {
    return read_table(m, table, NULL);
}

/* --------------------------------------------------------------------------------------------------- appending -- */

int bus_append_string(sd_bus_message *m, const char *key, const char *value) {
    return sd_bus_message_append(m, "{sv}", key, "s", value ? value : "");
}

int bus_append_path(sd_bus_message *m, const char *key, const char *value) {
    return sd_bus_message_append(m, "{sv}", key, "o", value);
}

int bus_append_bool(sd_bus_message *m, const char *key, bool value) {
    return sd_bus_message_append(m, "{sv}", key, "b", (int)value);
}

int bus_append_i32(sd_bus_message *m, const char *key, int32_t value) {
    return sd_bus_message_append(m, "{sv}", key, "i", value);
}

int bus_append_u32(sd_bus_message *m, const char *key, uint32_t value) {
    return sd_bus_message_append(m, "{sv}", key, "u", value);
}

int bus_append_u64(sd_bus_message *m, const char *key, uint64_t value) {
    return sd_bus_message_append(m, "{sv}", key, "t", value);
}

static int open_entry(sd_bus_message *m, const char *key, const char *contents) {
    int r;
    if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 || (r = sd_bus_message_append_basic(m, 's', key)) < 0)
        return r;
    return sd_bus_message_open_container(m, 'v', contents);
}

static int close_entry(sd_bus_message *m) {
    int r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_append_strv(sd_bus_message *m, const char *key, char *const *value) {
    static char *const none[] = {NULL};
    int r;
    if ((r = open_entry(m, key, "as")) < 0 || (r = sd_bus_message_append_strv(m, (char **)(value ? value : none))) < 0)
        return r;
    return close_entry(m);
}

int bus_append_bytes(sd_bus_message *m, const char *key, const void *bytes, size_t size) {
    int r;
    if ((r = open_entry(m, key, "ay")) < 0 || (r = sd_bus_message_append_array(m, 'y', bytes, size)) < 0)
        return r;
    return close_entry(m);
}

/* ------------------------------------------------------------------------------------------------------ memfds -- */

int memfd_check(int fd, size_t max, size_t *ret_size) {
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS); /* fails on what is no memfd */
    if (seals < 0 || !(seals & F_SEAL_WRITE) || !(seals & F_SEAL_SHRINK) || !(seals & F_SEAL_GROW) ||
        fstat(fd, &st) < 0)
        return EONAY_ERROR_DESCRIPTOR_INVALID;
    if ((uint64_t)st.st_size > max)
        return EONAY_ERROR_FILE_INVALID;
    *ret_size = (size_t)st.st_size;
    return 0;
}

int memfd_read(int fd, size_t max, GBytes **ret) {
    size_t size = 0, done = 0;
    int r = memfd_check(fd, max, &size);
    if (r != 0)
        return r;
    g_autofree uint8_t *bytes = g_malloc(size ? size : 1);
    while (done < size) {
        ssize_t n = pread(fd, bytes + done, size - done, (off_t)done);
        if (n < 0)
            return EONAY_ERROR_DESCRIPTOR_INVALID; /* a write-only one */
        if (n == 0)
            return -EIO;
        done += (size_t)n;
    }
    *ret = g_bytes_new_take(g_steal_pointer(&bytes), size);
    return 0;
}

int memfd_write(const char *name, GBytes *bytes) {
    gsize size, done = 0;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    while (done < size) {
        ssize_t n = write(fd, data + done, size - done);
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    return TAKE_FD(fd);
}
