/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate-locations.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "certificate-der.h"
#include "openssl-cleanup.h"
#include "signature.h"

typedef struct Collector {
    char (*list)[LOCATION_SIZE_MAX];
    size_t n;
} Collector;

static bool is_http(const char *text, size_t n) {
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++)
        if (n > strlen(schemes[i]) && memcmp(text, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Visible ASCII alone: what else is in it would be for somebody else to interpret. */
static void collect(Collector *c, const GENERAL_NAME *name) {
    if (name->type != GEN_URI || c->n == LOCATIONS_MAX)
        return;
    const char *text = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
    size_t n = (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
    if (n >= LOCATION_SIZE_MAX || !is_http(text, n))
        return;
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return;
    memcpy(c->list[c->n], text, n);
    c->list[c->n++][n] = '\0';
}

static void collect_access(Collector *c, const X509 *certificate, int method) {
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(d->method) == method)
            collect(c, d->location);
    }
    AUTHORITY_INFO_ACCESS_free(access);
}

static void collect_lists(Collector *c, const X509 *certificate) {
    CRL_DIST_POINTS *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(points, i);
        if (!p->distpoint || p->distpoint->type != 0 || p->reasons || p->CRLissuer)
            continue;
        for (int j = 0; j < sk_GENERAL_NAME_num(p->distpoint->name.fullname); j++)
            collect(c, sk_GENERAL_NAME_value(p->distpoint->name.fullname, j));
    }
    CRL_DIST_POINTS_free(points);
}

size_t certificate_locations(const CadesBlob *certificate, CertificateLocation kind,
                             char ret[LOCATIONS_MAX][LOCATION_SIZE_MAX]) {
    Collector c = {ret, 0};
    signature_init();
    CLEANUP(X509_free_p) X509 *parsed = certificate_parse((DerBytes){certificate->bytes, certificate->size});
    if (!parsed)
        return 0;
    if (kind == LOCATION_CRL)
        collect_lists(&c, parsed);
    else
        collect_access(&c, parsed, kind == LOCATION_OCSP ? NID_ad_OCSP : NID_ad_ca_issuers);
    return c.n;
}
