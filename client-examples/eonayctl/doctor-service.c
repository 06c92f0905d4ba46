/* SPDX-License-Identifier: Apache-2.0 */
/* The way to the service, what it says of itself (Health), its authorities, and the agent of this session. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "certificate.h"
#include "doctor.h"
#include "failure.h"
#include "json.h"

#define BUS_ERROR(name) "org.freedesktop.DBus.Error." name

/* ---- the way there ---- */

/* The name of the program as its Flatpak sandbox knows it, or NULL. */
static const char *sandbox_name(void) {
    const char *flatpak = getenv("FLATPAK_ID");
    if (flatpak && *flatpak)
        return flatpak;
    return access("/.flatpak-info", F_OK) == 0 ? "APP" : NULL;
}

static void report_no_way(Doctor *d, DoctorFault fault, const char *detail) {
    const char *sandbox = sandbox_name();
    doctor_found(d, sandbox ? DOCTOR_SANDBOXED : fault, detail, sandbox);
}

static const struct {
    const char *name;
    DoctorFault fault;
} call_faults[] = {
    {BUS_ERROR("ServiceUnknown"), DOCTOR_SERVICE_STOPPED}, {BUS_ERROR("NameHasNoOwner"), DOCTOR_SERVICE_STOPPED},
    {BUS_ERROR("Spawn."), DOCTOR_SERVICE_BROKEN},          {BUS_ERROR("AccessDenied"), DOCTOR_SERVICE_DENIED},
    {BUS_ERROR("AuthFailed"), DOCTOR_SERVICE_DENIED},      {BUS_ERROR("NoReply"), DOCTOR_SERVICE_SILENT},
    {BUS_ERROR("Timeout"), DOCTOR_SERVICE_SILENT},
};

static void report_call(Doctor *d, const sd_bus_error *error) {
    for (size_t i = 0; error->name && i < G_N_ELEMENTS(call_faults); i++)
        if (g_str_has_prefix(error->name, call_faults[i].name)) {
            report_no_way(d, call_faults[i].fault, error->message);
            return;
        }
    report_no_way(d, DOCTOR_BUS_UNREACHABLE, error->message);
}

static int get_properties(Doctor *d, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *m = bus_method(d->ctl, NULL, "org.freedesktop.DBus.Properties", "GetAll");
    if (m)
        sd_bus_message_append(m, "s", EONAY_INTERFACE_MANAGER);
    int r = bus_call(d->ctl, m, &reply, &error);
    if (r >= 0)
        r = json_read(reply, ret);
    if (r < 0 && !d->ctl->interrupted)
        report_call(d, &error);
    return r;
}

/* ---- what it says of itself ---- */

static bool part_is(const char *part, const char *kind) {
    return g_str_has_prefix(part, kind);
}

/* "PATH: reason": the path; NULL when it begins with none. Release with g_free(). */
static char *path_of(const char *detail) {
    const char *end = detail[0] == '/' ? strchr(detail, ':') : NULL;
    return end ? g_strndup(detail, (gsize)(end - detail)) : NULL;
}

/* "libx.so.1: cannot open shared object file: …" is how the loader names what is missing. */
static char *library_of(const char *detail) {
    const char *found = strstr(detail, ": cannot open shared object file");
    const char *begin = found;
    while (begin && begin > detail && !strchr(" (", begin[-1]))
        begin--;
    return found ? g_strndup(begin, (gsize)(found - begin)) : NULL;
}

static void report_module(Doctor *d, const char *code, const char *shown, const char *detail) {
    g_autofree char *path = path_of(detail), *library = library_of(detail);
    if (strcmp(code, "ModuleUntrusted") == 0)
        doctor_found(d, DOCTOR_MODULE_UNTRUSTED, shown, path);
    else if (library)
        doctor_found(d, DOCTOR_MODULE_NEEDS_LIBRARY, shown, library);
    else if (strcmp(code, "ModuleMissing") == 0)
        doctor_found(d, DOCTOR_MODULE_MISSING, shown, NULL);
    else if (strstr(detail, "another architecture"))
        doctor_found(d, DOCTOR_MODULE_ARCHITECTURE, shown, path);
    else
        doctor_found(d, DOCTOR_MODULE_INVALID, shown, path);
}

static void report_pcscd(Doctor *d) {
    bool installed = access("/usr/sbin/pcscd", F_OK) == 0 || access("/usr/bin/pcscd", F_OK) == 0;
    doctor_found(d, installed ? DOCTOR_PCSCD_STOPPED : DOCTOR_PCSCD_MISSING, NULL, NULL);
}

/* hidepid= among the options of /proc. */
static bool proc_is_hidden(void) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/mounts", &text, NULL, NULL))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *option = strstr(*line, " /proc proc ") ? strstr(*line, "hidepid=") : NULL;
        if (option && !strchr("0o", option[strlen("hidepid=")])) /* 0 and off */
            return true;
    }
    return false;
}

static const struct {
    const char *code;
    DoctorFault fault;
} health_faults[] = {
    {"StorageFailed", DOCTOR_STORAGE},
    {"ReadersUnwatched", DOCTOR_READERS_UNWATCHED},
    {"PolkitSilent", DOCTOR_POLKIT_SILENT},
    {"Quarantined", DOCTOR_MODULE_CRASHES},
    {"PluginCrashed", DOCTOR_MODULE_CRASHES},
    {"PluginTimeout", DOCTOR_MODULE_HANGS},
    {"PluginFailed", DOCTOR_MODULE_FAILS},
    {"BackendUnreachable", DOCTOR_AUTHORITY_UNREACHABLE},
    {"BackendUntrusted", DOCTOR_AUTHORITY_UNTRUSTED},
};

static void report_other(Doctor *d, const char *part, const char *code, const char *problem) {
    for (size_t i = 0; i < G_N_ELEMENTS(health_faults); i++)
        if (strcmp(health_faults[i].code, code) == 0) {
            doctor_found(d, health_faults[i].fault, problem, NULL);
            return;
        }
    doctor_found(d, part_is(part, "Backend ") ? DOCTOR_AUTHORITY_FAILS : DOCTOR_OTHER, problem, NULL);
}

static void report_health(Doctor *d, const json_t *entry) {
    const char *code = json_get_string(entry, "code", ""), *part = json_get_string(entry, "part", "");
    const char *detail = json_get_string(entry, "detail", "");
    g_autofree char *shown = *detail ? g_strdup_printf("%s: %s", part, detail) : g_strdup(part);
    g_autofree char *file = path_of(detail);
    if (strcmp(code, "ConfigurationInvalid") == 0)
        doctor_found(d, DOCTOR_CONFIGURATION, detail, file ? file : "/etc/eonay/eonayd.conf");
    else if (strcmp(code, "DiskNearlyFull") == 0)
        doctor_found(d, DOCTOR_DISK_NEARLY_FULL, detail, detail);
    else if (strcmp(code, "PcscAbsent") == 0)
        report_pcscd(d);
    else if (strcmp(code, "PcscRefused") == 0)
        doctor_found(d, proc_is_hidden() ? DOCTOR_PROC_HIDDEN : DOCTOR_PCSCD_REFUSES, NULL, NULL);
    else if (g_str_has_prefix(code, "Module"))
        report_module(d, code, shown, detail);
    else
        report_other(d, part, code, code[0] ? shown : json_get_string(entry, "problem", ""));
}

static void check_health(Doctor *d, const json_t *properties) {
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(properties, "Health"), i, entry) {
        report_health(d, entry);
    }
}

static void check_authorities(Doctor *d, const json_t *properties) {
    const json_t *backends = json_object_get(properties, "Backends");
    const char *preferred = json_get_string(properties, "DefaultBackend", "");
    json_t *path;
    size_t i;
    if (json_array_size(backends) == 0) {
        doctor_found(d, DOCTOR_NO_AUTHORITY, NULL, NULL);
        return;
    }
    json_array_foreach(backends, i, path) {
        const char *slash = json_is_string(path) ? strrchr(json_string_value(path), '/') : NULL;
        if (slash && strcmp(slash + 1, preferred) == 0)
            return;
    }
    doctor_found(d, DOCTOR_NO_DEFAULT_AUTHORITY, preferred, NULL);
}

static void check_agent(Doctor *d) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int there = true;
    sd_bus_message *m = bus_method(d->ctl, NULL, NULL, "HasAgent");
    if (m)
        sd_bus_message_append(m, "a{sv}", 0);
    if (bus_call(d->ctl, m, &reply, &error) >= 0 && sd_bus_message_read(reply, "b", &there) >= 0 && !there)
        doctor_found(d, DOCTOR_NO_AGENT, NULL, NULL);
}

static void check_version(Doctor *d, const json_t *properties) {
    const char *version = json_get_string(properties, "Version", EONAY_VERSION);
    g_autofree char *both = g_strdup_printf("eonayd %s, eonayctl %s", version, EONAY_VERSION);
    if (strcmp(version, EONAY_VERSION) != 0)
        doctor_found(d, DOCTOR_VERSION_DIFFERS, both, NULL);
}

/* What is wrong with modules is known after the first look at the tokens; ListCertificates waits for that. */
static int wait_for_first_look(Doctor *d, sd_bus_error *error) {
    _cleanup_json_ json_t *unused = NULL;
    return certificate_list_quietly(d->ctl, &(CertificateFilter){0}, &unused, error);
}

bool doctor_check_service(Doctor *d) {
    _cleanup_json_ json_t *before = NULL, *properties = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error refused = SD_BUS_ERROR_NULL;
    int r = bus_connect(d->ctl);
    if (r < 0) {
        report_no_way(d, DOCTOR_BUS_UNREACHABLE, g_strerror(-r));
        return false;
    }
    if (get_properties(d, &before) < 0)
        return false;
    r = wait_for_first_look(d, &refused);
    if (get_properties(d, &properties) < 0)
        return false;
    check_version(d, properties);
    check_agent(d);
    check_health(d, properties);
    if (r < 0 && !d->ctl->interrupted && !doctor_has_found(d, DOCTOR_POLKIT_SILENT))
        doctor_found(d, DOCTOR_NOT_AUTHORISED, refused.message, NULL);
    check_authorities(d, properties);
    return true;
}
