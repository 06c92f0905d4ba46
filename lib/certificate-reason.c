/* SPDX-License-Identifier: Apache-2.0 */
/* The reasons' names, texts and errors, expanded from the table in certificate-profile.h, most important first. */
#include "certificate-profile.h"

static const struct {
    uint32_t bit;
    const char *name;
    const char *text;
    int error;
} rows[] = {
#define ROW(bit_, id, name_, error_, text_) {1u << (bit_), (name_), (text_), EONAY_ERROR_##error_},
    CERTIFICATE_REASON_TABLE(ROW)
#undef ROW
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const char *certificate_reason_name(uint32_t bit) {
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].bit == bit)
            return rows[i].name;
    return "";
}

const char *certificate_reason_text(uint32_t bit) {
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].bit == bit)
            return rows[i].text;
    return "";
}

int certificate_reasons_error(uint32_t reasons) {
    for (size_t i = 0; i < N_ROWS; i++)
        if (reasons & rows[i].bit)
            return rows[i].error;
    return EONAY_OK;
}
