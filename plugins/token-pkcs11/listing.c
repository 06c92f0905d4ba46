/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates on signature cards are public objects; a session without login shows them. libp11 walks over the slots
 * and reads the certificates. What it does not tell (the token's PIN limits and mechanisms, whether the key is visible
 * and what it may do) is read through the module's own functions in a session beside it.
 */
#include "listing.h"

#include "key.h"
#include "text.h"
#include "token.h"

#include <string.h>

typedef struct Listing {
    Pkcs11 *c;
    const EonayTokenVisitor *visitor;
    PKCS11_SLOT *slots;
    unsigned int n_slots;
} Listing;

static PKCS11_TOKEN *listing_token(const Listing *listing, CK_SLOT_ID slot) {
    for (unsigned int i = 0; i < listing->n_slots; i++)
        if (PKCS11_get_slotid_from_slot(&listing->slots[i]) == slot)
            return listing->slots[i].token;
    return NULL;
}

static int certificate_visit(const Listing *listing, const Token *token, CK_SESSION_HANDLE session,
                             const PKCS11_CERT *certificate) {
    unsigned char *der = NULL;
    char label[256] = "";

    int size = certificate->x509 ? i2d_X509(certificate->x509, &der) : -1;
    if (size <= 0 || size > (int)ATTRIBUTE_MAX) {
        OPENSSL_free(der);
        return 0;
    }
    if (certificate->label)
        text_clean((const unsigned char *)certificate->label, strlen(certificate->label), label, sizeof(label));
    const EonayCertificateInfo info = {
        .struct_size = sizeof(info),
        .flags = key_flags_by_id(listing->c, session, &token->info, certificate->id, certificate->id_len),
        .label = label,
        .id = certificate->id_len > 0 ? certificate->id : NULL,
        .id_size = certificate->id_len,
        .der = der,
        .der_size = (size_t)size,
    };
    int r = listing->visitor->certificate(listing->visitor, &info);
    OPENSSL_free(der);
    return r;
}

static int certificates_visit(const Listing *listing, const Token *token, const PKCS11_CERT *certificates,
                              unsigned int n) {
    const Pkcs11 *c = listing->c;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    int r = 0;

    if (n == 0)
        return 0;
    bool opened = c->f->C_OpenSession(token->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK;
    if (!opened)
        session = CK_INVALID_HANDLE;
    for (unsigned int i = 0; i < n && i < CERTIFICATES_MAX && r == 0; i++)
        r = certificate_visit(listing, token, session, &certificates[i]);
    if (opened)
        c->f->C_CloseSession(session);
    return r;
}

static int listing_visit_token(const Listing *listing, const Token *token) {
    PKCS11_TOKEN *seen = listing_token(listing, token->slot);
    PKCS11_CERT *certificates = NULL;
    const char *state = NULL;
    unsigned int n = 0;

    if (!seen || PKCS11_enumerate_certs(seen, &certificates, &n) != 0) {
        state = "The certificates on this token cannot be read.";
        n = 0;
    }
    int r = token_visit(listing->c, token, state, listing->visitor);
    return r != 0 ? r : certificates_visit(listing, token, certificates, n);
}

int listing_visit(Pkcs11 *c, const EonayTokenVisitor *visitor) {
    Listing listing = {.c = c, .visitor = visitor};
    _cleanup_free_ TokenTable *table = NULL;

    int r = token_table_read(c, &table);
    if (r != 0)
        return r;
    if (PKCS11_enumerate_slots(c->libp11, &listing.slots, &listing.n_slots) != 0) {
        ERR_clear_error();
        return fault_text(c, EONAY_ERROR_PLUGIN_FAILED, "libp11 cannot list the slots");
    }
    for (size_t i = 0; i < table->n && r == 0; i++) {
        if (c->host->cancelled(c->host))
            r = fault_text(c, EONAY_ERROR_CANCELLED, NULL);
        else
            r = listing_visit_token(&listing, &table->tokens[i]);
    }
    PKCS11_release_all_slots(c->libp11, listing.slots, listing.n_slots);
    ERR_clear_error();
    return r;
}
