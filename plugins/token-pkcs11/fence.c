/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libp11 is good at walking over slots and certificates, but it takes a module over as a whole: it calls C_Initialize
 * with arguments that some modules refuse, finalises the module when it goes, closes all sessions of a slot when it
 * forgets the slot, gives up the whole listing when one slot or one certificate fails, and waits for ever when a
 * session cannot be opened. So it does not get the module. It gets this plugin, which is a PKCS#11 module of its own:
 * calls that read are passed on to the real module, the rest is answered here. Logging in is not possible through the
 * fence, hence libp11 never sees a PIN that it could copy.
 */
#include "fence.h"

#include <dlfcn.h>
#include <string.h>

#define FENCE_SESSIONS_MAX 128u
#define OBJECTS_MAX        1024u

/* Stands for a session that the module refused to open: libp11 fails at its first use instead of waiting for it. */
#define DEAD_SESSION (~0UL - 1)

static CK_FUNCTION_LIST *module; /* the real one; NULL while there is no fence */
static struct {
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
} sessions[FENCE_SESSIONS_MAX];
static size_t n_sessions;
static CK_RV dead_reason;
static size_t objects_seen; /* by the search under way: it ends, whatever the module says */

static CK_RV fence_ok(void *unused) {
    (void)unused;
    return CKR_OK;
}

static CK_RV fence_get_info(CK_INFO *info) {
    return module->C_GetInfo(info);
}

static CK_RV fence_get_slot_list(unsigned char present, CK_SLOT_ID *slots, CK_ULONG *count) {
    return module->C_GetSlotList(present, slots, count);
}

/* A slot that cannot be asked is an empty one: the others are still listed. */
static CK_RV fence_get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info) {
    memset(info, 0, sizeof(*info));
    if (module->C_GetSlotInfo(slot, info) != CKR_OK)
        memset(info, 0, sizeof(*info));
    return CKR_OK;
}

static CK_RV fence_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    return module->C_GetTokenInfo(slot, info) == CKR_OK ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
}

static CK_RV fence_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                                CK_SESSION_HANDLE *session) {
    CK_RV rv = CKR_SESSION_COUNT;

    (void)application;
    (void)notify;
    if (n_sessions < FENCE_SESSIONS_MAX)
        rv = module->C_OpenSession(slot, flags & ~CKF_RW_SESSION, NULL, NULL, session);
    if (rv != CKR_OK) {
        dead_reason = rv;
        *session = DEAD_SESSION;
        return CKR_OK;
    }
    sessions[n_sessions].slot = slot;
    sessions[n_sessions++].session = *session;
    return CKR_OK;
}

static CK_RV fence_close_session(CK_SESSION_HANDLE session) {
    for (size_t i = 0; i < n_sessions; i++)
        if (sessions[i].session == session) {
            sessions[i] = sessions[--n_sessions];
            return module->C_CloseSession(session);
        }
    return CKR_OK;
}

/* All that libp11 opened: a session of ours on the same slot has to live on. */
static CK_RV fence_close_all_sessions(CK_SLOT_ID slot) {
    for (size_t i = n_sessions; i > 0; i--)
        if (sessions[i - 1].slot == slot)
            fence_close_session(sessions[i - 1].session);
    return CKR_OK;
}

static CK_RV fence_get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info) {
    return session == DEAD_SESSION ? dead_reason : module->C_GetSessionInfo(session, info);
}

static CK_RV fence_find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG count) {
    objects_seen = 0;
    return session == DEAD_SESSION ? dead_reason : module->C_FindObjectsInit(session, attributes, count);
}

static bool object_readable(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
    static const CK_ATTRIBUTE_TYPE needed[] = {CKA_CLASS, CKA_CERTIFICATE_TYPE, CKA_VALUE};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        CK_ATTRIBUTE attribute = {needed[i], NULL, 0};
        if (module->C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK || attribute.ulValueLen == 0 ||
            attribute.ulValueLen > ATTRIBUTE_MAX)
            return false;
    }
    return true;
}

/* One object a call, and none that cannot be read: libp11 would give up all the others because of it. */
static CK_RV fence_find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG max, CK_ULONG *count) {
    *count = 0;
    if (session == DEAD_SESSION)
        return dead_reason;
    while (max > 0 && objects_seen++ < OBJECTS_MAX) {
        CK_RV rv = module->C_FindObjects(session, objects, 1, count);
        if (rv != CKR_OK || *count == 0 || object_readable(session, objects[0]))
            return rv;
    }
    *count = 0;
    return CKR_OK;
}

static CK_RV fence_find_objects_final(CK_SESSION_HANDLE session) {
    return session == DEAD_SESSION ? dead_reason : module->C_FindObjectsFinal(session);
}

static CK_RV fence_get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
                                       CK_ULONG count) {
    return session == DEAD_SESSION ? dead_reason : module->C_GetAttributeValue(session, object, attributes, count);
}

static CK_RV fence_no_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG size) {
    (void)session;
    (void)user;
    (void)pin;
    (void)size;
    return CKR_FUNCTION_NOT_SUPPORTED;
}

static CK_RV fence_no_logout(CK_SESSION_HANDLE session) {
    (void)session;
    return CKR_FUNCTION_NOT_SUPPORTED;
}

static CK_FUNCTION_LIST fence_functions = {
    .version = {2, 40},
    .C_Initialize = fence_ok,
    .C_Finalize = fence_ok,
    .C_GetInfo = fence_get_info,
    .C_GetFunctionList = C_GetFunctionList,
    .C_GetSlotList = fence_get_slot_list,
    .C_GetSlotInfo = fence_get_slot_info,
    .C_GetTokenInfo = fence_get_token_info,
    .C_OpenSession = fence_open_session,
    .C_CloseSession = fence_close_session,
    .C_CloseAllSessions = fence_close_all_sessions,
    .C_GetSessionInfo = fence_get_session_info,
    .C_FindObjectsInit = fence_find_objects_init,
    .C_FindObjects = fence_find_objects,
    .C_FindObjectsFinal = fence_find_objects_final,
    .C_GetAttributeValue = fence_get_attribute_value,
    .C_Login = fence_no_login,
    .C_Logout = fence_no_logout,
};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    if (!module)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    *list = &fence_functions;
    return CKR_OK;
}

/* Under this very name the plugin is loaded already, so that no file is opened for it again. */
static const char *own_name(void) {
    Dl_info info;
    return dladdr(&fence_functions, &info) != 0 ? info.dli_fname : NULL;
}

int fence_open(Pkcs11 *c) {
    const char *name = own_name();

    if (module)
        return -EBUSY;
    if (!name)
        return -ENOSYS;
    module = c->f;
    n_sessions = 0;
    c->libp11 = PKCS11_CTX_new();
    if (!c->libp11) {
        module = NULL;
        return -ENOMEM;
    }
    if (PKCS11_CTX_load(c->libp11, name) == 0)
        return 0;
    ERR_clear_error();
    fence_close(c);
    return fault_text(c, EONAY_ERROR_PLUGIN_FAILED, "libp11 cannot be set up");
}

void fence_close(Pkcs11 *c) {
    if (!c->libp11)
        return;
    PKCS11_CTX_unload(c->libp11);
    PKCS11_CTX_free(c->libp11);
    c->libp11 = NULL;
    module = NULL;
}
