/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon says about certificates and tokens, made into the choice that a person has. */
#ifndef EONAY_AGENT_CANDIDATES_H
#define EONAY_AGENT_CANDIDATES_H

#include "contract.h"

/*
 * certificates: the answer of ListCertificates, (a(oa{sv})); objects: that of GetManagedObjects. Returns Choice*, those
 * that can be signed with. ret_problem, when there is none: why, in the user's words, or NULL when there is no
 * certificate at all.
 */
GPtrArray *candidates_read(GVariant *certificates, GVariant *objects, char **ret_problem);

#endif
