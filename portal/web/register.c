/* SPDX-License-Identifier: Apache-2.0 */
#include "register.h"

#include <glib.h>
#include <openssl/pem.h>
#include <string.h>

#include "certificate-profile.h"
#include "eonay/plugin.h"

RegisterList *register_list_free(RegisterList *list) {
    for (size_t i = 0; list && i < list->n; i++)
        g_free(list->at[i].der);
    g_free(list);
    return NULL;
}

void register_list_freep(RegisterList **list) {
    *list = register_list_free(*list);
}

static void clear(RegisterList *list) {
    for (size_t i = 0; i < list->n; i++)
        g_free(list->at[i].der);
    list->n = 0;
}

typedef struct ListWork {
    const char *account;
    RegisterList *list;
} ListWork;

static void take_row(StoreRows *rows, RegisterEntry *entry) {
    size_t size = 0;
    const void *fingerprint = store_rows_bytes(rows, 0, &size);

    *entry = (RegisterEntry){.not_before = store_rows_int(rows, 2),
                             .not_after = store_rows_int(rows, 3),
                             .state = (RegisterState)store_rows_int(rows, 4),
                             .changed_at = store_rows_int(rows, 5)};
    if (size == sizeof entry->fingerprint)
        memcpy(entry->fingerprint, fingerprint, size);
    g_strlcpy(entry->serial, store_rows_text(rows, 1), sizeof entry->serial);
    const void *der = store_rows_bytes(rows, 6, &entry->der_size);
    entry->der = g_memdup2(der, entry->der_size);
}

static int list_work(Store *store, void *data) {
    ListWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_CERTIFICATE_LIST, &rows, "t", w->account);

    clear(w->list);
    while (r == 0 && w->list->n < REGISTER_LIST_MAX && (more = store_rows_next(rows)) == 1)
        take_row(rows, &w->list->at[w->list->n++]);
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : r;
}

int register_list(Store *store, const char *account, RegisterList **ret) {
    ListWork work = {.account = account, .list = g_new0(RegisterList, 1)};
    int r = store_read(store, list_work, &work);

    if (r != 0)
        return register_list_free(work.list), r;
    *ret = work.list;
    return 0;
}

typedef struct MoveWork {
    const char *account;
    const uint8_t *fingerprint;
    RegisterState from;
    RegisterState to;
    int64_t now;
} MoveWork;

static int move_work(Store *store, void *data) {
    const MoveWork *w = data;
    _rows_ StoreRows *row = NULL;
    int64_t changes = 0;
    int r = store_row(store, STATEMENT_CERTIFICATE_OWNED, &row, "bt", w->fingerprint, (size_t)REGISTER_FINGERPRINT_SIZE,
                      w->account);

    if (r == 0 && !row)
        return EONAY_ERROR_NOT_FOUND;
    store_rows_endp(&row);
    row = NULL;
    if (r == 0)
        r = store_change(store, STATEMENT_CERTIFICATE_SET_STATE, &changes, "biii", w->fingerprint,
                         (size_t)REGISTER_FINGERPRINT_SIZE, (int64_t)w->to, w->now, (int64_t)w->from);
    return r == 0 && changes == 0 ? EONAY_ERROR_NOT_FOUND : r;
}

int register_move(Store *store, const char *account, const uint8_t *fingerprint, RegisterState from, RegisterState to,
                  int64_t now) {
    MoveWork work = {.account = account, .fingerprint = fingerprint, .from = from, .to = to, .now = now};

    return store_write(store, move_work, &work);
}

typedef struct ImportWork {
    const CertificateProfile *profile;
    uint8_t fingerprint[REGISTER_FINGERPRINT_SIZE];
    int64_t now;
    bool is_new;
} ImportWork;

static int import_work(Store *store, void *data) {
    ImportWork *w = data;
    const CertificateProfile *p = w->profile;
    int64_t changes = 0;
    int r = store_change(store, STATEMENT_CERTIFICATE_ADD, &changes, "bttiiib", w->fingerprint, sizeof w->fingerprint,
                         p->national_id, p->serial_number, p->not_before, p->not_after, w->now, p->der, p->der_size);

    w->is_new = changes == 1;
    return r;
}

/* PEM becomes DER; what is no PEM is taken as it is. */
static uint8_t *to_der(const uint8_t *bytes, size_t size, size_t *ret_size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    uint8_t *der = NULL;
    int n = x ? i2d_X509(x, NULL) : 0;

    if (n > 0) {
        uint8_t *end = der = g_malloc((size_t)n);
        *ret_size = (size_t)i2d_X509(x, &end);
    } else {
        der = g_memdup2(bytes, size);
        *ret_size = size;
    }
    X509_free(x);
    BIO_free(bio);
    return der;
}

int register_import(Store *store, const uint8_t *bytes, size_t size, int64_t now, bool *ret_new) {
    size_t der_size = 0;
    g_autofree uint8_t *der = to_der(bytes, size, &der_size);
    CertificateProfile *profile = NULL;
    ImportWork work = {.now = now};
    int r = 0;

    if (certificate_profile_new(der, der_size, &profile) != 0 || (profile->reasons & CERTIFICATE_REASON_MALFORMED))
        r = EONAY_ERROR_FILE_INVALID;
    else if (!profile->national_id)
        r = EONAY_ERROR_SUBJECT_INVALID;
    for (size_t i = 0; r == 0 && i < sizeof work.fingerprint; i++)
        work.fingerprint[i] = (uint8_t)(g_ascii_xdigit_value(profile->fingerprint[2 * i]) << 4 |
                                        g_ascii_xdigit_value(profile->fingerprint[2 * i + 1]));
    work.profile = profile;
    if (r == 0)
        r = store_write(store, import_work, &work);
    certificate_profile_free(profile);
    *ret_new = work.is_new;
    return r;
}
