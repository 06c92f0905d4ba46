/* SPDX-License-Identifier: Apache-2.0 */
/* What a token plugin's visitor calls leave behind: tokens and certificates, bounded and clean, ready for the wire. */
#ifndef EONAY_HOST_LISTING_H
#define EONAY_HOST_LISTING_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "eonay/plugin.h"

typedef struct Listing Listing;

/* with_certificates: false drops them, for the look at one token. */
Listing *listing_new(bool with_certificates);
Listing *listing_free(Listing *l);
void listing_freep(Listing **l);

/* Gives the visitor to pass to list() or inspect(). Copies what it is shown. */
const EonayTokenVisitor *listing_visitor(Listing *l);

/* Appends the payload of List; an empty one unless `success`. */
int listing_append(const Listing *l, bool success, sd_bus_message *reply);
/* Appends the first token as a{sv}; an empty one unless `success` and there is a token. */
int listing_append_token(const Listing *l, bool success, sd_bus_message *reply);

#endif
