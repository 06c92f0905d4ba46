/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a module's return value to a documented condition. The rows are those of the error table that the plugin
 * interface shares, so that a value means the same here and in the daemon.
 */
#include <stdio.h>

#include "pkcs11.h"

#define CKR_END UINT64_MAX

static const struct {
    EonayError code;
    const uint64_t *ckr; /* ends with CKR_END */
} fault_rows[] = {
#define ROW(number, id, name, text, hint, ...)                                                                         \
    {.code = EONAY_ERROR_##id, .ckr = (const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) CKR_END}},
    EONAY_ERROR_TABLE(ROW)
#undef ROW
};

static EonayError error_from_ckr(CK_RV rv) {
    for (size_t i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]); i++)
        for (const uint64_t *ckr = fault_rows[i].ckr; *ckr != CKR_END; ckr++)
            if (*ckr == rv)
                return fault_rows[i].code;
    return EONAY_ERROR_PLUGIN_FAILED;
}

int fault_ckr(const Pkcs11 *c, const char *what, CK_RV rv, int tries_left) {
    char text[96];
    snprintf(text, sizeof(text), "%s answered 0x%08lx", what, (unsigned long)rv);
    EonayError code = error_from_ckr(rv);
    c->host->fault(c->host, code, tries_left, rv, text);
    return code;
}

int fault_text(const Pkcs11 *c, EonayError code, const char *text) {
    c->host->fault(c->host, code, -1, 0, text);
    return code;
}
