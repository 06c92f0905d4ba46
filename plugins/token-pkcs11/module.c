/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module is a shared object with one well-known symbol, C_GetFunctionList. The plugin loads it itself, and
 * C_Initialize is called here and nowhere else: the national card's module accepts no arguments but NULL, which
 * promises that only one thread calls it. The host keeps that promise.
 */
#include "module.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

static bool functions_complete(const CK_FUNCTION_LIST *f) {
    return f && f->C_Initialize && f->C_Finalize && f->C_GetInfo && f->C_GetSlotList && f->C_GetSlotInfo &&
           f->C_GetTokenInfo && f->C_GetMechanismList && f->C_GetMechanismInfo && f->C_OpenSession &&
           f->C_CloseSession && f->C_GetSessionInfo && f->C_Login && f->C_Logout && f->C_GetAttributeValue &&
           f->C_FindObjectsInit && f->C_FindObjects && f->C_FindObjectsFinal && f->C_SignInit && f->C_Sign &&
           f->C_SetPIN && f->C_InitPIN;
}

/* What the module needs itself may be missing too; the loader tells in words only, and not in the user's language. */
static int module_load_fault(const Pkcs11 *c) {
    const char *text = dlerror();
    bool missing = text && strstr(text, "cannot open shared object file: No such file");
    return fault_text(c, missing ? EONAY_ERROR_MODULE_MISSING : EONAY_ERROR_MODULE_INVALID, text);
}

static int module_load(Pkcs11 *c, const char *path) {
    CK_FUNCTION_LIST *functions = NULL;

    if (path[0] != '/')
        return fault_text(c, EONAY_ERROR_MODULE_INVALID, "the path of the module is not absolute");
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return fault_text(c, EONAY_ERROR_MODULE_MISSING, "the file of the module does not exist");

    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return module_load_fault(c);
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(object, "C_GetFunctionList");
    if (!get)
        return fault_text(c, EONAY_ERROR_MODULE_INVALID, "the file has no C_GetFunctionList");
    CK_RV rv = get(&functions);
    if (rv != CKR_OK)
        return c->host->fault(c->host, EONAY_ERROR_MODULE_INVALID, -1, rv, "C_GetFunctionList failed");
    if (!functions_complete(functions))
        return fault_text(c, EONAY_ERROR_MODULE_INVALID, "the module's function list has gaps");
    c->f = functions;
    return 0;
}

static int module_initialize(Pkcs11 *c) {
    const char *form = c->host->config(c->host, "InitArgs");
    CK_C_INITIALIZE_ARGS os_locking = {.flags = CKF_OS_LOCKING_OK};
    void *arguments = NULL;

    if (form && strcmp(form, "os-locking") == 0)
        arguments = &os_locking;
    else if (form && strcmp(form, "null") != 0)
        c->host->log(c->host, EONAY_LOG_WARNING, "InitArgs= is neither null nor os-locking; taken as null");

    CK_RV rv = c->f->C_Initialize(arguments);
    c->initialized = rv == CKR_OK;
    if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return 0;
    return fault_ckr(c, "C_Initialize", rv, -1);
}

int module_open(Pkcs11 *c) {
    const char *path = c->host->config(c->host, "Module");
    _cleanup_free_ char *registered = NULL;
    int r;

    if (!path || path[0] == '\0') {
        r = module_registered(c, c->host->config(c->host, "P11Kit"), &registered);
        if (r != 0)
            return r;
        path = registered;
    }
    r = module_load(c, path);
    if (r != 0)
        return r;
    r = module_initialize(c);
    if (r != 0)
        c->f = NULL;
    return r;
}

void module_close(Pkcs11 *c) {
    if (c->f && c->initialized)
        c->f->C_Finalize(NULL);
    c->f = NULL;
}
