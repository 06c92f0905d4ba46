/* SPDX-License-Identifier: Apache-2.0 */
/* The key file's lines. The parser is its own because the module must stay as small as a vendor's: it is loaded into
 * confined processes and into p11-kit alike, and brings nothing but libcrypto. */
#include "script.h"

#include "names.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Section { SECTION_NONE, SECTION_MODULE, SECTION_SLOT, SECTION_KEY, SECTION_FAULT } Section;

typedef struct Reading {
    Script *script;
    Section section;
    SlotScript *slot;
    KeyScript *key;
} Reading;

const char *script_path(void) {
    static char path[PATH_MAXIMUM];
    const char *given = getenv("EONAY_SCRIPTED_MODULE");
    if (given && *given)
        return given;
    Dl_info self;
    if (!dladdr((void *)script_path, &self) || !self.dli_fname)
        return NULL;
    size_t length = strlen(self.dli_fname);
    if (length < 3 || length + 8 > sizeof(path) || strcmp(self.dli_fname + length - 3, ".so") != 0)
        return NULL;
    memcpy(path, self.dli_fname, length - 3);
    memcpy(path + length - 3, ".script", 8);
    struct stat st;
    return stat(path, &st) == 0 ? path : NULL;
}

static bool copy_string(char *ret, size_t room, const char *value) {
    size_t length = strlen(value);
    if (length >= room)
        return false;
    memcpy(ret, value, length + 1);
    return true;
}

static bool parse_number(const char *value, unsigned *ret) {
    char *end;
    unsigned long number = strtoul(value, &end, 0);
    if (end == value || *end || *value == '-' || number > 0x7FFFFFFF)
        return false;
    *ret = (unsigned)number;
    return true;
}

static bool parse_long(const char *value, unsigned long *ret) {
    char *end;
    unsigned long number = strtoul(value, &end, 0);
    if (end == value || *end || *value == '-')
        return false;
    *ret = number;
    return true;
}

static bool parse_switch(const char *value, bool *ret) {
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return false;
    *ret = strcmp(value, "yes") == 0;
    return true;
}

/* The position of the word in a list that ends with NULL. */
static bool parse_word(const char *value, const char *const *words, int *ret) {
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], value) != 0)
            continue;
        *ret = i;
        return true;
    }
    return false;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_hex(const char *value, unsigned char *ret, size_t room, size_t *ret_size) {
    size_t length = strlen(value);
    if (length % 2 || length / 2 > room)
        return false;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_digit(value[i]), low = hex_digit(value[i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[i / 2] = (unsigned char)(high << 4 | low);
    }
    *ret_size = length / 2;
    return true;
}

/* \xNN stands for any byte, \\ for a backslash. */
static bool parse_text(const char *value, Text *ret) {
    ret->size = 0;
    while (*value) {
        if (ret->size == TEXT_MAXIMUM)
            return false;
        unsigned char byte = (unsigned char)*value++;
        if (byte == '\\' && *value == '\\') {
            value++;
        } else if (byte == '\\') {
            if (value[0] != 'x' || hex_digit(value[1]) < 0 || hex_digit(value[2]) < 0)
                return false;
            byte = (unsigned char)(hex_digit(value[1]) << 4 | hex_digit(value[2]));
            value += 3;
        }
        ret->data[ret->size++] = byte;
    }
    return true;
}

static bool parse_info(const char *value, InfoStyle *ret) {
    static const char *const words[] = {"good", "garbage", "unterminated", "huge", "zero", NULL};
    int word;
    if (!parse_word(value, words, &word))
        return false;
    *ret = (InfoStyle)word;
    return true;
}

/* ACTION [ARGUMENT] [skip N] [times N] */
static bool parse_fault(char *value, FaultScript *ret) {
    char *rest = NULL, *word = strtok_r(value, " \t", &rest);
    if (!word || !copy_string(ret->action, sizeof(ret->action), word))
        return false;
    while ((word = strtok_r(NULL, " \t", &rest))) {
        bool skip = strcmp(word, "skip") == 0, times = strcmp(word, "times") == 0;
        if (skip || times) {
            word = strtok_r(NULL, " \t", &rest);
            if (!word || !parse_number(word, skip ? &ret->skip : &ret->times))
                return false;
        } else if (*ret->argument || !copy_string(ret->argument, sizeof(ret->argument), word))
            return false;
    }
    return true;
}

static bool module_line(Script *script, const char *key, char *value) {
    static const char *const locks[] = {"none", "shared", "fatal", NULL};
    int word;
    if (strcmp(key, "init-args") == 0) {
        script->null_arguments = strcmp(value, "null") == 0;
        return script->null_arguments || strcmp(value, "any") == 0;
    }
    if (strcmp(key, "info") == 0)
        return parse_info(value, &script->info);
    if (strcmp(key, "lock") == 0) {
        if (!parse_word(value, locks, &word))
            return false;
        script->lock = (LockStyle)word;
        return true;
    }
    if (strcmp(key, "slot-claim") == 0)
        return parse_long(value, &script->slot_claim);
    if (strcmp(key, "state") == 0)
        return copy_string(script->state, sizeof(script->state), value);
    if (strcmp(key, "trace") == 0)
        return parse_switch(value, &script->trace);
    if (strcmp(key, "constructor") == 0)
        return parse_fault(value, &script->constructor);
    return false;
}

static bool slot_text(SlotScript *slot, const char *key, const char *value, bool *ret_known) {
    const struct {
        const char *key;
        Text *text;
    } texts[] = {{"description", &slot->description},
                 {"label", &slot->label},
                 {"manufacturer", &slot->manufacturer},
                 {"model", &slot->model},
                 {"serial", &slot->serial}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(key, texts[i].key) == 0)
            return parse_text(value, texts[i].text);
    *ret_known = false;
    return true;
}

static bool slot_switch(SlotScript *slot, const char *key, const char *value, bool *ret_known) {
    const struct {
        const char *key;
        bool *target;
    } switches[] = {{"present", &slot->present},
                    {"login-required", &slot->login_required},
                    {"protected", &slot->protected_path},
                    {"lock-at-once", &slot->lock_at_once},
                    {"ecdsa-der", &slot->ecdsa_der}};
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        if (strcmp(key, switches[i].key) == 0)
            return parse_switch(value, switches[i].target);
    *ret_known = false;
    return true;
}

static bool slot_number(SlotScript *slot, const char *key, const char *value, bool *ret_known) {
    const struct {
        const char *key;
        unsigned *target;
    } numbers[] = {{"tries", &slot->pin.tries},
                   {"tries-maximum", &slot->pin.tries_maximum},
                   {"puk-tries", &slot->puk.tries},
                   {"puk-tries-maximum", &slot->puk.tries_maximum},
                   {"protected-delay", &slot->protected_delay}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strcmp(key, numbers[i].key) == 0)
            return parse_number(value, numbers[i].target);
    *ret_known = false;
    return true;
}

static bool slot_flags(SlotScript *slot, char *value) {
    char *rest = NULL;
    slot->flags_given = true;
    slot->flags = 0;
    for (char *word = strtok_r(value, " ,", &rest); word; word = strtok_r(NULL, " ,", &rest)) {
        unsigned long flag;
        if (!name_value(token_flags, word, &flag))
            return false;
        slot->flags |= flag;
    }
    return true;
}

static bool slot_mechanisms(SlotScript *slot, char *value) {
    char *rest = NULL;
    slot->mechanism_count = 0;
    for (char *word = strtok_r(value, " ,", &rest); word; word = strtok_r(NULL, " ,", &rest))
        if (slot->mechanism_count == MECHANISMS_MAXIMUM ||
            !name_value(mechanism_names, word, &slot->mechanisms[slot->mechanism_count++]))
            return false;
    return true;
}

static bool slot_word(SlotScript *slot, const char *key, const char *value) {
    static const char *const answers[] = {"accept", "wrong", "cancel", "timeout", "hang", NULL};
    static const char *const signatures[] = {"good", "garbage", "short", "empty", "huge", NULL};
    int word;
    if (strcmp(key, "protected-answer") == 0) {
        if (!parse_word(value, answers, &word))
            return false;
        slot->protected_answer = (ProtectedAnswer)word;
        return true;
    }
    if (strcmp(key, "signature") != 0 || !parse_word(value, signatures, &word))
        return false;
    slot->signature = (SignatureStyle)word;
    return true;
}

static bool slot_line(SlotScript *slot, const char *key, char *value) {
    bool known = true, good = slot_text(slot, key, value, &known);
    if (!known) {
        known = true;
        good = slot_switch(slot, key, value, &known);
    }
    if (!known) {
        known = true;
        good = slot_number(slot, key, value, &known);
    }
    if (known)
        return good;
    if (strcmp(key, "info") == 0)
        return parse_info(value, &slot->info);
    if (strcmp(key, "flags") == 0)
        return slot_flags(slot, value);
    if (strcmp(key, "mechanisms") == 0)
        return slot_mechanisms(slot, value);
    if (strcmp(key, "pin") == 0)
        return copy_string(slot->pin.value, CODE_MAXIMUM, value);
    if (strcmp(key, "puk") == 0)
        return copy_string(slot->puk.value, CODE_MAXIMUM, value);
    if (strcmp(key, "pin-minimum") == 0)
        return parse_long(value, &slot->pin_minimum);
    if (strcmp(key, "pin-maximum") == 0)
        return parse_long(value, &slot->pin_maximum);
    if (strcmp(key, "value-claim") == 0)
        return parse_long(value, &slot->claim);
    return slot_word(slot, key, value);
}

static bool key_file(KeyScript *key, const char *path, bool certificate) {
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    if (certificate)
        key->certificate = PEM_read_X509(file, NULL, NULL, NULL);
    else
        key->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    return certificate ? key->certificate != NULL : key->key != NULL;
}

static bool key_line(KeyScript *key, const char *name, const char *value) {
    static const char *const serials[] = {"der", "raw", "hex", "decimal", "absent", NULL};
    int word;
    if (strcmp(name, "key") == 0)
        return !key->key && key_file(key, value, false);
    if (strcmp(name, "cert") == 0)
        return !key->certificate && key_file(key, value, true);
    if (strcmp(name, "label") == 0)
        return parse_text(value, &key->label);
    if (strcmp(name, "id") == 0)
        return parse_hex(value, key->id, ID_MAXIMUM, &key->id_size);
    if (strcmp(name, "private-id") == 0)
        return parse_hex(value, key->private_id, ID_MAXIMUM, &key->private_id_size);
    if (strcmp(name, "always-authenticate") == 0)
        return parse_switch(value, &key->always_authenticate);
    if (strcmp(name, "sign") == 0)
        return parse_switch(value, &key->can_sign);
    if (strcmp(name, "private-visible") == 0)
        return parse_switch(value, &key->private_visible);
    if (strcmp(name, "serial-number") != 0 || !parse_word(value, serials, &word))
        return false;
    key->serial = (SerialStyle)word;
    return true;
}

/* FUNCTION or FUNCTION@SLOT */
static bool fault_line(Script *script, char *key, char *value) {
    if (script->fault_count == FAULTS_MAXIMUM)
        return false;
    FaultScript *fault = &script->faults[script->fault_count++];
    fault->slot = -1;
    char *at = strchr(key, '@');
    if (at) {
        unsigned slot;
        if (!parse_number(at + 1, &slot))
            return false;
        fault->slot = (long)slot;
        *at = '\0';
    }
    return copy_string(fault->function, sizeof(fault->function), key) && parse_fault(value, fault);
}

static void slot_defaults(SlotScript *slot, unsigned number) {
    static const CK_MECHANISM_TYPE mechanisms[] = {CKM_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS, CKM_ECDSA};
    char text[TEXT_MAXIMUM];
    *slot =
        (SlotScript){.configured = true, .present = true, .login_required = true, .pin_minimum = 4, .pin_maximum = 16};
    snprintf(text, sizeof(text), "Scripted reader %u", number);
    (void)parse_text(text, &slot->description);
    snprintf(text, sizeof(text), "Scripted %u", number);
    (void)parse_text(text, &slot->label);
    snprintf(text, sizeof(text), "5C%06u", number);
    (void)parse_text(text, &slot->serial);
    (void)parse_text("Eonay tests", &slot->manufacturer);
    (void)parse_text("scripted", &slot->model);
    (void)copy_string(slot->pin.value, CODE_MAXIMUM, "123456");
    (void)copy_string(slot->puk.value, CODE_MAXIMUM, "12345678");
    slot->pin.tries = slot->pin.tries_maximum = slot->puk.tries = slot->puk.tries_maximum = 3;
    memcpy(slot->mechanisms, mechanisms, sizeof(mechanisms));
    slot->mechanism_count = sizeof(mechanisms) / sizeof(mechanisms[0]);
}

static bool section_key(Reading *reading, unsigned slot) {
    Script *script = reading->script;
    if (script->key_count == KEYS_MAXIMUM || slot >= SLOTS_MAXIMUM || !script->slots[slot].configured)
        return false;
    reading->key = &script->keys[script->key_count++];
    *reading->key = (KeyScript){.slot = slot, .can_sign = true};
    reading->key->id[0] = (unsigned char)script->key_count;
    reading->key->id_size = 1;
    reading->section = SECTION_KEY;
    return true;
}

/* [module], [slot N], [key N] (a key and certificate in slot N), [fault] */
static bool section_line(Reading *reading, char *line) {
    char *end = strchr(line, ']');
    unsigned number = 0;
    if (!end || end[1])
        return false;
    *end = '\0';
    char *space = strchr(line, ' ');
    if (space) {
        *space = '\0';
        if (!parse_number(space + 1, &number))
            return false;
    }
    if (strcmp(line + 1, "module") == 0)
        reading->section = SECTION_MODULE;
    else if (strcmp(line + 1, "fault") == 0)
        reading->section = SECTION_FAULT;
    else if (strcmp(line + 1, "key") == 0 && space)
        return section_key(reading, number);
    else if (strcmp(line + 1, "slot") == 0 && space && number < SLOTS_MAXIMUM) {
        reading->section = SECTION_SLOT;
        reading->slot = &reading->script->slots[number];
        slot_defaults(reading->slot, number);
    } else
        return false;
    return true;
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static bool script_line(Reading *reading, char *text) {
    char *line = trim(text);
    if (!*line || *line == '#')
        return true;
    if (*line == '[')
        return section_line(reading, line);
    char *equals = strchr(line, '=');
    if (!equals)
        return false;
    *equals = '\0';
    char *key = trim(line), *value = trim(equals + 1);
    switch (reading->section) {
    case SECTION_MODULE:
        return module_line(reading->script, key, value);
    case SECTION_SLOT:
        return slot_line(reading->slot, key, value);
    case SECTION_KEY:
        return key_line(reading->key, key, value);
    case SECTION_FAULT:
        return fault_line(reading->script, key, value);
    default:
        return false;
    }
}

static void code_settle(Code *code) {
    code->tries_scripted = code->tries;
    memcpy(code->value_scripted, code->value, sizeof(code->value));
}

static void script_settle(Script *script) {
    for (size_t i = 0; i < SLOTS_MAXIMUM; i++) {
        SlotScript *slot = &script->slots[i];
        code_settle(&slot->pin);
        code_settle(&slot->puk);
    }
    for (size_t i = 0; i < script->key_count; i++) {
        KeyScript *key = &script->keys[i];
        if (key->private_id_size == 0) {
            memcpy(key->private_id, key->id, key->id_size);
            key->private_id_size = key->id_size;
        }
    }
}

Script *script_load(const char *path) {
    Script *script = calloc(1, sizeof(*script));
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!script || !file || fstat(fileno(file), &script->seen) < 0) {
        fprintf(stderr, "scripted-module: %s: %s\n", path ? path : "EONAY_SCRIPTED_MODULE", strerror(errno));
        if (file)
            fclose(file);
        return script_free(script);
    }
    Reading reading = {.script = script};
    char line[1024];
    bool good = true;
    unsigned number = 0;
    while (good && fgets(line, sizeof(line), file)) {
        number++;
        good = script_line(&reading, line);
    }
    fclose(file);
    if (!good) {
        fprintf(stderr, "scripted-module: %s:%u: not understood\n", path, number);
        return script_free(script);
    }
    script_settle(script);
    return script;
}

Script *script_free(Script *script) {
    if (!script)
        return NULL;
    for (size_t i = 0; i < script->key_count; i++) {
        EVP_PKEY_free(script->keys[i].key);
        X509_free(script->keys[i].certificate);
    }
    OPENSSL_cleanse(script->slots, sizeof(script->slots));
    free(script);
    return NULL;
}

bool script_changed(const Script *script, const char *path) {
    struct stat now;
    if (!path || stat(path, &now) < 0)
        return false;
    return now.st_ino != script->seen.st_ino || now.st_size != script->seen.st_size ||
           now.st_mtim.tv_sec != script->seen.st_mtim.tv_sec || now.st_mtim.tv_nsec != script->seen.st_mtim.tv_nsec;
}
