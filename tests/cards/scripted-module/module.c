/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the module: constructor, initialisation, one gate that every function passes, and the re-reading of the
 * script. Faults run before the lock is taken, so that calls of a module without lock wait side by side; with the
 * shared lock they run under it, and one slow token holds up all others. */
#include "fault.h"
#include "token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Module module;
static pthread_mutex_t module_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int calls_inside;

__attribute__((constructor)) static void module_construct(void) {
    module.path = script_path();
    module.script = module.path ? script_load(module.path) : NULL;
    if (module.script && *module.script->constructor.action)
        (void)fault_perform(&module.script->constructor);
}

static void code_carry(Code *new, const Code *old) {
    if (new->tries_scripted == old->tries_scripted && strcmp(new->value_scripted, old->value_scripted) == 0)
        *new = *old;
}

/* Sessions hold pointers into the old script: an operation in progress is lost, sessions of a token that stays are not.
 */
static void script_replace(Script *script) {
    Script *old = module.script;
    for (size_t i = 0; i < SLOTS_MAXIMUM; i++) {
        code_carry(&script->slots[i].pin, &old->slots[i].pin);
        code_carry(&script->slots[i].puk, &old->slots[i].puk);
        if (!script->slots[i].present)
            slot_close(i);
    }
    for (size_t i = 0; i < SESSIONS_MAXIMUM; i++)
        module.sessions[i].signing = NULL;
    module.script = script;
    if (atomic_load(&calls_inside) == 1)
        script_free(old); /* otherwise a call still waits in a fault of it: it is left to the end of the process */
}

static void script_refresh(void) {
    if (!script_changed(module.script, module.path))
        return;
    Script *script = script_load(module.path);
    if (script)
        script_replace(script);
}

static void call_trace(const char *function, long slot) {
    char line[96];
    int size = slot >= 0 ? snprintf(line, sizeof(line), "scripted-module[%d]: %s %ld\n", (int)getpid(), function, slot)
                         : snprintf(line, sizeof(line), "scripted-module[%d]: %s\n", (int)getpid(), function);
    (void)!write(STDERR_FILENO, line, (size_t)size);
}

static void call_lock(Call *call) {
    pthread_mutex_lock(&module_lock);
    call->locked = true;
}

void call_end(Call *call) {
    if (call->locked)
        pthread_mutex_unlock(&module_lock);
    if (call->counted)
        atomic_fetch_sub(&calls_inside, 1);
}

CK_RV call_begin(Call *call, const char *function, long slot) {
    if (!module.script)
        return CKR_GENERAL_ERROR;
    call->counted = true;
    if (atomic_fetch_add(&calls_inside, 1) > 0 && module.script->lock == LOCK_FATAL)
        abort();
    call_lock(call);
    script_refresh();
    if (module.script->trace)
        call_trace(function, slot);
    if (module.script->lock != LOCK_NONE)
        return faults_run(module.script, function, slot);
    Script *script = module.script;
    pthread_mutex_unlock(&module_lock);
    call->locked = false;
    CK_RV rv = faults_run(script, function, slot);
    call_lock(call);
    return rv;
}

static Session *session_find(CK_SESSION_HANDLE handle) {
    if (handle == 0 || handle > SESSIONS_MAXIMUM || !module.sessions[handle - 1].open)
        return NULL;
    return &module.sessions[handle - 1];
}

CK_RV call_session(Call *call, const char *function, CK_SESSION_HANDLE handle, Session **ret) {
    Session *session = session_find(handle);
    CK_RV rv = call_begin(call, function, session ? (long)session->slot : NO_SLOT);
    /* A signature that fails is over (PKCS#11 v2.40, 5.2), by whatever hand. */
    if (rv != CKR_OK && session && strncmp(function, "C_Sign", 6) == 0)
        session->signing = NULL;
    if (rv != CKR_OK)
        return rv;
    if (!module.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!(*ret = session_find(handle)))
        return CKR_SESSION_HANDLE_INVALID;
    return CKR_OK;
}

CK_RV C_Initialize(void *arguments) {
    ENTER(NO_SLOT);
    if (module.initialized)
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (arguments && module.script->null_arguments)
        return CKR_ARGUMENTS_BAD;
    if (arguments && ((struct _CK_C_INITIALIZE_ARGS *)arguments)->pReserved)
        return CKR_ARGUMENTS_BAD;
    state_load(module.script);
    module.initialized = true;
    return CKR_OK;
}

CK_RV C_Finalize(void *reserved) {
    ENTER(NO_SLOT);
    if (reserved)
        return CKR_ARGUMENTS_BAD;
    if (!module.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    for (size_t i = 0; i < SLOTS_MAXIMUM; i++)
        slot_close(i);
    module.initialized = false;
    return CKR_OK;
}

void field_set(unsigned char *field, size_t size, const Text *text) {
    memset(field, ' ', size);
    memcpy(field, text->data, text->size < size ? text->size : size);
}

void field_spoil(unsigned char *field, size_t size, InfoStyle style) {
    for (size_t i = 0; i < size; i++) {
        if (style == INFO_GARBAGE)
            field[i] = (unsigned char)(0x80 + 37 * i);
        else if (style == INFO_UNTERMINATED)
            field[i] = (unsigned char)('A' + i % 26);
        else if (style == INFO_ZERO)
            field[i] = 0;
    }
    if (style == INFO_GARBAGE && size > 8)
        memcpy(field, "\x1b[2J\xc3\x28\xe2\x80", 8); /* a terminal's escape, broken UTF-8 */
}

CK_RV C_GetInfo(struct _CK_INFO *info) {
    static const Text maker = {.data = "Eonay tests", .size = 11}, name = {.data = "Scripted module", .size = 15};
    ENTER(NO_SLOT);
    if (!module.initialized)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    *info = (struct _CK_INFO){.cryptokiVersion = {2, 40}, .libraryVersion = {1, 0}};
    field_set(info->manufacturerID, sizeof(info->manufacturerID), &maker);
    field_set(info->libraryDescription, sizeof(info->libraryDescription), &name);
    field_spoil(info->manufacturerID, sizeof(info->manufacturerID), module.script->info);
    field_spoil(info->libraryDescription, sizeof(info->libraryDescription), module.script->info);
    if (module.script->info == INFO_HUGE || module.script->info == INFO_GARBAGE) {
        info->libraryVersion = info->cryptokiVersion = (struct _CK_VERSION){255, 255};
        info->flags = ~0UL;
    }
    return CKR_OK;
}
