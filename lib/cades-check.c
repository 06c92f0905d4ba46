/* SPDX-License-Identifier: Apache-2.0 */
/* The checks' names and texts, expanded from the table in cades.h. */
#include "cades.h"

static const struct {
    const char *name;
    const char *text;
} rows[CADES_N_CHECKS] = {
#define ROW(id, name_, text_) [CADES_CHECK_##id] = {(name_), (text_)},
    CADES_CHECK_TABLE(ROW)
#undef ROW
};

const char *cades_check_name(CadesCheck check) {
    return (unsigned)check < CADES_N_CHECKS ? rows[check].name : "";
}

const char *cades_check_text(CadesCheck check) {
    return (unsigned)check < CADES_N_CHECKS ? rows[check].text : "";
}
