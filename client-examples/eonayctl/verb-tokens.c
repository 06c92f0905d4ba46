/* SPDX-License-Identifier: Apache-2.0 */
/* eonayctl tokens: readers and tokens as they are now. Labels and serial numbers are told to their owner only. */
#include <stdio.h>

#include "bus.h"
#include "json.h"
#include "state.h"
#include "table.h"
#include "text.h"
#include "token.h"

static gboolean refresh;

static const GOptionEntry options[] = {
    {"refresh", 0, 0, G_OPTION_ARG_NONE, &refresh, N_("Look at all readers and tokens again first"), NULL},
    {NULL},
};

static int refresh_tokens(Ctl *ctl) {
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "Refresh");
    if (m)
        sd_bus_message_append(m, "a{sv}", 0);
    return bus_call_or_report(ctl, m, NULL);
}

static void add_token(Table *table, const json_t *t, const json_t *objects) {
    const char *reader_path = json_get_string(t, "Reader", "/");
    const json_t *reader = json_object_get(json_object_get(objects, reader_path), EONAY_INTERFACE_READER);
    table_add(table,
              (const char *[]){json_get_string(t, "Label", "-"), json_get_string(t, "Serial", "-"),
                               json_get_string(t, "Model", "-"), json_get_string(reader, "Name", "-"),
                               state_of_pin(json_get_string(t, "PinState", "-")),
                               state_of_object(json_get_string(t, "State", "-")), json_get_string(t, "Path", "-")});
}

static void show_tokens(const json_t *tokens, const json_t *objects) {
    _cleanup_(table_freep) Table *table = table_new(
        (const char *[]){_("TOKEN"), _("SERIAL"), _("MODEL"), _("READER"), _("PIN"), _("STATE"), _("PATH"), NULL});
    json_t *token;
    size_t i;
    json_array_foreach(tokens, i, token) {
        add_token(table, token, objects);
    }
    if (table_rows(table) > 0)
        table_show(table);
    else
        puts(_("No card or token was found."));
}

static void show_empty_readers(const json_t *readers) {
    json_t *reader;
    size_t i;
    json_array_foreach(readers, i, reader) {
        g_autofree char *name = text_clean(json_get_string(reader, "Name", "-"));
        if (!json_get_bool(reader, "TokenPresent", false))
            printf(_("The reader '%s' is empty.\n"), name);
    }
}

static int run(Ctl *ctl, char **arguments) {
    (void)arguments;
    _cleanup_json_ json_t *objects = NULL, *tokens = NULL, *readers = NULL;
    int r = refresh ? refresh_tokens(ctl) : CTL_OK;
    if (r == CTL_OK)
        r = token_list(ctl, &objects, &tokens);
    if (r != CTL_OK)
        return r;
    readers = objects_select(objects, EONAY_INTERFACE_READER);
    if (ctl->json) {
        json_print(json_pack("{s:O, s:O}", "Readers", readers, "Tokens", tokens));
        return CTL_OK;
    }
    show_tokens(tokens, objects);
    show_empty_readers(readers);
    return CTL_OK;
}

const Verb verb_tokens = {
    .name = "tokens",
    .summary = N_("List card readers and tokens and the state of their PIN"),
    .options = options,
    .run = run,
};
