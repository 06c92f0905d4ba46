// SPDX-License-Identifier: Apache-2.0
/*
 * The floor of what a signature costs: C_Login, C_SignInit, C_Sign, C_Logout on a module, nothing else. After a logout
 * the handles of private objects are void (PKCS#11 v2.40 section 5.6, C_Logout), so the key is looked up again after
 * each login, as every program must. What is signed is a DigestInfo with SHA-256.
 *
 * Usage: pkcs11-loop MODULE TOKEN-LABEL; first line of standard input: the PIN. Verb: sign.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include "bench.h"

static CK_FUNCTION_LIST *functions;

static void must(CK_RV rv, const char *what) {
    if (rv != CKR_OK)
        bench_fail("%s: 0x%lx", what, rv);
}

static void module_load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get_function_list;

    if (!library)
        bench_fail("%s", dlerror());
    *(void **)&get_function_list = dlsym(library, "C_GetFunctionList");
    if (!get_function_list)
        bench_fail("%s is no PKCS#11 module", path);
    must(get_function_list(&functions), "C_GetFunctionList");
    must(functions->C_Initialize(NULL), "C_Initialize");
}

static CK_SLOT_ID slot_of(const char *label) {
    CK_SLOT_ID slots[64];
    CK_ULONG n = 64;

    must(functions->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO info;

        must(functions->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
        if (memcmp(info.label, label, strlen(label)) == 0)
            return slots[i];
    }
    bench_fail("no token '%s'", label);
}

static CK_OBJECT_HANDLE private_key(CK_SESSION_HANDLE session) {
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG n = 0;

    must(functions->C_FindObjectsInit(session, template, 1), "C_FindObjectsInit");
    must(functions->C_FindObjects(session, &key, 1, &n), "C_FindObjects");
    must(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    if (n != 1)
        bench_fail("the token has no private key");
    return key;
}

static void sign_once(CK_SESSION_HANDLE session, char *pin) {
    static CK_BYTE digest_info[51] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE signature[1024];
    CK_ULONG size = sizeof signature;

    digest_info[50]++; /* never the same twice */
    must(functions->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)), "C_Login");
    must(functions->C_SignInit(session, &mechanism, private_key(session)), "C_SignInit");
    must(functions->C_Sign(session, digest_info, sizeof digest_info, signature, &size), "C_Sign");
    must(functions->C_Logout(session), "C_Logout");
}

int main(int argc, char **argv) {
    CK_SESSION_HANDLE session;
    const char *verb;
    char pin[64];

    if (argc != 3)
        bench_fail("usage: pkcs11-loop MODULE TOKEN-LABEL");
    bench_read_line(pin, sizeof pin);
    module_load(argv[1]);
    must(functions->C_OpenSession(slot_of(argv[2]), CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
    for (;;) {
        unsigned count = bench_next(&verb);

        for (unsigned i = 0; i < count; i++) {
            uint64_t start = bench_now();

            sign_once(session, pin);
            printf("%llu\n", (unsigned long long)(bench_now() - start));
        }
        bench_done();
    }
}
