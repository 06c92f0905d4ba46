/* SPDX-License-Identifier: Apache-2.0 */
/* The authority as its host sees it: loaded with dlopen, a real database in a folder of its own, a clock that the
 * test moves. */
#ifndef TEST_CA_FIXTURE_H
#define TEST_CA_FIXTURE_H

#include <check.h>
#include <limits.h>
#include <stdint.h>

#include "eonay/plugin.h"
#include "pki.h"

#define SUBJECT       "10000000146"
#define OTHER_SUBJECT "12345678950"

#define SECONDS(n) ((int64_t)(n)*1000000)

typedef struct Fixture {
    EonayHost host; /* first, so that a host pointer is a fixture pointer */
    char folder[64];
    char database[96];
    const EonayCaOps *ca;
    void *context;
    struct {
        char key[32];
        char value[256];
    } config[16];
    /* what fault() was told last */
    EonayError fault;
    uint64_t native;
    char reason[512];
} Fixture;

/* A folder with a PKI and a configuration; nothing is opened yet. */
Fixture *fixture_new(void);
Fixture *fixture_free(Fixture *f);
/* NULL removes the key. */
void fixture_set(Fixture *f, const char *key, const char *value);
/* Writes a file into the folder; returns its path, which is valid until the next call. */
const char *fixture_file(Fixture *f, const char *name, const void *bytes, size_t size);

int fixture_open(Fixture *f);
void fixture_close(Fixture *f);
/* Opens, and fails the test when that does not work. */
void fixture_start(Fixture *f);
void fixture_restart(Fixture *f);

/* The one PKI of the test program. */
const Pki *fixture_pki(void);

/* The offset of the clock that the plugin sees, and its present time. */
extern int64_t fixture_clock_offset;
int64_t fixture_now(void);

/* Short forms; digits has room for 16 bytes. get_code() must succeed, the rest return what the plugin does. */
void get_code(Fixture *f, const char *subject, char digits[16]);
int get_code_error(Fixture *f, EonayCodeRequest request);
int redeem(Fixture *f, const char *digits, EonayRedemption *ret);
int redeem_error(Fixture *f, const char *digits);
void redemption_release(Fixture *f, EonayRedemption *r);
/* get_code() and redeem(), both must succeed. */
void open_consent(Fixture *f, const char *subject, EonayRedemption *ret);

int submit(Fixture *f, const char *transaction, const char *key, const Bytes *signature, char ret_receipt[64]);
int submit_many(Fixture *f, const char *transaction, const char *key, const Bytes *signatures, size_t n,
                char ret_receipt[64]);
/* Signs the redeemed text with a signer of the PKI, at the authority's present time. */
Bytes sign_consent(const EonayRedemption *r, const Signer *signer);
EonayTransactionState state_of(Fixture *f, const char *transaction);

#define assert_error(call, expected)                                                                                   \
    do {                                                                                                               \
        int got_ = (call);                                                                                             \
        ck_assert_msg(got_ == (expected), "%s: got %d, expected %s", #call, got_, #expected);                          \
    } while (0)

#endif
