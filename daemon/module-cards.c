/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which modules look when a card comes. A definition that knows the card's ATR; if none does, the fallbacks; and always
 * what the administrator configured for cards. A card nobody could read is shown as a token that says why.
 */
#include <string.h>

#include "error.h"
#include "module.h"
#include "reader.h"
#include "token.h"
#include "translate.h"

static bool needs_card(const Module *module) {
    char **own = module->instance->needs;
    return module->manifest && g_strv_contains((const char *const *)(own[0] ? own : module->manifest->needs), "card");
}

static bool list_knowing(Manager *m, const Reader *reader, DefinitionUse use) {
    gsize size;
    const uint8_t *atr = g_bytes_get_data(reader->atr, &size);
    bool found = false;
    for (guint i = 0; i < m->definitions->len; i++) {
        const Definition *d = m->definitions->pdata[i];
        if (d->use != use || (use == DEFINITION_CARD && !definition_knows(d, atr, size)))
            continue;
        module_list(module_of_definition(m, d), -1, NULL, NULL);
        found = true;
    }
    return found;
}

static void look_at_card(Reader *reader, void *userdata) {
    if (!list_knowing(userdata, reader, DEFINITION_CARD))
        list_knowing(userdata, reader, DEFINITION_FALLBACK);
}

void modules_cards_changed(Manager *m) {
    for (guint i = 0; i < m->modules->len; i++) {
        Module *module = m->modules->pdata[i];
        if (!module->owner && !module->definition && needs_card(module))
            module_list(module, -1, NULL, NULL);
    }
    readers_visit_cards(m->readers, look_at_card, m);
    manager_listed(m);
}

void modules_card_gone(Manager *m, const char *reader) {
    for (guint i = 0; i < m->modules->len; i++) {
        Module *module = m->modules->pdata[i];
        for (guint n = module->tokens->len; n > 0; n--)
            if (strcmp(((Token *)module->tokens->pdata[n - 1])->reader, reader) == 0)
                module_drop_token(module, module->tokens->pdata[n - 1]);
    }
}

void modules_stop(Manager *m) {
    for (guint i = 0; i < m->modules->len; i++) {
        Module *module = m->modules->pdata[i];
        if (!needs_card(module))
            continue;
        if (module->lister)
            host_stop(module->lister);
        while (module->tokens->len > 0)
            module_drop_token(module, module->tokens->pdata[0]);
    }
}

/* ---------------------------------------------------------------------------------------------------- stand-ins -- */

/* Who should have read the card: the definition that knows it, else the first fallback. NULL: nobody is even
 * configured. */
static Module *responsible_module(Manager *m, const Reader *reader) {
    gsize size;
    const uint8_t *atr = g_bytes_get_data(reader->atr, &size);
    Module *fallback = NULL;
    for (guint i = 0; i < m->modules->len; i++) {
        Module *module = m->modules->pdata[i];
        if (!needs_card(module))
            continue;
        if (module->definition && module->definition->use == DEFINITION_CARD &&
            definition_knows(module->definition, atr, size))
            return module;
        if (!module->definition || module->definition->use == DEFINITION_FALLBACK)
            fallback = module;
    }
    return fallback;
}

static char *describe_unread(const Module *module, const Reader *reader) {
    gsize size;
    const uint8_t *atr = g_bytes_get_data(reader->atr, &size);
    g_autofree char *hex = atr_hex(atr, size);
    if (module->fault.code == 0)
        return g_strdup_printf(_("no module knows this card (ATR %s)"), hex);
    const char *package = module->definition ? module->definition->package : NULL;
    return g_strdup_printf("%s: %s%s%s%s%s",
                           module->definition && module->definition->description ? module->definition->description
                                                                                 : module->instance->name,
                           eonay_error_text(module->fault.code), module->fault.text ? " " : "",
                           module->fault.text ? module->fault.text : "", package ? " " : "", package ? package : "");
}

static bool reader_has_token(Manager *m, const char *name, Token **ret_stand_in) {
    GHashTableIter iter;
    gpointer value;
    bool found = false;
    g_hash_table_iter_init(&iter, m->tokens);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Token *t = value;
        if (strcmp(t->reader, name) != 0)
            continue;
        if (t->stand_in)
            *ret_stand_in = t;
        else
            found = true;
    }
    return found;
}

static void show_card(Reader *reader, void *userdata) {
    Manager *m = userdata;
    Token *stand_in = NULL;
    bool real = reader_has_token(m, reader->name, &stand_in);
    if (real && stand_in)
        module_drop_token(stand_in->module, stand_in);
    Module *module = real || stand_in ? NULL : responsible_module(m, reader);
    if (!module)
        return;
    g_autofree char *key = g_strdup_printf("reader/%s", reader->name);
    Token *t = token_new(module, key);
    t->stand_in = true;
    t->flags = EONAY_TOKEN_PIN_UNKNOWN;
    g_free(t->reader);
    t->reader = g_strdup(reader->name);
    g_free(t->state);
    t->state = describe_unread(module, reader);
    token_announce(t);
}

void modules_show_unread_cards(Manager *m) {
    readers_visit_cards(m->readers, show_card, m);
}
