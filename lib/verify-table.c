/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts, expanded from the tables in verify.h. */
#include "verify-internal.h"

static const struct {
    const char *name;
    VerifyIndication indication;
    const char *text;
} subs[VERIFY_N_SUBS] = {[VERIFY_SUB_NONE] = {"", VERIFY_TOTAL_PASSED, ""},
#define ROW(id, indication_, text_) [VERIFY_##id] = {#id, VERIFY_##indication_, (text_)},
                         VERIFY_SUB_TABLE(ROW)
#undef ROW
};

static const struct {
    const char *name;
    const char *text;
} checks[VERIFY_N_CHECKS] = {
#define ROW(id, name_, text_) [VERIFY_CHECK_##id] = {(name_), (text_)},
    VERIFY_CHECK_TABLE(ROW)
#undef ROW
};

const char *verify_indication_name(VerifyIndication indication) {
    static const char *const names[] = {"TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED"};
    return (unsigned)indication < sizeof(names) / sizeof(names[0]) ? names[indication] : "";
}

const char *verify_sub_name(VerifySub sub) {
    return (unsigned)sub < VERIFY_N_SUBS ? subs[sub].name : "";
}

const char *verify_sub_text(VerifySub sub) {
    return (unsigned)sub < VERIFY_N_SUBS ? subs[sub].text : "";
}

VerifyIndication verify_sub_indication(VerifySub sub) {
    return (unsigned)sub < VERIFY_N_SUBS ? subs[sub].indication : VERIFY_INDETERMINATE;
}

const char *verify_check_name(VerifyCheck check) {
    if ((unsigned)check < CADES_N_CHECKS)
        return cades_check_name((CadesCheck)check);
    return (unsigned)check < VERIFY_N_CHECKS ? checks[check].name : "";
}

const char *verify_check_text(VerifyCheck check) {
    if ((unsigned)check < CADES_N_CHECKS)
        return cades_check_text((CadesCheck)check);
    return (unsigned)check < VERIFY_N_CHECKS ? checks[check].text : "";
}

const char *verify_outcome_name(VerifyOutcome outcome) {
    static const char *const names[] = {"passed", "failed", "unknown"};
    return (unsigned)outcome < sizeof(names) / sizeof(names[0]) ? names[outcome] : "";
}
