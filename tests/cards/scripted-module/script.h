/* SPDX-License-Identifier: Apache-2.0 */
/* What the module is to be: slots, tokens, keys and misbehaviour, read from a key file. README.md lists the keys. */
#ifndef SCRIPTED_SCRIPT_H
#define SCRIPTED_SCRIPT_H

#define CRYPTOKI_COMPAT 1
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    SLOTS_MAXIMUM = 32,
    KEYS_MAXIMUM = 64,
    FAULTS_MAXIMUM = 64,
    MECHANISMS_MAXIMUM = 16,
    TEXT_MAXIMUM = 256,
    CODE_MAXIMUM = 64,
    ID_MAXIMUM = 64,
    PATH_MAXIMUM = 512,
};

/* Text that may hold any byte. */
typedef struct Text {
    unsigned char data[TEXT_MAXIMUM];
    size_t size;
} Text;

typedef enum InfoStyle {
    INFO_GOOD,
    INFO_GARBAGE,      /* no UTF-8, control characters, bytes from 0x80 on */
    INFO_UNTERMINATED, /* every text field full to the last byte */
    INFO_HUGE,         /* every number at its greatest */
    INFO_ZERO,         /* every byte 0, no blank padding */
} InfoStyle;

typedef enum LockStyle {
    LOCK_NONE,   /* calls run side by side */
    LOCK_SHARED, /* one call at a time in the whole process, waits and all */
    LOCK_FATAL,  /* two threads inside at once: abort(), as a module does that was made for one */
} LockStyle;

typedef enum ProtectedAnswer {
    PROTECTED_ACCEPT,
    PROTECTED_WRONG,
    PROTECTED_CANCEL,
    PROTECTED_TIMEOUT,
    PROTECTED_HANG,
} ProtectedAnswer;

typedef enum SerialStyle { SERIAL_DER, SERIAL_RAW, SERIAL_HEX, SERIAL_DECIMAL, SERIAL_ABSENT } SerialStyle;
typedef enum SignatureStyle {
    SIGNATURE_GOOD,
    SIGNATURE_GARBAGE,
    SIGNATURE_SHORT,
    SIGNATURE_EMPTY,
    SIGNATURE_HUGE
} SignatureStyle;

/* A counter and its code: the user's PIN, or the security officer's (PUK). */
typedef struct Code {
    char value[CODE_MAXIMUM];
    unsigned tries;
    unsigned tries_maximum;
    unsigned tries_scripted; /* as the file said, to tell a new order from an old one at a reload */
    char value_scripted[CODE_MAXIMUM];
} Code;

typedef struct SlotScript {
    bool configured;
    bool present;
    Text description, label, manufacturer, model, serial;
    InfoStyle info;
    bool flags_given; /* `flags` stands for what the counters would show */
    CK_FLAGS flags;
    bool login_required;
    bool protected_path;
    ProtectedAnswer protected_answer;
    unsigned protected_delay;
    Code pin, puk;
    unsigned long pin_minimum, pin_maximum;
    bool lock_at_once; /* the try that locks answers CKR_PIN_LOCKED, not CKR_PIN_INCORRECT */
    CK_MECHANISM_TYPE mechanisms[MECHANISMS_MAXIMUM];
    size_t mechanism_count;
    bool ecdsa_der;
    SignatureStyle signature;
    unsigned long claim; /* what CKA_VALUE says its length is; 0: the truth */
} SlotScript;

typedef struct KeyScript {
    unsigned long slot;
    EVP_PKEY *key;
    X509 *certificate;
    Text label;
    unsigned char id[ID_MAXIMUM], private_id[ID_MAXIMUM];
    size_t id_size, private_id_size;
    bool always_authenticate;
    bool can_sign;
    bool private_visible; /* without login */
    SerialStyle serial;
} KeyScript;

typedef struct FaultScript {
    char function[40]; /* "*": all */
    long slot;         /* -1: all */
    char action[24];
    char argument[PATH_MAXIMUM];
    unsigned skip, times;
    unsigned seen; /* calls that matched */
} FaultScript;

typedef struct Script {
    bool null_arguments; /* C_Initialize refuses anything but NULL */
    InfoStyle info;
    LockStyle lock;
    unsigned long slot_claim; /* what C_GetSlotList says the number is; 0: the truth */
    char state[PATH_MAXIMUM]; /* where the counters live on; empty: in memory */
    bool trace;
    FaultScript constructor; /* action empty: none */
    SlotScript slots[SLOTS_MAXIMUM];
    KeyScript keys[KEYS_MAXIMUM];
    size_t key_count;
    FaultScript faults[FAULTS_MAXIMUM];
    size_t fault_count;
    struct stat seen;
} Script;

/* The file: EONAY_SCRIPTED_MODULE, or the module's own path with .script for .so. NULL when neither is there. */
const char *script_path(void);

/* NULL with a line on standard error that names the place, when the file is wrong. */
Script *script_load(const char *path);
Script *script_free(Script *script);
/* True when the file is another than the one loaded. False too when it cannot be seen any more (a confined host). */
bool script_changed(const Script *script, const char *path);

#endif
