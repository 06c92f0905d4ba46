/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authority's own revocation list: made when something changed in the register or half of the life of the last one
 * is over, kept in the records so that all instances serve the same one, served at PUBLICATION_PATH, and written to a
 * file where one is configured. Whoever comes first makes it; two never get the same number.
 */
#ifndef PORTAL_PUBLICATION_H
#define PORTAL_PUBLICATION_H

#include "portal.h"

#define PUBLICATION_PATH "/iptal-listesi.crl"

/* *ret NULL: no CrlIssuer= is configured. The reason of a failure is logged. */
int publication_new(const Config *config, Publication **ret);
Publication *publication_free(Publication *p);

/* Makes a list if one is due and its key is here, and writes the newest into the file. Failures are logged; the next
 * call tries again. Does nothing without a publication. Any thread. */
void publication_tend(Portal *portal, Store *store);

/*
 * Makes a list in any case. number 0: the one after the last; else it must be greater than that. Errors: UNSUPPORTED
 * (nothing configured, or no key here), BUSY (the number was taken), STORAGE_FAILED.
 */
int publication_make(Portal *portal, Store *store, int64_t number, int64_t *ret_number);

/* GET PUBLICATION_PATH */
Reply *publication_serve(Request *request);

#endif
