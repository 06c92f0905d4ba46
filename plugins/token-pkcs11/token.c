/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 names slots, and a slot's number changes as readers come and go. A token is therefore known by what it says
 * about itself. Nothing it says is trusted: text is cleaned, numbers are bounded, and two tokens that say the same are
 * told apart by their slots.
 */
#include "token.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static void token_base_key(const CK_TOKEN_INFO *info, char key[static TOKEN_KEY_SIZE]) {
    const struct {
        const unsigned char *bytes;
        size_t size;
    } parts[] = {{info->manufacturerID, sizeof(info->manufacturerID)},
                 {info->model, sizeof(info->model)},
                 {info->serialNumber, sizeof(info->serialNumber)},
                 {info->label, sizeof(info->label)}};
    size_t used = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char text[40];
        text_clean(parts[i].bytes, parts[i].size, text, sizeof(text));
        for (char *p = text; *p; p++)
            if (*p == '/' || *p == '#')
                *p = '_';
        used += (size_t)snprintf(key + used, TOKEN_KEY_SIZE - used, i == 0 ? "%s" : "/%s", text);
    }
}

static bool config_matches(const Pkcs11 *c, const char *key, const unsigned char *bytes, size_t size) {
    const char *wanted = c->host->config(c->host, key);
    char text[40];

    if (!wanted || wanted[0] == '\0')
        return true;
    text_clean(bytes, size, text, sizeof(text));
    return strcmp(wanted, text) == 0;
}

static bool token_wanted(const Pkcs11 *c, const CK_TOKEN_INFO *info) {
    return (info->flags & CKF_TOKEN_INITIALIZED) != 0 &&
           config_matches(c, "MatchLabel", info->label, sizeof(info->label)) &&
           config_matches(c, "MatchSerial", info->serialNumber, sizeof(info->serialNumber));
}

static void table_make_distinct(TokenTable *table) {
    bool equal[TOKENS_MAX] = {false};

    for (size_t i = 0; i < table->n; i++)
        for (size_t j = i + 1; j < table->n; j++)
            if (strcmp(table->tokens[i].key, table->tokens[j].key) == 0)
                equal[i] = equal[j] = true;
    for (size_t i = 0; i < table->n; i++) {
        Token *token = &table->tokens[i];
        size_t length = strlen(token->key);
        if (equal[i])
            snprintf(token->key + length, sizeof(token->key) - length, "#%lu", token->slot);
    }
}

/* The slots with a token in them; asked for twice when one is plugged in between the two calls. */
static int slots_read(const Pkcs11 *c, CK_SLOT_ID **ret, CK_ULONG *ret_n) {
    CK_RV rv = CKR_OK;

    for (int attempt = 0; attempt < 3; attempt++) {
        CK_ULONG n = 0;
        rv = c->f->C_GetSlotList(CK_TRUE, NULL, &n);
        if (rv != CKR_OK)
            break;
        if (n > 4096)
            return fault_text(c, EONAY_ERROR_PLUGIN_FAILED, "the module claims an absurd number of slots");
        CK_SLOT_ID *slots = calloc(n + 1, sizeof(*slots));
        if (!slots)
            return -ENOMEM;
        CK_ULONG room = n;
        rv = n > 0 ? c->f->C_GetSlotList(CK_TRUE, slots, &n) : CKR_OK;
        if (rv == CKR_OK && n <= room) {
            *ret = slots;
            *ret_n = n;
            return 0;
        }
        free(slots);
        if (rv != CKR_BUFFER_TOO_SMALL)
            break;
    }
    return fault_ckr(c, "C_GetSlotList", rv, -1);
}

int token_table_read(Pkcs11 *c, TokenTable **ret) {
    _cleanup_free_ CK_SLOT_ID *slots = NULL;
    CK_ULONG n = 0;

    int r = slots_read(c, &slots, &n);
    if (r != 0)
        return r;
    TokenTable *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    for (CK_ULONG i = 0; i < n && table->n < TOKENS_MAX; i++) {
        Token *token = &table->tokens[table->n];
        token->slot = slots[i];
        if (token_refresh(c, token) != CKR_OK || !token_wanted(c, &token->info))
            continue;
        token_base_key(&token->info, token->key);
        table->n++;
    }
    table_make_distinct(table);
    *ret = table;
    return 0;
}

CK_RV token_refresh(const Pkcs11 *c, Token *token) {
    CK_TOKEN_INFO info = {0};
    CK_RV rv = c->f->C_GetTokenInfo(token->slot, &info);
    if (rv == CKR_OK)
        token->info = info;
    return rv;
}

static bool token_still_there(const Pkcs11 *c, const char *key, Token *ret) {
    Token token = {.slot = c->known_slot};
    char base[TOKEN_KEY_SIZE];

    if (c->known_key[0] == '\0' || strcmp(c->known_key, key) != 0 || token_refresh(c, &token) != CKR_OK ||
        !token_wanted(c, &token.info))
        return false;
    token_base_key(&token.info, base);
    size_t length = strlen(base);
    if (strncmp(base, key, length) != 0 || (key[length] != '\0' && key[length] != '#'))
        return false;
    memcpy(token.key, c->known_key, sizeof(token.key));
    *ret = token;
    return true;
}

int token_find(Pkcs11 *c, const char *key, Token *ret) {
    _cleanup_free_ TokenTable *table = NULL;

    if (token_still_there(c, key, ret))
        return 0;
    int r = token_table_read(c, &table);
    if (r != 0)
        return r;
    for (size_t i = 0; i < table->n; i++) {
        const Token *token = &table->tokens[i];
        if (strcmp(token->key, key) != 0)
            continue;
        memcpy(c->known_key, token->key, sizeof(c->known_key));
        c->known_slot = token->slot;
        *ret = *token;
        return 0;
    }
    return fault_text(c, EONAY_ERROR_TOKEN_REMOVED, "no slot holds this token");
}

bool token_has_pinpad(const Pkcs11 *c, const Token *token) {
    const char *forced = c->host->config(c->host, "ForcePinPad");

    if (forced && strcmp(forced, "yes") == 0)
        return true;
    if (forced && strcmp(forced, "no") == 0)
        return false;
    return (token->info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

int token_tries_left(const Token *token) {
    if (token->info.flags & CKF_USER_PIN_LOCKED)
        return 0;
    if (token->info.flags & CKF_USER_PIN_FINAL_TRY)
        return 1;
    return token->info.flags & CKF_USER_PIN_COUNT_LOW ? 2 : -1;
}

void token_pin_limits(const Token *token, size_t *ret_min, size_t *ret_max) {
    CK_ULONG min = token->info.ulMinPinLen, max = token->info.ulMaxPinLen;

    if (max == CK_UNAVAILABLE_INFORMATION || max > 4096)
        max = 0;
    if (min == CK_UNAVAILABLE_INFORMATION || min > 255 || (max != 0 && min > max))
        min = max = 0;
    *ret_min = min;
    *ret_max = max;
}
