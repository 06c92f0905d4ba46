/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon answers in English with a name. The name finds the text and the hint in the language of the user, who need
 * not be the daemon's; the daemon's own message is added where it says more than the text in the table.
 */
#include "failure.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "text.h"

#define DBUS_ERROR "org.freedesktop.DBus.Error."

static const struct {
    int code;
    CtlExit exit;
} exits[] = {
    {EONAY_ERROR_CODE_INVALID, CTL_CODE},
    {EONAY_ERROR_CODE_UNKNOWN, CTL_CODE},
    {EONAY_ERROR_CODE_EXPIRED, CTL_CODE},
    {EONAY_ERROR_CODE_USED, CTL_CODE},
    {EONAY_ERROR_CODE_SUPERSEDED, CTL_CODE},
    {EONAY_ERROR_CODE_PENDING, CTL_CODE},
    {EONAY_ERROR_CODE_DENIED, CTL_CODE},
    {EONAY_ERROR_RATE_LIMITED, CTL_CODE},
    {EONAY_ERROR_ALREADY_APPROVED, CTL_ALREADY_APPROVED},
    {EONAY_ERROR_TEXT_UNSAFE, CTL_TEXT},
    {EONAY_ERROR_TEXT_MISMATCH, CTL_TEXT},
    {EONAY_ERROR_NO_CERTIFICATE, CTL_CERTIFICATE},
    {EONAY_ERROR_CERTIFICATE_NOT_SUITABLE, CTL_CERTIFICATE},
    {EONAY_ERROR_CERTIFICATE_EXPIRED, CTL_CERTIFICATE},
    {EONAY_ERROR_CERTIFICATE_NOT_YET_VALID, CTL_CERTIFICATE},
    {EONAY_ERROR_CERTIFICATE_REVOKED, CTL_CERTIFICATE},
    {EONAY_ERROR_CERTIFICATE_SUSPENDED, CTL_CERTIFICATE},
    {EONAY_ERROR_IDENTITY_MISMATCH, CTL_CERTIFICATE},
    {EONAY_ERROR_MECHANISM_UNSUPPORTED, CTL_CERTIFICATE},
    {EONAY_ERROR_TOKEN_REMOVED, CTL_TOKEN},
    {EONAY_ERROR_BUSY, CTL_TOKEN},
    {EONAY_ERROR_MODULE_MISSING, CTL_TOKEN},
    {EONAY_ERROR_MODULE_INVALID, CTL_TOKEN},
    {EONAY_ERROR_MODULE_UNTRUSTED, CTL_TOKEN},
    {EONAY_ERROR_PLUGIN_FAILED, CTL_TOKEN},
    {EONAY_ERROR_PLUGIN_CRASHED, CTL_TOKEN},
    {EONAY_ERROR_PLUGIN_TIMEOUT, CTL_TOKEN},
    {EONAY_ERROR_PIN_REQUIRED, CTL_PIN},
    {EONAY_ERROR_PIN_INCORRECT, CTL_PIN},
    {EONAY_ERROR_PIN_FEW_TRIES_LEFT, CTL_PIN},
    {EONAY_ERROR_PIN_FINAL_TRY, CTL_PIN},
    {EONAY_ERROR_PIN_LOCKED, CTL_PIN},
    {EONAY_ERROR_PIN_FORMAT, CTL_PIN},
    {EONAY_ERROR_PIN_PAD_REQUIRED, CTL_PIN},
    {EONAY_ERROR_NO_AGENT, CTL_PIN},
    {EONAY_ERROR_CANCELLED, CTL_CANCELLED},
    {EONAY_ERROR_TIMED_OUT, CTL_TIMED_OUT},
    {EONAY_ERROR_BACKEND_UNKNOWN, CTL_AUTHORITY},
    {EONAY_ERROR_BACKEND_UNREACHABLE, CTL_AUTHORITY},
    {EONAY_ERROR_BACKEND_UNTRUSTED, CTL_AUTHORITY},
    {EONAY_ERROR_BACKEND_REJECTED, CTL_AUTHORITY},
    {EONAY_ERROR_BACKEND_PROTOCOL, CTL_AUTHORITY},
    {EONAY_ERROR_LEVEL_UNREACHABLE, CTL_AUTHORITY},
    {EONAY_ERROR_REVOCATION_UNKNOWN, CTL_AUTHORITY},
    {EONAY_ERROR_TIMESTAMP_FAILED, CTL_AUTHORITY},
};

/* What the bus itself, and the daemon in its name, can answer. The first name that fits as a prefix counts. */
static const struct {
    const char *name;
    CtlExit exit;
    const char *text;
    const char *hint;
} bus_errors[] = {
    {"ServiceUnknown", CTL_NO_DAEMON, N_("The E-Onay service is not running."),
     N_("Start it with 'systemctl start eonayd', or pass the address of its bus with --bus.")},
    {"NameHasNoOwner", CTL_NO_DAEMON, N_("The E-Onay service is not running."),
     N_("Start it with 'systemctl start eonayd', or pass the address of its bus with --bus.")},
    {"Spawn.", CTL_NO_DAEMON, N_("The E-Onay service could not be started."),
     N_("See its messages with 'journalctl -u eonayd'.")},
    {"Disconnected", CTL_NO_DAEMON, N_("The connection to the E-Onay service was lost."),
     N_("Try again; see its messages with 'journalctl -u eonayd'.")},
    {"NoReply", CTL_TIMED_OUT, N_("The E-Onay service did not answer in time."),
     N_("Try again, with a longer --timeout if the token or the authority is slow.")},
    {"Timeout", CTL_TIMED_OUT, N_("The E-Onay service did not answer in time."),
     N_("Try again, with a longer --timeout if the token or the authority is slow.")},
    {"AccessDenied", CTL_REFUSED, N_("You are not allowed to do this."),
     N_("Do it in your own session at this computer, or ask its administrator.")},
    {"AuthFailed", CTL_REFUSED, N_("You are not allowed to do this."),
     N_("Do it in your own session at this computer, or ask its administrator.")},
    {"InteractiveAuthorizationRequired", CTL_REFUSED, N_("This needs a confirmation with a password."),
     N_("Run the command again without --no-ask-password, on a terminal or in a desktop session.")},
    {"LimitsExceeded", CTL_FAILED, N_("You have too many requests open at once."),
     N_("Wait until the others are finished, then try again.")},
    {"Unknown", CTL_FAILED, N_("The E-Onay service does not know this request."),
     N_("Program and service may be of different versions; compare them with 'eonayctl status'.")},
    {"InvalidArgs", CTL_FAILED, N_("The E-Onay service does not accept this request."), NULL},
};

CtlExit failure_exit(int code) {
    for (size_t i = 0; i < G_N_ELEMENTS(exits); i++)
        if (exits[i].code == code)
            return exits[i].exit;
    return CTL_FAILED;
}

static int bus_error_row(const char *name) {
    if (!name || !g_str_has_prefix(name, DBUS_ERROR))
        return -1;
    for (size_t i = 0; i < G_N_ELEMENTS(bus_errors); i++)
        if (g_str_has_prefix(name + strlen(DBUS_ERROR), bus_errors[i].name))
            return (int)i;
    return -1;
}

CtlExit failure_exit_by_name(const char *name) {
    int code = eonay_error_from_name(name), row = bus_error_row(name);
    if (code > 0)
        return failure_exit(code);
    return row >= 0 ? bus_errors[row].exit : CTL_FAILED;
}

static const char *english(int code, bool hint) {
    switch (code) {
#define ENGLISH_(number, id, name, text, hint_, ...)                                                                   \
    case number:                                                                                                       \
        return hint ? (hint_) : (text);
        EONAY_ERROR_TABLE(ENGLISH_)
#undef ENGLISH_
    default:
        return "";
    }
}

/* The message without the part that one of the two languages has, at its beginning or its end. */
static bool strip_prefix(char *message, const char *in_english, const char *translated) {
    const char *part = g_str_has_prefix(message, in_english) ? in_english : translated;
    if (!*part || !g_str_has_prefix(message, part))
        return false;
    memmove(message, message + strlen(part), strlen(message + strlen(part)) + 1);
    return true;
}

static void strip_suffix(char *message, const char *in_english, const char *translated) {
    const char *part = g_str_has_suffix(message, in_english) ? in_english : translated;
    if (g_str_has_suffix(message, part))
        message[strlen(message) - strlen(part)] = '\0';
}

char *failure_detail(int code, const char *message) {
    const char *text = eonay_error_text(code), *hint = eonay_error_hint(code);
    g_autofree char *rest = g_strdup(message ? message : "");
    bool known = strip_prefix(rest, english(code, false), text ? text : "");
    strip_suffix(rest, english(code, true), hint ? hint : "");
    g_strstrip(rest);
    char *open = known ? (rest[0] == '(' ? rest : NULL) : strstr(rest, " ("), *close = strrchr(rest, ')');
    if (open && close && open < close) {
        *close = '\0';
        return g_strdup(open + (open[0] == '(' ? 1 : 2));
    }
    return *rest ? g_steal_pointer(&rest) : NULL;
}

static void report_json(const char *name, const char *text, const char *hint, const char *detail) {
    json_t *object = json_object();
    json_object_set_new(object, "Error", json_string(name ? name : DBUS_ERROR "Failed"));
    json_object_set_new(object, "Text", json_string(text));
    if (hint)
        json_object_set_new(object, "Hint", json_string(hint));
    if (detail)
        json_object_set_new(object, "Detail", json_string(detail));
    json_print(object);
}

static void report(Ctl *ctl, const char *name, const char *text, const char *hint, const char *detail) {
    g_autofree char *clean = detail ? text_clean(detail) : NULL;
    fprintf(stderr, "eonayctl: %s\n", text);
    if (clean)
        fprintf(stderr, "          (%s)\n", clean);
    if (hint)
        fprintf(stderr, "          %s\n", hint);
    if (ctl->json)
        report_json(name, text, hint, clean);
}

int failure_report_code(Ctl *ctl, int code, const char *detail) {
    report(ctl, eonay_error_name(code), eonay_error_text(code), eonay_error_hint(code), detail);
    return failure_exit(code);
}

int failure_report_named(Ctl *ctl, const char *name, const char *message) {
    int code = eonay_error_from_name(name), row = bus_error_row(name);
    g_autofree char *detail = code > 0 ? failure_detail(code, message) : NULL;
    if (code > 0)
        return failure_report_code(ctl, code, detail);
    if (row >= 0)
        report(ctl, name, _(bus_errors[row].text), bus_errors[row].hint ? _(bus_errors[row].hint) : NULL,
               bus_errors[row].exit == CTL_NO_DAEMON ? NULL : message);
    else
        report(ctl, name, _("The request failed."), NULL, message && *message ? message : name);
    return failure_exit_by_name(name);
}

int failure_report(Ctl *ctl, int r, const sd_bus_error *error) {
    if (r == -EINTR)
        return failure_report_code(ctl, EONAY_ERROR_CANCELLED, NULL);
    if (r == -ENOTCONN || r == -ECONNRESET)
        return failure_report_named(ctl, DBUS_ERROR "Disconnected", NULL);
    if (sd_bus_error_is_set(error))
        return failure_report_named(ctl, error->name, error->message);
    return failure_report_errno(ctl, r);
}

int failure_report_errno(Ctl *ctl, int r) {
    switch (r) {
    case -EINTR:
        return failure_report_code(ctl, EONAY_ERROR_CANCELLED, NULL);
    case -ENOENT:
    case -ECONNREFUSED:
    case -ENOTCONN:
    case -ECONNRESET:
    case -EINVAL:
        report(ctl, DBUS_ERROR "NoServer", _("The message bus cannot be reached."),
               _("Check the address given with --bus or in DBUS_SYSTEM_BUS_ADDRESS."), g_strerror(-r));
        return CTL_NO_DAEMON;
    default:
        report(ctl, NULL, _("The request failed."), NULL, g_strerror(-r));
        return CTL_FAILED;
    }
}
