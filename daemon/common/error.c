/* SPDX-License-Identifier: Apache-2.0 */
/* One row a condition, expanded from the table that the plugin interface shares. */
#include "error.h"

#include <libintl.h>
#include <string.h>

#include "names.h"

#define CKR_END UINT64_MAX

typedef struct ErrorRow {
    int code;
    const char *name; /* full */
    const char *text;
    const char *hint;
    const uint64_t *ckr; /* ends with CKR_END */
} ErrorRow;

static const ErrorRow error_rows[] = {
#define ROW(number, id, short_name, text_, hint_, ...)                                                                 \
    {.code = (number),                                                                                                 \
     .name = EONAY_ERROR_PREFIX short_name,                                                                            \
     .text = (text_),                                                                                                  \
     .hint = (hint_),                                                                                                  \
     .ckr = (const uint64_t[]){__VA_ARGS__ __VA_OPT__(, ) CKR_END}},
    EONAY_ERROR_TABLE(ROW)
#undef ROW
};

#define N_ROWS (sizeof(error_rows) / sizeof(error_rows[0]))

static const ErrorRow *error_row(int code) {
    for (size_t i = 0; i < N_ROWS; i++)
        if (error_rows[i].code == code)
            return &error_rows[i];
    return NULL;
}

const char *eonay_error_name(int code) {
    const ErrorRow *row = error_row(code);
    return row ? row->name : NULL;
}

const char *eonay_error_short_name(int code) {
    const ErrorRow *row = error_row(code);
    return row ? row->name + strlen(EONAY_ERROR_PREFIX) : NULL;
}

const char *eonay_error_text(int code) {
    const ErrorRow *row = error_row(code);
    return row ? dgettext(EONAY_GETTEXT_DOMAIN, row->text) : NULL;
}

const char *eonay_error_hint(int code) {
    const ErrorRow *row = error_row(code);
    return row ? dgettext(EONAY_GETTEXT_DOMAIN, row->hint) : NULL;
}

int eonay_error_from_name(const char *name) {
    if (!name)
        return 0;
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(error_rows[i].name, name) == 0 || strcmp(error_rows[i].name + strlen(EONAY_ERROR_PREFIX), name) == 0)
            return error_rows[i].code;
    return 0;
}

int eonay_error_from_ckr(uint64_t ckr) {
    for (size_t i = 0; i < N_ROWS; i++)
        for (const uint64_t *c = error_rows[i].ckr; *c != CKR_END; c++)
            if (*c == ckr)
                return error_rows[i].code;
    return EONAY_ERROR_PLUGIN_FAILED;
}
