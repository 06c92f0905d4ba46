/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonay plugin interface, version 1.
 *
 * A plugin is a shared object that exports one symbol, `eonay_plugin`, of type EonayPlugin. It is loaded by
 * eonay-plugin-host, one process per use, never by the daemon. The rules:
 *
 *  - Plain C and blocking calls. The process is already confined when the plugin is loaded; the host ends the whole
 *    process with SIGKILL when a call overruns its deadline, so no call needs a timeout of its own.
 *  - Calls come from one thread, one at a time, unless the plugin sets EONAY_PLUGIN_CONCURRENT.
 *  - Return 0 for success, a positive EonayError for a documented condition (through EonayHost.fault, which records
 *    details and returns the same code), or a negative errno for a failure that makes the plugin unusable.
 *  - Pointers handed to the plugin are valid during the call only. Memory handed out by the plugin in `ret_*` and in
 *    EonayCode, EonayRedemption, EonayReceipt and EonayApproval comes from EonayHost.alloc; the host releases it.
 *  - Strings are UTF-8 and end with NUL. Times are microseconds since 1970-01-01T00:00:00Z.
 *  - Every struct begins with its size as the writer knew it, so that tables can grow at the end.
 *  - A secret (PIN) must not be copied, logged or kept after the call returns.
 *
 * docs/write-a-plugin.md is the tutorial; plugins/tutorial/ the smallest complete example.
 */
#ifndef EONAY_PLUGIN_H
#define EONAY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error-table.h"

#define EONAY_PLUGIN_ABI_MAJOR 1
#define EONAY_PLUGIN_ABI_MINOR 0

/* The documented conditions: EONAY_ERROR_CODE_INVALID = 1 and so on, from error-table.h. */
typedef enum EonayError {
    EONAY_OK = 0,
#define EONAY_ERROR_ENUM_(number, id, ...) EONAY_ERROR_##id = (number),
    EONAY_ERROR_TABLE(EONAY_ERROR_ENUM_)
#undef EONAY_ERROR_ENUM_
} EonayError;

typedef enum EonayPluginKind {
    EONAY_PLUGIN_TOKEN = 1, /* holds keys and certificates */
    EONAY_PLUGIN_CA = 2,    /* a certificate authority that wants consents */
    EONAY_PLUGIN_FETCH = 3, /* fetches what stands behind signatures: time stamps, OCSP, CRLs, certificates */
} EonayPluginKind;

/* EonayPlugin.flags */
#define EONAY_PLUGIN_CONCURRENT (1u << 0) /* operations on one context may run in several threads at once */

typedef enum EonayLogLevel { /* as in syslog(3) */
                             EONAY_LOG_ERROR = 3,
                             EONAY_LOG_WARNING = 4,
                             EONAY_LOG_INFO = 6,
                             EONAY_LOG_DEBUG = 7,
} EonayLogLevel;

/* What the host offers to the plugin. Valid from open() to the end of close(). */
typedef struct EonayHost EonayHost;
struct EonayHost {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;

    /* Memory that the host will release, for values returned; ends the process when none is left. */
    void *(*alloc)(const EonayHost *host, size_t size);
    /* Gives back memory of alloc() that will not be returned after all; NULL is allowed. */
    void (*release)(const EonayHost *host, void *memory);

    /*
     * Records why the call is about to fail and returns `code`, so that `return host->fault(…)` is the usual form.
     * tries_left: PIN tries left, -1 when unknown. native_code: the library's own number (CKR_…), or for RATE_LIMITED
     * and BACKEND_UNREACHABLE the seconds to wait before another try; 0 if none. text: for the log, English, no
     * personal data, no secret; may be NULL.
     */
    int (*fault)(const EonayHost *host, EonayError code, int tries_left, uint64_t native_code, const char *text);

    /* True when nobody waits for the running call any more: long work should return CANCELLED. */
    bool (*cancelled)(const EonayHost *host);

    /* Writes a line to the log. No secret, code, text to be signed, name or identity number may be in it. */
    void (*log)(const EonayHost *host, EonayLogLevel level, const char *text);

    /* The value of a key in this instance's configuration section, or NULL. Valid until close() returns. */
    const char *(*config)(const EonayHost *host, const char *key);

    /*
     * A new read-only, close-on-exec descriptor of the file that the configuration key names, or that the daemon
     * passed under that key; negative errno on failure. The plugin closes it.
     */
    int (*open_file)(const EonayHost *host, const char *key);
};

/* ------------------------------------------------------------------------------------------------ tokens -- */

/* Signature mechanisms over a finished digest. Bits, so that a set fits in a word. */
typedef enum EonayMechanism {
    EONAY_MECH_RSA_PKCS1_SHA256 = 1u << 0, /* RFC 8017 section 8.2; the plugin wraps the digest in DigestInfo */
    EONAY_MECH_RSA_PKCS1_SHA384 = 1u << 1,
    EONAY_MECH_RSA_PKCS1_SHA512 = 1u << 2,
    EONAY_MECH_RSA_PSS_SHA256 = 1u << 3, /* RFC 8017 section 8.1; MGF1 with the same hash, salt as long as the hash */
    EONAY_MECH_RSA_PSS_SHA384 = 1u << 4,
    EONAY_MECH_RSA_PSS_SHA512 = 1u << 5,
    EONAY_MECH_ECDSA_SHA256 = 1u << 6, /* FIPS 186-4; the value may be r||s or DER, the daemon tells them apart */
    EONAY_MECH_ECDSA_SHA384 = 1u << 7,
    EONAY_MECH_ECDSA_SHA512 = 1u << 8,
} EonayMechanism;

/* A PIN or passphrase: bytes as typed, not NUL-terminated. */
typedef struct EonaySecret {
    const uint8_t *bytes;
    size_t size;
} EonaySecret;

/* EonayTokenInfo.flags */
#define EONAY_TOKEN_PINPAD                                                                                             \
    (1u << 0) /* the PIN is entered on the reader or phone (CKF_PROTECTED_AUTHENTICATION_PATH)                         \
               */
#define EONAY_TOKEN_PIN_LOW       (1u << 1) /* at least one wrong PIN since the last right one (CKF_USER_PIN_COUNT_LOW) */
#define EONAY_TOKEN_PIN_FINAL_TRY (1u << 2) /* CKF_USER_PIN_FINAL_TRY */
#define EONAY_TOKEN_PIN_LOCKED    (1u << 3) /* CKF_USER_PIN_LOCKED */
#define EONAY_TOKEN_PIN_UNKNOWN   (1u << 4) /* the token does not tell the state of its PIN */
#define EONAY_TOKEN_NEEDS_SECRET_TO_LIST                                                                               \
    (1u << 5)                           /* certificates can be read only with the secret (a PKCS#12 file)              \
                                         */
#define EONAY_TOKEN_LOCAL_KEY (1u << 6) /* no secure device: the key is in a file */

typedef struct EonayTokenInfo {
    uint32_t struct_size;
    uint32_t flags;
    const char *key;          /* names the token within this instance, stable over re-insertion; at most 255 bytes */
    const char *label;        /* personal data: shown to its owner only */
    const char *serial;       /* likewise */
    const char *manufacturer; /* may be NULL */
    const char *model;        /* may be NULL */
    const char *reader;       /* the PC/SC reader's name, NULL for a soft token */
    const char *state;        /* NULL when ready, else one English sentence why not */
    uint32_t pin_min;         /* bytes; 0 when unknown */
    uint32_t pin_max;         /* bytes; 0 when unknown */
    uint32_t mechanisms;      /* set of EonayMechanism the token offers */
} EonayTokenInfo;

/* EonayCertificateInfo.flags */
#define EONAY_CERT_HAS_KEY     (1u << 0) /* a private key with the same CKA_ID is known to exist */
#define EONAY_CERT_KEY_UNKNOWN (1u << 1) /* private keys are invisible before login: cannot be told */
#define EONAY_CERT_KEY_NO_SIGN (1u << 2) /* the key exists but CKA_SIGN is false */
#define EONAY_CERT_ALWAYS_AUTH (1u << 3) /* CKA_ALWAYS_AUTHENTICATE */

typedef struct EonayCertificateInfo {
    uint32_t struct_size;
    uint32_t flags;
    const char *label; /* personal data */
    const uint8_t *id; /* CKA_ID or similar; may be NULL */
    size_t id_size;
    const uint8_t *der; /* the X.509 certificate; at most 64 KiB */
    size_t der_size;
} EonayCertificateInfo;

/*
 * Receives a listing: token() once per token, then certificate() for each of its certificates. A non-zero return
 * stops the listing; the plugin returns that value.
 */
typedef struct EonayTokenVisitor EonayTokenVisitor;
struct EonayTokenVisitor {
    int (*token)(const EonayTokenVisitor *visitor, const EonayTokenInfo *token);
    int (*certificate)(const EonayTokenVisitor *visitor, const EonayCertificateInfo *certificate);
};

/* EonayLogin.flags */
#define EONAY_LOGIN_ALLOW_FINAL_TRY (1u << 0) /* else login() must refuse with PIN_FINAL_TRY when one try is left */

typedef struct EonayLogin {
    uint32_t struct_size;
    uint32_t flags;
    const char *token;         /* EonayTokenInfo.key */
    const EonaySecret *secret; /* NULL: the PIN is entered on the reader or phone */
} EonayLogin;

typedef struct EonaySignRequest {
    uint32_t struct_size;
    uint32_t mechanism; /* exactly one EonayMechanism */
    const char *token;
    const uint8_t *certificate; /* DER; the key is the one whose public half is in it, found anew at each call */
    size_t certificate_size;
    const uint8_t *digest;
    size_t digest_size;
    const EonaySecret *secret; /* the secret of login(), for keys that want it at each use; NULL as there */
} EonaySignRequest;

typedef struct EonayTokenOps {
    uint32_t struct_size;

    /* Opens the instance. Errors: MODULE_MISSING, MODULE_INVALID, MODULE_UNTRUSTED, FILE_INVALID, PLUGIN_FAILED. */
    int (*open)(const EonayHost *host, void **ret_context);
    /* Ends everything; also called after a failed operation. */
    void (*close)(void *context);
    /* Lists tokens and certificates without a PIN; `secret` is NULL unless the token has NEEDS_SECRET_TO_LIST. */
    int (*list)(void *context, const EonaySecret *secret, const EonayTokenVisitor *visitor);
    /* Visits one token as it is now, without certificates. Error: TOKEN_REMOVED. */
    int (*inspect)(void *context, const char *token, const EonayTokenVisitor *visitor);
    /* Unlocks the token for the sign() calls that follow. Checks the secret's length against the token before it
     * spends a try. Errors: PIN_*, TOKEN_REMOVED, PLUGIN_FAILED. */
    int (*login)(void *context, const EonayLogin *login);
    /* Signs one digest. Errors: NO_CERTIFICATE (no such key), MECHANISM_UNSUPPORTED, TOKEN_REMOVED, PIN_*. */
    int (*sign)(void *context, const EonaySignRequest *request, uint8_t **ret_signature, size_t *ret_size);
    /* Ends what login() began; nothing of the secret may remain. */
    void (*logout)(void *context);

    /* Optional, NULL when the token cannot do it. Errors: PIN_*, UNSUPPORTED, TOKEN_REMOVED. */
    int (*change_pin)(void *context, const char *token, const EonaySecret *old_pin, const EonaySecret *new_pin);
    int (*unblock_pin)(void *context, const char *token, const EonaySecret *puk, const EonaySecret *new_pin);
} EonayTokenOps;

/* --------------------------------------------------------------------------------------------- authorities -- */

/* EonayCapabilities.flags */
#define EONAY_CA_GET_CODE   (1u << 0) /* can issue a code to a local app */
#define EONAY_CA_REGENERATE (1u << 1) /* get_code() with superseded_code kills the old code */
#define EONAY_CA_STATUS     (1u << 2)
#define EONAY_CA_APPROVAL   (1u << 3)
#define EONAY_CA_CANCEL     (1u << 4)
#define EONAY_CA_POLL       (1u << 5) /* get_code() may answer pending; poll_code() follows */

typedef struct EonayCapabilities {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t code_length;   /* digits */
    uint32_t code_lifetime; /* seconds */
    char name[128];         /* the authority's name for people, UTF-8 */
} EonayCapabilities;

typedef struct EonayCodeRequest {
    uint32_t struct_size;
    const char *purpose;         /* NULL: e-onay.nes-application */
    const char *subject;         /* T.C. identity number the code is bound to; NULL: whoever signs */
    const char *language;        /* "tr" or "en"; NULL: tr */
    const char *superseded_code; /* the code that dies with this request; NULL: none */
} EonayCodeRequest;

typedef struct EonayCode {
    uint32_t struct_size;
    bool pending; /* true: login in the browser comes first, code is NULL */
    char *code;   /* digits */
    char *purpose;
    uint64_t created_at;
    uint64_t expires_at;
    uint64_t now; /* the authority's clock at this answer: the countdown is expires_at - now */
    char *handle; /* these five for pending answers, RFC 8628 section 3.2 */
    char *user_code;
    char *verification_uri;
    char *verification_uri_complete;
    uint32_t interval; /* seconds between polls */
} EonayCode;

typedef struct EonayText {
    char *title;
    char *media_type; /* text/plain;charset=utf-8 */
    uint8_t *bytes;   /* exactly what is shown and signed */
    size_t size;
} EonayText;

typedef struct EonayRedemption {
    uint32_t struct_size;
    char *transaction; /* names the redeemed consent towards the authority; secret between the two, at most 255 bytes */
    char *requester;   /* who asks, for people */
    char *purpose;
    char *level;   /* required signature level: "B-B", … */
    char *subject; /* T.C. identity number the certificate must carry; NULL: whoever signs */
    uint64_t created_at;
    uint64_t expires_at;
    uint64_t now;
    EonayText *texts; /* n_texts of them, allocated as one block; their members each on their own */
    size_t n_texts;
} EonayRedemption;

typedef struct EonaySubmission {
    uint32_t struct_size;
    const char *transaction;
    const char *idempotency_key; /* the same key with the same signatures is one submission, however often it is sent */
    const uint8_t *const *signatures; /* DER CMS SignedData, one per text, in their order */
    const size_t *signature_sizes;
    size_t n_signatures;
} EonaySubmission;

typedef struct EonayReceipt {
    uint32_t struct_size;
    char *receipt_id;
    uint64_t submitted_at;
} EonayReceipt;

typedef enum EonayTransactionState {
    EONAY_TRANSACTION_OPEN = 0,
    EONAY_TRANSACTION_DONE = 1, /* receipt is filled in */
    EONAY_TRANSACTION_EXPIRED = 2,
    EONAY_TRANSACTION_CANCELLED = 3,
    EONAY_TRANSACTION_SUPERSEDED = 4,
} EonayTransactionState;

typedef struct EonayApproval {
    uint32_t struct_size;
    bool approved;
    char *receipt_id; /* the rest only when approved */
    char *text_version;
    uint64_t approved_at;
} EonayApproval;

typedef struct EonayCaOps {
    uint32_t struct_size;

    int (*open)(const EonayHost *host, void **ret_context);
    void (*close)(void *context);
    int (*capabilities)(void *context, EonayCapabilities *ret);
    /* Errors: SUBJECT_INVALID, ALREADY_APPROVED, RATE_LIMITED, UNSUPPORTED, BACKEND_*. */
    int (*get_code)(void *context, const EonayCodeRequest *request, EonayCode *ret);
    /* Optional. Errors: CODE_PENDING (ask again after the interval), CODE_DENIED, CODE_EXPIRED. */
    int (*poll_code)(void *context, const char *handle, EonayCode *ret);
    /* Spends the code. Errors: CODE_INVALID, CODE_UNKNOWN, CODE_USED, CODE_EXPIRED, CODE_SUPERSEDED, RATE_LIMITED. */
    int (*redeem)(void *context, const char *code, EonayRedemption *ret);
    /* Delivers the signatures. Errors: BACKEND_REJECTED, IDENTITY_MISMATCH, CODE_EXPIRED, BACKEND_UNREACHABLE … */
    int (*submit)(void *context, const EonaySubmission *submission, EonayReceipt *ret);
    /* Optional: what became of a transaction. */
    int (*status)(void *context, const char *transaction, EonayTransactionState *ret_state, EonayReceipt *ret);
    /* Optional: is an approval on record for this T.C. identity number? */
    int (*approval)(void *context, const char *subject, EonayApproval *ret);
    /* Optional: the citizen gave up; the transaction is dead. */
    int (*cancel)(void *context, const char *transaction);
} EonayCaOps;

/* ------------------------------------------------------------------------------------------------- fetching -- */

typedef struct EonayFetchRequest {
    uint32_t struct_size;
    const char *url;          /* http or https; it may come from a certificate that nobody vouches for yet */
    const char *content_type; /* of the body; NULL: GET without one */
    const uint8_t *body;
    size_t body_size;
    uint32_t size_max;      /* an answer larger than this is none */
    uint32_t timeout_ms;    /* for the whole of it */
    const char *identity;   /* the credential for a Kamu SM time-stamp account; NULL: none */
    const uint8_t *imprint; /* what is stamped, for that scheme */
    size_t imprint_size;
    bool internal_allowed; /* the address was configured: it may lead into the own network */
} EonayFetchRequest;

typedef struct EonayFetched {
    uint32_t struct_size;
    uint32_t status; /* of HTTP */
    uint8_t *body;
    size_t size;
} EonayFetched;

typedef struct EonayFetchOps {
    uint32_t struct_size;

    int (*open)(const EonayHost *host, void **ret_context);
    void (*close)(void *context);
    /* Errors: BACKEND_UNREACHABLE, BACKEND_UNTRUSTED, BACKEND_PROTOCOL (too large, not HTTP), FILE_INVALID. */
    int (*fetch)(void *context, const EonayFetchRequest *request, EonayFetched *ret);
} EonayFetchOps;

/* ------------------------------------------------------------------------------------------- the one symbol -- */

typedef struct EonayPlugin {
    uint16_t abi_major; /* EONAY_PLUGIN_ABI_MAJOR; another one is refused */
    uint16_t abi_minor; /* EONAY_PLUGIN_ABI_MINOR at build time */
    uint32_t struct_size;
    EonayPluginKind kind;
    uint32_t flags;
    const char *name;           /* as in the manifest */
    const char *version;        /* the plugin's own */
    const EonayTokenOps *token; /* for EONAY_PLUGIN_TOKEN, else NULL */
    const EonayCaOps *ca;       /* for EONAY_PLUGIN_CA, else NULL */
    const EonayFetchOps *fetch; /* for EONAY_PLUGIN_FETCH, else NULL */
} EonayPlugin;

#define EONAY_PLUGIN_EXPORT __attribute__((visibility("default")))
extern EONAY_PLUGIN_EXPORT const EonayPlugin eonay_plugin;

#endif
