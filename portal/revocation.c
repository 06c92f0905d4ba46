/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation.h"

#include <errno.h>
#include <glib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/stat.h>

#include "log.h"

#define LISTS_MAX 16u

typedef struct List {
    char *path;
    struct timespec changed;
    X509_CRL *crl;
} List;

struct Revocation {
    const Trust *trust;
    pthread_rwlock_t lock;
    List lists[LISTS_MAX];
    size_t n;
};

static bool signed_by(X509_CRL *crl, const TrustList *list) {
    bool found = false;

    for (size_t i = 0; i < list->n && !found; i++) {
        const uint8_t *p = list->blobs[i].bytes;
        X509 *issuer = d2i_X509(NULL, &p, (long)list->blobs[i].size);

        found = issuer && X509_NAME_cmp(X509_get_subject_name(issuer), X509_CRL_get_issuer(crl)) == 0 &&
                X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1;
        X509_free(issuer);
    }
    ERR_clear_error();
    return found;
}

static X509_CRL *read_crl(const char *path) {
    BIO *bio = BIO_new_file(path, "r");
    X509_CRL *crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;

    if (bio && !crl && BIO_reset(bio) == 0)
        crl = d2i_X509_CRL_bio(bio, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return crl;
}

static bool load(Revocation *r, List *list) {
    struct stat st = {0};

    if (stat(list->path, &st) < 0) {
        log_error("RevocationLists=%s: cannot be read", list->path);
        return false;
    }
    if (list->crl && st.st_mtim.tv_sec == list->changed.tv_sec && st.st_mtim.tv_nsec == list->changed.tv_nsec)
        return true;
    X509_CRL *crl = read_crl(list->path);
    if (!crl || (!signed_by(crl, &r->trust->anchors) && !signed_by(crl, &r->trust->intermediates))) {
        log_error("RevocationLists=%s: is no revocation list of an authority trusted here", list->path);
        X509_CRL_free(crl);
        return false;
    }
    pthread_rwlock_wrlock(&r->lock);
    X509_CRL *old = list->crl;
    list->crl = crl;
    list->changed = st.st_mtim;
    pthread_rwlock_unlock(&r->lock);
    X509_CRL_free(old);
    return true;
}

int revocation_new(const char *paths, const Trust *trust, Revocation **ret) {
    g_auto(GStrv) items = g_strsplit(paths ? paths : "", ";", -1);
    Revocation *r = g_new0(Revocation, 1);

    r->trust = trust;
    pthread_rwlock_init(&r->lock, NULL);
    for (char **path = items; *path; path++) {
        if (*g_strstrip(*path) == '\0')
            continue;
        if (r->n >= LISTS_MAX) {
            log_error("RevocationLists=: more than %u", LISTS_MAX);
            return revocation_free(r), -EINVAL;
        }
        r->lists[r->n].path = g_strdup(*path);
        if (!load(r, &r->lists[r->n++]))
            return revocation_free(r), -EINVAL;
    }
    *ret = r;
    return 0;
}

Revocation *revocation_free(Revocation *r) {
    if (!r)
        return NULL;
    for (size_t i = 0; i < r->n; i++) {
        X509_CRL_free(r->lists[i].crl);
        g_free(r->lists[i].path);
    }
    pthread_rwlock_destroy(&r->lock);
    g_free(r);
    return NULL;
}

void revocation_refresh(Revocation *r) {
    for (size_t i = 0; i < r->n; i++)
        (void)load(r, &r->lists[i]);
}

static RevocationState state_in(X509_CRL *crl, X509 *certificate, int64_t at) {
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    X509_REVOKED *entry = NULL;
    time_t when = (time_t)at;

    if (X509_CRL_get0_by_cert(crl, &entry, certificate) == 0)
        return !next || X509_cmp_time(next, &when) < 0 ? REVOCATION_STALE : REVOCATION_GOOD;
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    bool hold = reason && ASN1_ENUMERATED_get(reason) == CRL_REASON_CERTIFICATE_HOLD;
    ASN1_ENUMERATED_free(reason);
    return hold ? REVOCATION_SUSPENDED : REVOCATION_REVOKED;
}

RevocationState revocation_check(Revocation *r, const uint8_t *certificate, size_t size, int64_t at) {
    const uint8_t *p = certificate;
    RevocationState state = REVOCATION_UNLISTED;
    X509 *x = r->n > 0 ? d2i_X509(NULL, &p, (long)size) : NULL;

    if (!x)
        return state;
    pthread_rwlock_rdlock(&r->lock);
    for (size_t i = 0; i < r->n; i++)
        if (X509_NAME_cmp(X509_CRL_get_issuer(r->lists[i].crl), X509_get_issuer_name(x)) == 0) {
            /* Of several lists the worst counts. */
            RevocationState found = state_in(r->lists[i].crl, x, at);
            state = found > state ? found : state;
        }
    pthread_rwlock_unlock(&r->lock);
    X509_free(x);
    ERR_clear_error();
    return state;
}

const char *revocation_name(RevocationState state) {
    static const char *const names[] = {"unlisted", "good", "suspended", "revoked", "stale"};

    return names[state];
}
