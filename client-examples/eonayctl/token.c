/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and serial numbers are told to their owner only; whoever may not see them still sees that there is a token. */
#include "token.h"

#include <string.h>

#include "bus.h"
#include "failure.h"
#include "json.h"

json_t *objects_select(json_t *objects, const char *interface) {
    json_t *list = json_array(), *interfaces;
    const char *path;
    json_object_foreach(objects, path, interfaces) {
        json_t *properties = json_object_get(interfaces, interface);
        if (!properties)
            continue;
        json_object_set_new(properties, "Path", json_string(path));
        json_array_append(list, properties);
    }
    return list;
}

static json_t *describe(Ctl *ctl, const char *path) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    json_t *description = NULL;
    sd_bus_message *m = bus_method(ctl, path, EONAY_INTERFACE_TOKEN, "Describe");
    if (m)
        sd_bus_message_append(m, "a{sv}", 0);
    if (bus_call(ctl, m, &reply, &error) < 0 || json_read(reply, &description) < 0)
        return json_object();
    return description;
}

/* Of all calls this is the one that is answered after the first look only; the answer itself is not needed. */
static void wait_for_first_look(Ctl *ctl) {
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "ListCertificates");
    if (m)
        sd_bus_message_append(m, "a{sv}", 0);
    bus_call(ctl, m, NULL, &error);
}

int token_list(Ctl *ctl, json_t **ret_objects, json_t **ret_tokens) {
    _cleanup_json_ json_t *objects = NULL, *tokens = NULL;
    json_t *token;
    size_t i;
    wait_for_first_look(ctl);
    int r = ctl->interrupted ? failure_report_errno(ctl, -EINTR) : bus_objects(ctl, &objects);
    if (r != CTL_OK)
        return r;
    tokens = objects_select(objects, EONAY_INTERFACE_TOKEN);
    json_array_foreach(tokens, i, token) {
        _cleanup_json_ json_t *description = describe(ctl, json_get_string(token, "Path", "/"));
        json_object_update_missing(token, description);
    }
    if (ctl->interrupted)
        return failure_report_errno(ctl, -EINTR);
    *ret_objects = TAKE_PTR(objects);
    *ret_tokens = TAKE_PTR(tokens);
    return CTL_OK;
}

const char *token_name(const json_t *token) {
    const char *label = json_get_string(token, "Label", ""), *model = json_get_string(token, "Model", "");
    return *label ? label : *model ? model : json_get_string(token, "Path", "-");
}

bool token_is_readable(const json_t *token) {
    return strcmp(json_get_string(token, "State", "ready"), "ready") == 0 ||
           strcmp(json_get_string(token, "PinState", "unknown"), "locked") == 0;
}

bool token_is_named(const json_t *token, const char *name) {
    static const char *const keys[] = {"Path", "Label", "Serial"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (*name && strcmp(json_get_string(token, keys[i], ""), name) == 0)
            return true;
    return false;
}

char *token_pin_state(Ctl *ctl, const char *path) {
    _cleanup_json_ json_t *properties = NULL;
    if (bus_properties(ctl, path, EONAY_INTERFACE_TOKEN, &properties) < 0)
        return g_strdup("unknown");
    return g_strdup(json_get_string(properties, "PinState", "unknown"));
}
