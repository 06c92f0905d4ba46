/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records-loop FOLDER [MOST]: what many records cost: the journal in FOLDER grows to 100,000 signed consents (or MOST),
 * and at each size a page of the newest 20 is listed, the audit chain is verified from end to end, and the memory of
 * the process is looked at.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit-verify.h"
#include "journal-private.h"

#define PAGE      20u
#define ROUNDS    101
#define BATCH     500u
#define CMS_BYTES 4096u /* about a B-T */

static const unsigned sizes[] = {12500, 25000, 50000, 100000};

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double resident_mib(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

static void record_add(Journal *j, unsigned n, GBytes *text, GBytes *certificate, GBytes *cms) {
    char id[64];
    const JournalText t = {.title = "Metin 1", .media_type = "text/plain", .sha256 = "ab", .bytes = text};
    snprintf(id, sizeof(id), "consent-%u", n);
    const JournalConsent consent = {.id = id,
                                    .uid = 1000,
                                    .backend = "local",
                                    .transaction = id,
                                    .requester = "Kurum",
                                    .purpose = "e-onay.nes-application",
                                    .level = "B-T",
                                    .subject_masked = "100******46",
                                    .created_at = n + 1,
                                    .expires_at = n + 2,
                                    .opened_at = n + 3,
                                    .texts = &t,
                                    .n_texts = 1};
    GBytes *const list[] = {cms};
    journal_opened(j, &consent, NULL, NULL);
    const JournalSigning signing = {.fingerprint = "fingerprint",
                                    .certificate = certificate,
                                    .mechanism = 1,
                                    .idempotency_key = id,
                                    .confirmed_at = 1,
                                    .confirmed_by = "agent"};
    journal_signing(j, id, &signing, NULL, NULL);
    journal_signed(j, id, n + 4, list, 1, NULL, NULL);
    journal_done(j, id, id, n + 5, NULL, NULL);
}

static void records_grow(Journal *j, unsigned from, unsigned until) {
    static uint8_t bytes[CMS_BYTES];
    g_autoptr(GBytes) text = g_bytes_new_static(bytes, 300);
    g_autoptr(GBytes) certificate = g_bytes_new_static(bytes, 1000);
    g_autoptr(GBytes) cms = g_bytes_new_static(bytes, sizeof(bytes));
    for (unsigned n = from; n < until; n++) {
        record_add(j, n, text, certificate, cms);
        if (n % BATCH == 0)
            journal_flush(j);
    }
    journal_flush(j);
}

static double page_list(Journal *j) {
    double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify)journal_record_free);
        const JournalQuery query = {.uid = 1000, .limit = PAGE};
        double begin = now_ms();
        if (journal_list(j, &query, page) != 0 || page->len != PAGE)
            exit(1);
        ms[i] = now_ms() - begin;
    }
    qsort(ms, ROUNDS, sizeof(*ms), compare);
    return ms[ROUNDS / 2];
}

static double chain_verify(Journal *j, uint64_t *ret_entries) {
    AuditVerification *v = NULL;
    double begin = now_ms();
    if (audit_verification_new(journal_database(j), NULL, &v) != 0)
        exit(1);
    while (!audit_verification_step(v))
        ;
    const AuditReport *report = audit_verification_report(v);
    if (report->failure != AUDIT_FAILURE_NONE)
        exit(1);
    *ret_entries = report->entries;
    audit_verification_free(v);
    return now_ms() - begin;
}

int main(int argc, char **argv) {
    sd_event *event = NULL;
    Journal *j = NULL;
    unsigned n = 0;
    unsigned most = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : UINT_MAX;
    if (argc < 2 || argc > 3 || sd_event_new(&event) < 0 || journal_new(event, argv[1], &j) != 0)
        return 2;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && sizes[i] <= most; n = sizes[i++]) {
        uint64_t entries;
        records_grow(j, n, sizes[i]);
        double page = page_list(j);
        double before = resident_mib();
        double chain = chain_verify(j, &entries);
        printf("%6u records: a page of %u p50 %.3f ms; chain of %" PRIu64
               " entries %.0f ms, %.2f us an entry; resident %.1f "
               "MiB, after the chain %.1f MiB\n",
               sizes[i], PAGE, page, entries, chain, chain * 1e3 / (double)entries, before, resident_mib());
        fflush(stdout);
    }
    journal_free(j);
    sd_event_unref(event);
    return 0;
}
