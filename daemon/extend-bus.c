/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ExtendSignature: a finished signature raised to a higher level, or, when it has an archive time stamp already, given
 * another one before the last grows weak. What is there is kept as it is.
 */
#include "bus-util.h"
#include "cades-upgrade.h"
#include "manager-bus.h"
#include "names.h"
#include "raise.h"
#include "util.h"

#define EXTENSION_LIFE (60u * USEC_PER_SEC)

typedef struct Extension {
    Manager *manager;
    User *user;
    sd_bus_message *message;
    Raise *raise;
} Extension;

void extension_free(gpointer extension) {
    Extension *e = extension;
    raise_cancel(e->raise);
    user_call_end(e->manager, e->user);
    sd_bus_message_unref(e->message);
    g_free(e);
}

static int reply_signature(sd_bus_message *call, GBytes *signature) {
    _cleanup_close_ int fd = memfd_write("signature", signature);
    return fd < 0 ? fd : sd_bus_reply_method_return(call, "h", fd);
}

static void on_extended(const Fault *fault, GPtrArray *messages, void *userdata) {
    Extension *e = userdata;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    e->raise = NULL;
    if (fault->code != 0)
        fault_to_bus(fault, &error);
    else if (reply_signature(e->message, messages->pdata[0]) < 0)
        fault_code_to_bus(EONAY_ERROR_PLUGIN_FAILED, &error);
    if (error.name)
        sd_bus_reply_method_error(e->message, &error);
    g_ptr_array_remove_fast(e->manager->extensions, e);
}

static int read_extension(sd_bus_message *m, GBytes **ret_signature, CadesLevel *ret_level, sd_bus_error *error) {
    int fd;
    const char *level;
    int r = sd_bus_message_read(m, "hs", &fd, &level);
    if (r < 0 || (r = bus_read_no_options(m, error)) < 0)
        return r;
    if (!cades_level_find(level, ret_level))
        return fault_code_to_bus(EONAY_ERROR_UNSUPPORTED, error);
    r = memfd_read(fd, EONAY_SIGNATURE_SIZE_MAX, ret_signature);
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

int manager_extend_signature(Client *client, sd_bus_message *m, sd_bus_error *error) {
    Manager *manager = client->manager;
    g_autoptr(GBytes) signature = NULL;
    CadesLevel level;
    int r = read_extension(m, &signature, &level, error);
    if (r < 0)
        return r;
    Extension *e = g_new0(Extension, 1);
    e->manager = manager;
    e->message = sd_bus_message_ref(m);
    if ((r = user_call_begin(client, &e->user, error)) < 0) {
        extension_free(e);
        return r;
    }
    g_ptr_array_add(manager->extensions, e);
    r = raise_extend(manager, level, signature, EXTENSION_LIFE, on_extended, e, &e->raise);
    if (r == 0)
        return 1; /* it may have ended already */
    g_ptr_array_remove_fast(manager->extensions, e);
    return r > 0 ? fault_code_to_bus(r, error) : r;
}
