/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl audit and erase: the chain behind the records, and taking a record away. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "failure.h"
#include "json.h"
#include "names.h"
#include "prompt.h"
#include "table.h"
#include "terminal.h"
#include "text.h"

#define NEWEST 50u

static gboolean all, everybody, sure;
static char *noted;

static const GOptionEntry audit_options[] = {
    {"all", 'a', 0, G_OPTION_ARG_NONE, &all, N_("list: not only the 50 newest"), NULL},
    {"all-users", 0, 0, G_OPTION_ARG_NONE, &everybody, N_("list: of everybody, for administrators"), NULL},
    {"head", 0, 0, G_OPTION_ARG_STRING, &noted,
     N_("verify: what 'audit head' printed earlier must be part of the chain"), N_("SEQUENCE")},
    {NULL},
};

static const GOptionEntry erase_options[] = {
    {"all-users", 0, 0, G_OPTION_ARG_NONE, &everybody, N_("The record of anybody, for administrators"), NULL},
    {"yes", 'y', 0, G_OPTION_ARG_NONE, &sure, N_("Do not ask whether to erase"), NULL},
    {NULL},
};

static sd_bus_message *new_call(Ctl *ctl, const char *member) {
    return bus_method(ctl, NULL, EONAY_INTERFACE_AUDIT, member);
}

static int call(Ctl *ctl, sd_bus_message *m, json_t **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = bus_call_or_report(ctl, m, &reply);
    if (r != CTL_OK)
        return r;
    r = json_read(reply, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

/* ---- verify ---- */

/* What each Failure of the interface means for whoever reads it. */
static const struct {
    const char *name, *text;
} failures[] = {
    {"sequence", N_("an entry is missing")},
    {"chain", N_("an entry does not follow from the one before it")},
    {"digest", N_("what an entry says was changed")},
    {"erased", N_("an entry was emptied, and no entry says why")},
    {"record", N_("a record is not what was recorded: it was changed")},
    {"state", N_("the state of a record was changed")},
    {"missing", N_("a record is gone without having been erased")},
    {"unknown", N_("there is a record that was never recorded")},
    {"head", N_("this is not the chain whose head was noted")},
    {"database", N_("the file cannot be read")},
};

static const char *failure_text(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++)
        if (strcmp(failures[i].name, name) == 0)
            return _(failures[i].text);
    return name;
}

static bool read_noted(uint64_t *ret_sequence, const char **ret_head) {
    char *end;
    *ret_sequence = g_ascii_strtoull(noted, &end, 10);
    *ret_head = end + 1;
    return *ret_sequence > 0 && *end == ':' && strlen(end + 1) == 64;
}

static int show_report(Ctl *ctl, json_t *report) {
    bool valid = json_get_bool(report, "Valid", false);
    if (ctl->json)
        json_print(json_incref(report));
    else if (valid)
        printf(_("The chain is whole: %lld entries, %lld of them erased, %lld records.\n"),
               (long long)json_get_integer(report, "Entries", 0),
               (long long)json_get_integer(report, "ErasedEntries", 0),
               (long long)json_get_integer(report, "Consents", 0));
    else
        printf(_("The chain is broken at entry %lld: %s.\n"), (long long)json_get_integer(report, "FailedSequence", 0),
               failure_text(json_get_string(report, "Failure", "?")));
    return valid ? CTL_OK : CTL_FAILED;
}

static int verify(Ctl *ctl) {
    _cleanup_json_ json_t *report = NULL;
    uint64_t sequence = 0;
    const char *head = NULL;
    if (noted && !read_noted(&sequence, &head))
        return ctl_usage(_("--head takes what 'eonayctl audit head' printed: a number, a colon and 64 digits."));
    sd_bus_message *m = new_call(ctl, "Verify");
    if (m) {
        sd_bus_message_open_container(m, 'a', "{sv}");
        if (noted) {
            sd_bus_message_append(m, "{sv}", "sequence", "t", sequence);
            sd_bus_message_append(m, "{sv}", "head", "s", head);
        }
        sd_bus_message_close_container(m);
    }
    int r = call(ctl, m, &report);
    return r == CTL_OK ? show_report(ctl, report) : r;
}

/* ---- head and list ---- */

static int head(Ctl *ctl) {
    _cleanup_json_ json_t *answer = NULL;
    sd_bus_message *m = new_call(ctl, "GetHead");
    if (m)
        sd_bus_message_append(m, "a{sv}", 0);
    int r = call(ctl, m, &answer);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        json_print(json_incref(answer));
    else
        printf("%lld:%s\n", (long long)json_get_integer(answer, "Sequence", 0), json_get_string(answer, "Head", "-"));
    return CTL_OK;
}

static void show_entries(const json_t *entries) {
    _cleanup_(table_freep) Table *table =
        table_new((const char *[]){_("TIME"), _("ENTRY"), _("CONSENT"), _("FACTS"), NULL});
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        g_autofree char *time = text_time(json_get_integer(entry, "At", 0));
        g_autofree char *facts = g_strdup(json_get_string(entry, "Facts", ""));
        g_strdelimit(g_strchomp(facts), "\n", ' ');
        table_add(table, (const char *[]){time, json_get_string(entry, "Kind", "-"),
                                          json_get_string(entry, "ConsentId", "-"), facts});
    }
    table_show(table);
}

static int list(Ctl *ctl) {
    _cleanup_json_ json_t *entries = NULL;
    sd_bus_message *m = new_call(ctl, "List");
    if (m) {
        sd_bus_message_open_container(m, 'a', "{sv}");
        if (!all)
            sd_bus_message_append(m, "{sv}", "limit", "u", (uint32_t)NEWEST);
        if (everybody)
            sd_bus_message_append(m, "{sv}", "all-users", "b", 1);
        sd_bus_message_close_container(m);
    }
    int r = call(ctl, m, &entries);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        json_print(json_incref(entries));
    else
        show_entries(entries);
    return CTL_OK;
}

static int run_audit(Ctl *ctl, char **arguments) {
    static const struct {
        const char *name;
        int (*run)(Ctl *ctl);
    } parts[] = {{"verify", verify}, {"head", head}, {"list", list}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strcmp(parts[i].name, arguments[0]) == 0)
            return parts[i].run(ctl);
    return ctl_usage(_("'audit' takes verify, head or list."));
}

/* ---- erase ---- */

static int confirm(Ctl *ctl) {
    _cleanup_(terminal_closep) Terminal *terminal = terminal_open(!sure);
    if (sure)
        return CTL_OK;
    int r = prompt_confirm(ctl, terminal, _("Erase this record for good, evidence included? [y/N] "), NULL);
    if (r == -ENOTTY)
        return ctl_usage(_("There is no terminal to ask on: use --yes."));
    return r > 0 ? CTL_OK : CTL_CANCELLED;
}

static int call_erase(Ctl *ctl, sd_bus_message *m) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = bus_call(ctl, m, &reply, &error);
    if (r < 0 && sd_bus_error_has_name(&error, EONAY_ERROR_PREFIX "Busy")) {
        fprintf(stderr, "eonayctl: %s\n",
                _("This consent has not come to its end: cancel it, or wait until its code has expired."));
        return CTL_FAILED;
    }
    return r < 0 ? failure_report(ctl, r, &error) : CTL_OK;
}

static int run_erase(Ctl *ctl, char **arguments) {
    int r = confirm(ctl);
    if (r != CTL_OK)
        return r;
    sd_bus_message *m = new_call(ctl, "Erase");
    if (m) {
        sd_bus_message_append(m, "s", arguments[0]);
        sd_bus_message_open_container(m, 'a', "{sv}");
        if (everybody)
            sd_bus_message_append(m, "{sv}", "all-users", "b", 1);
        sd_bus_message_close_container(m);
    }
    r = call_erase(ctl, m);
    if (r == CTL_OK && ctl->json)
        json_print(json_pack("{s:s}", "ConsentId", arguments[0]));
    else if (r == CTL_OK)
        puts(_("The record is erased."));
    return r;
}

const Verb verb_audit = {
    .name = "audit",
    .arguments = N_("verify|head|list"),
    .min = 1,
    .max = 1,
    .summary = N_("Verify the chain behind the records, print its head, list its entries"),
    .options = audit_options,
    .run = run_audit,
};

const Verb verb_erase = {
    .name = "erase",
    .arguments = N_("ID"),
    .min = 1,
    .max = 1,
    .summary = N_("Erase a record for good"),
    .options = erase_options,
    .run = run_erase,
};
