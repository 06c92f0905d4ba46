/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the authority's revocation lists (RFC 5280 section 5): the issuing certificate, its key, and a list from the
 * entries of the register. Always a complete list: a certificate that is no longer suspended is simply not in it
 * (removeFromCRL belongs to delta lists, section 5.3.1). A suspended one has the reason certificateHold, a revoked one
 * none (unspecified is left out, as that section wants it).
 */
#ifndef PORTAL_LIST_SIGNER_H
#define PORTAL_LIST_SIGNER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LIST_ENTRIES_MAX 200000

typedef struct ListSigner ListSigner;
typedef struct RevocationList RevocationList;

/*
 * issuer: PEM file; key: PEM file, or a credential's name; NULL: none, lists can be read but not made. The reason of a
 * failure is logged: no certificate that may sign lists, a key that is not its own.
 */
int list_signer_new(const char *issuer, const char *key, ListSigner **ret);
ListSigner *list_signer_free(ListSigner *s);
bool list_signer_can_sign(const ListSigner *s);

/* Moments are microseconds UTC; a list knows seconds. */
RevocationList *revocation_list_new(const ListSigner *s, int64_t number, int64_t now, int64_t next);
RevocationList *revocation_list_free(RevocationList *list);
/* False when the list is full. A certificate (DER) of another issuer is left out. */
bool revocation_list_add(RevocationList *list, const uint8_t *certificate, size_t size, int64_t revoked_at,
                         bool suspended);
/* DER; NULL when it cannot be signed. */
GBytes *revocation_list_sign(RevocationList *list);

#endif
