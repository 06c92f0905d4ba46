/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token without a key: it shows whatever tokens it is told to, takes any PIN, and its signatures are bytes that no
 * certificate will verify. For tests of what the daemon does about a bad module.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "script.h"

#define HUGE_SIZE       (1u << 20)
#define CERTIFICATE_MAX 65536
#define MANY            1000

typedef struct FakeToken {
    const EonayHost *host;
    Script *script;
    uint32_t flags;
    uint8_t certificate[CERTIFICATE_MAX];
    size_t certificate_size;
    char *huge; /* a megabyte of letters */
} FakeToken;

static uint32_t flags_from_names(const char *names) {
    static const struct {
        const char *name;
        uint32_t flag;
    } known[] = {{"pinpad", EONAY_TOKEN_PINPAD},       {"low", EONAY_TOKEN_PIN_LOW},
                 {"final", EONAY_TOKEN_PIN_FINAL_TRY}, {"locked", EONAY_TOKEN_PIN_LOCKED},
                 {"unknown", EONAY_TOKEN_PIN_UNKNOWN}, {"needs-secret", EONAY_TOKEN_NEEDS_SECRET_TO_LIST},
                 {"local-key", EONAY_TOKEN_LOCAL_KEY}};
    uint32_t flags = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (list_has(names, known[i].name))
            flags |= known[i].flag;
    return flags;
}

static int read_certificate(FakeToken *t) {
    if (!t->host->config(t->host, "Certificate"))
        return 0;
    int fd = t->host->open_file(t->host, "Certificate");
    if (fd < 0)
        return t->host->fault(t->host, EONAY_ERROR_FILE_INVALID, -1, (uint64_t)-fd, "Certificate= cannot be opened");
    ssize_t n = read(fd, t->certificate, sizeof(t->certificate));
    close(fd);
    t->certificate_size = n > 0 ? (size_t)n : 0;
    return 0;
}

static void fake_close(void *context) {
    FakeToken *t = context;
    if (t->script)
        script_step(t->script, "close");
    script_free(t->script);
    free(t->huge);
    free(t);
}

static int fake_open(const EonayHost *host, void **ret_context) {
    FakeToken *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->host = host;
    t->flags = flags_from_names(host->config(host, "Flags"));
    t->huge = malloc(HUGE_SIZE);
    int r = t->huge ? script_new(host, &t->script) : -ENOMEM;
    if (r == 0) {
        memset(t->huge, 'A', HUGE_SIZE - 1);
        t->huge[HUGE_SIZE - 1] = '\0';
        Act step = script_step(t->script, "open");
        r = step.ends ? step.r : read_certificate(t);
    }
    if (r != 0) {
        script_free(t->script);
        free(t->huge);
        free(t);
        return r;
    }
    *ret_context = t;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ listing -- */

static void spoil_token(const FakeToken *t, const char *garbage, EonayTokenInfo *info) {
    if (strcmp(garbage, "utf8") == 0)
        info->label = "bad \xff\xc3 label", info->serial = "\x80";
    else if (strcmp(garbage, "control") == 0)
        info->label = "red \x1b[31m\n\xe2\x80\xae label";
    else if (strcmp(garbage, "huge") == 0)
        info->label = t->huge;
    else if (strcmp(garbage, "null") == 0)
        info->label = info->serial = info->manufacturer = info->model = info->reader = NULL;
    else if (strcmp(garbage, "key") == 0)
        info->key = "";
    else if (strcmp(garbage, "size") == 0)
        info->struct_size = 4;
}

static void spoil_certificate(const char *garbage, EonayCertificateInfo *info) {
    if (strcmp(garbage, "der-huge") == 0)
        info->der_size = SIZE_MAX / 2;
    else if (strcmp(garbage, "der-null") == 0)
        info->der = NULL;
    else if (strcmp(garbage, "der-empty") == 0)
        info->der_size = 0;
}

static int visit_token(FakeToken *t, int number, const char *garbage, const EonayTokenVisitor *visitor) {
    char key[32], serial[32];
    snprintf(key, sizeof(key), "fake-%d", number);
    snprintf(serial, sizeof(serial), "%08d", number);
    EonayTokenInfo info = {.struct_size = sizeof(info),
                           .flags = t->flags,
                           .key = key,
                           .label = config_text(t->host, "Label", "Fake token"),
                           .serial = serial,
                           .manufacturer = "eonay",
                           .model = "fake",
                           .reader = t->host->config(t->host, "Reader"),
                           .state = t->host->config(t->host, "State"),
                           .pin_min = (uint32_t)config_number(t->host, "PinMin", 4),
                           .pin_max = (uint32_t)config_number(t->host, "PinMax", 12),
                           .mechanisms = (uint32_t)config_number(t->host, "Mechanisms", 0x1FF)};
    spoil_token(t, garbage, &info);
    return visitor->token(visitor, strcmp(garbage, "no-token") == 0 ? NULL : &info);
}

static int visit_certificate(const FakeToken *t, const char *garbage, const EonayTokenVisitor *visitor) {
    EonayCertificateInfo info = {.struct_size = sizeof(info),
                                 .flags = EONAY_CERT_HAS_KEY,
                                 .label = "Fake certificate",
                                 .id = (const uint8_t *)"\x01",
                                 .id_size = 1,
                                 .der = t->certificate,
                                 .der_size = t->certificate_size};
    spoil_certificate(garbage, &info);
    return visitor->certificate(visitor, &info);
}

static int visit_both(FakeToken *t, int number, const char *garbage, const EonayTokenVisitor *visitor) {
    int r = visit_token(t, number, garbage, visitor);
    int n = strcmp(garbage, "many") == 0 ? MANY : t->certificate_size > 0 ? 1 : 0;
    for (int i = 0; r == 0 && i < n; i++)
        r = visit_certificate(t, garbage, visitor);
    return r;
}

static int fake_list(void *context, const EonaySecret *secret, const EonayTokenVisitor *visitor) {
    FakeToken *t = context;
    Act step = script_step(t->script, "list");
    if (step.ends)
        return step.r;
    if ((t->flags & EONAY_TOKEN_NEEDS_SECRET_TO_LIST) && !secret)
        return visit_token(t, 0, step.garbage, visitor);
    int n = strcmp(step.garbage, "nothing") == 0 ? 0 : (int)config_number(t->host, "Tokens", 1);
    int r = 0;
    for (int i = 0; r == 0 && i < n; i++)
        r = visit_both(t, i, step.garbage, visitor);
    return r;
}

static bool token_exists(const FakeToken *t, const char *token) {
    char key[32];
    for (int i = 0; i < config_number(t->host, "Tokens", 1); i++) {
        snprintf(key, sizeof(key), "fake-%d", i);
        if (strcmp(key, token) == 0)
            return true;
    }
    return false;
}

static int removed(const FakeToken *t) {
    return t->host->fault(t->host, EONAY_ERROR_TOKEN_REMOVED, -1, 0, "no such token");
}

static int fake_inspect(void *context, const char *token, const EonayTokenVisitor *visitor) {
    FakeToken *t = context;
    Act step = script_step(t->script, "inspect");
    if (step.ends)
        return step.r;
    if (!token_exists(t, token))
        return removed(t);
    return visit_token(t, (int)strtol(token + strlen("fake-"), NULL, 10), step.garbage, visitor);
}

/* ------------------------------------------------------------------------------------------------------ signing -- */

static int check_pin(const FakeToken *t, const EonayLogin *login) {
    size_t size = login->secret ? login->secret->size : 0;
    if (t->flags & EONAY_TOKEN_PIN_LOCKED)
        return EONAY_ERROR_PIN_LOCKED;
    if ((t->flags & EONAY_TOKEN_PINPAD) && login->secret)
        return EONAY_ERROR_PIN_PAD_REQUIRED;
    if (!(t->flags & EONAY_TOKEN_PINPAD) && !login->secret)
        return EONAY_ERROR_PIN_REQUIRED;
    if (login->secret &&
        ((long)size < config_number(t->host, "PinMin", 4) || (long)size > config_number(t->host, "PinMax", 12)))
        return EONAY_ERROR_PIN_FORMAT;
    if ((t->flags & EONAY_TOKEN_PIN_FINAL_TRY) && !(login->flags & EONAY_LOGIN_ALLOW_FINAL_TRY))
        return EONAY_ERROR_PIN_FINAL_TRY;
    return 0;
}

static int fake_login(void *context, const EonayLogin *login) {
    FakeToken *t = context;
    Act step = script_step(t->script, "login");
    const char *after = t->host->config(t->host, "FlagsAfterLogin");
    int refused = step.ends ? 0 : check_pin(t, login);
    if (after)
        t->flags = flags_from_names(after);
    if (step.ends)
        return step.r;
    if (!token_exists(t, login->token))
        return removed(t);
    return refused ? t->host->fault(t->host, (EonayError)refused, -1, 0, NULL) : 0;
}

/* Rubbish of the right size, or of a wrong one when the script asks for it. */
static int fake_sign(void *context, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size) {
    FakeToken *t = context;
    Act step = script_step(t->script, "sign");
    if (step.ends)
        return step.r;
    if (!token_exists(t, request->token))
        return removed(t);
    size_t size = (size_t)config_number(t->host, "SignatureSize", 256);
    if (strcmp(step.garbage, "null") == 0)
        return 0;
    static uint8_t elsewhere[2048];
    bool foreign = strcmp(step.garbage, "foreign") == 0;
    uint8_t *signature = foreign ? elsewhere + sizeof(elsewhere) / 2 : t->host->alloc(t->host, size);
    if (!foreign)
        memset(signature, 0x5A, size);
    *ret_signature = signature;
    *ret_size = strcmp(step.garbage, "zero") == 0 ? 0 : strcmp(step.garbage, "size") == 0 ? size + 1 : size;
    return 0;
}

static void fake_logout(void *context) {
    FakeToken *t = context;
    script_step(t->script, "logout");
}

static int fake_change_pin(void *context, const char *token, const EonaySecret *old_pin, const EonaySecret *new_pin) {
    FakeToken *t = context;
    Act step = script_step(t->script, "change-pin");
    if (step.ends)
        return step.r;
    if (!token_exists(t, token))
        return removed(t);
    if (old_pin->size < 4 || new_pin->size < 4)
        return t->host->fault(t->host, EONAY_ERROR_PIN_FORMAT, -1, 0, NULL);
    return 0;
}

static int fake_unblock_pin(void *context, const char *token, const EonaySecret *puk, const EonaySecret *new_pin) {
    FakeToken *t = context;
    Act step = script_step(t->script, "unblock-pin");
    if (step.ends)
        return step.r;
    return fake_change_pin(context, token, puk, new_pin);
}

static const EonayTokenOps fake_token = {.struct_size = sizeof(fake_token),
                                         .open = fake_open,
                                         .close = fake_close,
                                         .list = fake_list,
                                         .inspect = fake_inspect,
                                         .login = fake_login,
                                         .sign = fake_sign,
                                         .logout = fake_logout,
                                         .change_pin = fake_change_pin,
                                         .unblock_pin = fake_unblock_pin};

const EonayPlugin eonay_plugin = {.abi_major = EONAY_PLUGIN_ABI_MAJOR,
                                  .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                                  .struct_size = sizeof(eonay_plugin),
                                  .kind = EONAY_PLUGIN_TOKEN,
                                  .name = "fake-token",
                                  .version = EONAY_VERSION,
                                  .token = &fake_token};
