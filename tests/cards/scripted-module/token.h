/* SPDX-License-Identifier: Apache-2.0 */
/* What the module remembers: the script in force, sessions, logins. One lock guards it all; see call_begin(). */
#ifndef SCRIPTED_TOKEN_H
#define SCRIPTED_TOKEN_H

#include "script.h"

enum { SESSIONS_MAXIMUM = 256, PARTS_MAXIMUM = 8192, NO_SLOT = -1 };

typedef enum ObjectKind { OBJECT_CERTIFICATE, OBJECT_PUBLIC, OBJECT_PRIVATE, OBJECT_KINDS } ObjectKind;

typedef struct Session {
    bool open;
    unsigned long slot;
    bool writable;
    bool finding;
    CK_OBJECT_HANDLE found[KEYS_MAXIMUM * OBJECT_KINDS];
    size_t found_count, found_at;
    KeyScript *signing; /* NULL: no operation */
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    unsigned char parts[PARTS_MAXIMUM]; /* what C_SignUpdate brought */
    size_t parts_size;
    bool confirmed; /* the context-specific login of this operation is done */
} Session;

typedef enum Login { LOGIN_NONE, LOGIN_USER, LOGIN_OFFICER } Login;

typedef struct Module {
    const char *path;
    Script *script;
    bool initialized;
    Login logins[SLOTS_MAXIMUM];
    Session sessions[SESSIONS_MAXIMUM]; /* the handle is the index plus one */
} Module;

extern Module module;

/* One call of the application: holds the lock until it goes out of scope. */
typedef struct Call {
    bool counted;
    bool locked;
} Call;

void call_end(Call *call);
/* Reads the script anew when it changed, runs the faults for this function and slot, and takes the lock. */
CK_RV call_begin(Call *call, const char *function, long slot);
/* The same for a session's slot, with the session. */
CK_RV call_session(Call *call, const char *function, CK_SESSION_HANDLE handle, Session **ret);

#define ENTER(slot)                                                                                                    \
    __attribute__((cleanup(call_end))) Call call = {0};                                                                \
    CK_RV entered = call_begin(&call, __func__, slot);                                                                 \
    if (entered != CKR_OK)                                                                                             \
    return entered

#define ENTER_SESSION(handle)                                                                                          \
    Session *session;                                                                                                  \
    __attribute__((cleanup(call_end))) Call call = {0};                                                                \
    CK_RV entered = call_session(&call, __func__, handle, &session);                                                   \
    if (entered != CKR_OK)                                                                                             \
    return entered

/* The slot if it exists; with a token in it for the second. */
CK_RV slot_get(CK_SLOT_ID id, SlotScript **ret);
CK_RV token_get(CK_SLOT_ID id, SlotScript **ret);
CK_FLAGS token_flags_now(const SlotScript *slot);
void slot_close(CK_SLOT_ID id);

/* login.c: counters that outlive the process when the script names a state file and it may be written. */
void state_load(Script *script);
void state_save(const Script *script);

/* object.c */
KeyScript *object_key(const Session *session, CK_OBJECT_HANDLE handle, ObjectKind *ret_kind);

/* A blank-padded field as PKCS#11 has them; too long a text is cut. */
void field_set(unsigned char *field, size_t size, const Text *text);
void field_spoil(unsigned char *field, size_t size, InfoStyle style);

#endif
