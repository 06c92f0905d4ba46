/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged without the network: signatures, and time stamps by themselves. */
#ifndef EONAY_VERIFY_BUS_H
#define EONAY_VERIFY_BUS_H

#include "client.h"
#include "timestamp.h"
#include "verify.h"

/* Appends DER certificates (GBytes*) to anchors: PEM with any number of them, or one in DER. FILE_INVALID: none. */
int verify_read_anchors(GBytes *bytes, GPtrArray *anchors);
/* Borrowed from the array's GBytes; the caller frees the list. */
CadesBlob *verify_blobs(const GPtrArray *array);

/* A time-stamp token that stands alone, over a SHA-256. */
typedef struct StampJudgement {
    VerifyIndication indication;
    const char *detail; /* why it did not pass; NULL */
    bool chain_checked; /* there were trust anchors */
    Timestamp stamp; /* as far as the judgement came; points into the token, or into an anchor's or the store's bytes */
} StampJudgement;
/* anchors: NULL or empty: those of the trust store. at: seconds UTC. */
StampJudgement stamp_judge(Manager *m, GBytes *token, const uint8_t sha256[32], const GPtrArray *anchors, int64_t at);

int manager_verify_signature(Client *client, sd_bus_message *m, sd_bus_error *error);
int manager_verify_timestamp(Client *client, sd_bus_message *m, sd_bus_error *error);

#endif
