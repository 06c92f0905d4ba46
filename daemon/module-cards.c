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
        Module *module = module_of_definition(m, d);
        if (!module->configured) /* those look whatever the card is */
            module_list(module, -1, NULL, NULL);
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
        if (module->configured && needs_card(module))
            module_list(module, -1, NULL, NULL);
    }
    readers_visit_cards(m->readers, look_at_card, m);
    manager_listed(m);
}

void modules_card_gone(Manager *m, const char *reader) {
    for (guint i = 0; i < m->modules->len; i++) {
        Module *module = m->modules->pdata[i];
        module->outdated |= module->listing && needs_card(module);
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
        module->list_again = module->outdated = false; /* who stops does not want to begin anew */
        module->retry = sd_event_source_disable_unref(module->retry);
        if (module->lister)
            host_stop(module->lister);
        fault_clear(&module->fault); /* that it was stopped is none */
        while (module->tokens->len > 0)
            module_drop_token(module, module->tokens->pdata[0]);
    }
}

/* ---------------------------------------------------------------------------------------------------- stand-ins -- */

/* Who should have read the card: a definition that knows it, best one that could not; else the first fallback. NULL:
 * nobody is even configured. */
static Module *responsible_module(Manager *m, const Reader *reader) {
    gsize size;
    const uint8_t *atr = g_bytes_get_data(reader->atr, &size);
    Module *knowing = NULL, *fallback = NULL;
    for (guint i = 0; i < m->modules->len; i++) {
        Module *module = m->modules->pdata[i];
        const Definition *d = module->definition;
        if (!needs_card(module))
            continue;
        if (d && d->use == DEFINITION_CARD && definition_knows(d, atr, size)) {
            if (!knowing || (knowing->fault.code == 0 && module->fault.code != 0))
                knowing = module;
        } else if (!d || d->use != DEFINITION_CARD)
            fallback = module;
    }
    return knowing ? knowing : fallback;
}

static char *describe_unread(const Module *module, const Reader *reader) {
    gsize size;
    const uint8_t *atr = g_bytes_get_data(reader->atr, &size);
    g_autofree char *hex = atr_hex(atr, size);
    if (size == 0)
        return g_strdup(_("the card does not answer; is it the right way round?"));
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
