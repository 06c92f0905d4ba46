/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify-loop: what verifying costs, level by level, with everything embedded: processor time of another signature each
 * time, and of one that was verified before. Beside it one signature of the authorities' keys, P-384: a new revocation
 * list costs one of those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "evidence.h"

#define ROUNDS 60

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, const char *what, double *ms) {
    qsort(ms, ROUNDS, sizeof(*ms), compare);
    printf("%-20s %-8s p50 %6.3f ms   p99 %6.3f ms\n", name, what, ms[ROUNDS / 2], ms[ROUNDS * 99 / 100]);
}

static double verify_once(const EvidenceWorld *w, CadesBlob message, CadesLevel level, int *wrong) {
    double begin = now_ms();
    VerifyReport *r = evidence_verify(w, message, 0);
    double took = now_ms() - begin;
    *wrong |= r->level != (int)level;
    verify_report_free(r);
    return took;
}

static int level_measure(const EvidenceWorld *w, CadesLevel level) {
    double first[ROUNDS], again[ROUNDS];
    EvidencePlan p;
    int wrong = 0;
    evidence_plan(w, &p);
    p.level = (int)level;
    p.signer_kind = level == CADES_LEVEL_P3 ? EVIDENCE_CRL : EVIDENCE_OCSP;
    for (int i = 0; i < ROUNDS; i++) {
        CadesBlob message = evidence_make(w, &p);
        first[i] = verify_once(w, message, level, &wrong);
        again[i] = verify_once(w, message, level, &wrong);
        evidence_free(&message);
    }
    print(cades_level_traits(level)->name, "another", first);
    print("", "again", again);
    return wrong;
}

static void key_measure(const char *name, X509 *subject, EVP_PKEY *key) {
    double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ms();
        X509_verify(subject, key);
        ms[i] = now_ms() - begin;
    }
    print(name, "", ms);
}

int main(int argc, char **argv) {
    EvidenceWorld w;
    int wrong = 0;
    evidence_world_init(&w);
    key_measure("one P-384 signature", w.signer->certificate, X509_get0_pubkey(pki_ca(w.pki)));
    for (int level = 0; level < CADES_N_LEVELS; level++)
        if (argc > 1 ? strcmp(argv[1], cades_level_traits((CadesLevel)level)->name) == 0 : level != CADES_LEVEL_P1)
            wrong |= level_measure(&w, (CadesLevel)level);
    evidence_world_clear(&w);
    return wrong;
}
