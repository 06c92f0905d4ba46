/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal-tool: for tests, what the web pages do after a login, done without one: on the records of the configuration
 * given, through the functions that the pages call. And a signer with a key from a file.
 *
 *   portal-tool CONFIG issue             a code for each line of standard input: "SUBJECT|- [PURPOSE [ACCOUNT]]"
 *   portal-tool CONFIG decide CODE yes|no SUBJECT   what the user answers to a device authorisation
 *   portal-tool CONFIG evidence RECEIPT  all that is on record for an approval, as JSON
 *   portal-tool CONFIG register STATE    puts the certificate on standard input (DER) into the register: good,
 *                                        suspended, revoked
 *   portal-tool - sign CERT.der KEY.pem [SECONDS]   a CAdES-B-B over standard input, signed SECONDS from now
 *
 * Identity numbers stand in argv here: they are made up.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "approval.h"
#include "cades.h"
#include "certificate-profile.h"
#include "clock.h"
#include "code.h"
#include "device.h"
#include "log.h"
#include "signer.h"

static int fail(int error) {
    (void)fprintf(stderr, "portal-tool: %s\n", error > 0 ? error_name((EonayError)error) : "failed");
    return EXIT_FAILURE;
}

static uint8_t *read_all(FILE *file, size_t *ret_size) {
    uint8_t *bytes = g_malloc(1 << 20);

    *ret_size = fread(bytes, 1, 1 << 20, file);
    return bytes;
}

static int issue(Portal *p, Store *store) {
    char line[256], subject[64], purpose[65], account[65];

    while (fgets(line, sizeof line, stdin)) {
        uint8_t hash[SECRET_HASH_SIZE];
        IssuedCode code;
        int n = sscanf(line, "%63s %64s %64s", subject, purpose, account);
        if (n == 3)
            secret_hash(&p->secret, "account", account, hash);
        const CodeRequest request = {.purpose = n >= 2 ? purpose : PURPOSE_NES_APPLICATION,
                                     .subject = strcmp(subject, "-") == 0 ? NULL : subject,
                                     .account = n == 3 ? hash : NULL};
        int r = n >= 1 ? code_issue(p, store, &request, clock_now(), &code) : -1;
        if (r != 0)
            return fail(r);
        (void)puts(code.digits);
    }
    return EXIT_SUCCESS;
}

static int decide(Portal *p, Store *store, char **argv) {
    uint8_t account[SECRET_HASH_SIZE];
    Device device;
    int r = device_find(p, store, argv[0], clock_now(), &device);

    secret_hash(&p->secret, "account", argv[2], account);
    const CodeRequest who = {.purpose = device.purpose, .subject = argv[2], .account = account};
    if (r == 0)
        r = device_decide(p, store, &device, strcmp(argv[1], "yes") == 0, &who, clock_now());
    return r == 0 ? EXIT_SUCCESS : fail(r);
}

static int evidence(Store *store, const char *receipt_id) {
    json_t *object = NULL;
    int r = evidence_export(store, receipt_id, &object);

    if (r != 0)
        return fail(r);
    (void)json_dumpf(object, stdout, JSON_INDENT(1));
    json_decref(object);
    return EXIT_SUCCESS;
}

typedef struct Register {
    const CertificateProfile *profile;
    uint8_t fingerprint[EVP_MAX_MD_SIZE];
    int64_t state;
} Register;

static int put_certificate(Store *store, void *data) {
    Register *g = data;
    const CertificateProfile *c = g->profile;
    int64_t from = 0;
    int r = store_change(store, STATEMENT_CERTIFICATE_ADD, NULL, "bttiiib", g->fingerprint, (size_t)32, c->national_id,
                         c->serial_number, c->not_before, c->not_after, clock_now(), c->der, c->der_size);

    for (; r == 0 && from < 3; from++)
        r = store_change(store, STATEMENT_CERTIFICATE_SET_STATE, NULL, "biii", g->fingerprint, (size_t)32, g->state,
                         clock_now(), from);
    return r;
}

static int put_register(Store *store, const char *state) {
    static const char *const states[] = {"good", "suspended", "revoked"};
    size_t size = 0;
    g_autofree uint8_t *der = read_all(stdin, &size);
    CertificateProfile *profile = NULL;
    Register g = {0};

    while (g.state < 3 && strcmp(states[g.state], state) != 0)
        g.state++;
    if (certificate_profile_new(der, size, &profile) != 0 || !profile->national_id || g.state == 3)
        return fail(-1);
    (void)EVP_Digest(der, size, g.fingerprint, NULL, EVP_sha256(), NULL);
    g.profile = profile;
    int r = store_write(store, put_certificate, &g);
    certificate_profile_free(profile);
    return r == 0 ? EXIT_SUCCESS : fail(r);
}

static int sign(int argc, char **argv) {
    size_t size = 0, cms_size = 0;
    g_autofree uint8_t *text = read_all(stdin, &size);
    Signer *signer = NULL;
    uint8_t *cms = NULL;
    int64_t when = clock_now() / SECOND_USEC + (argc > 2 ? g_ascii_strtoll(argv[2], NULL, 10) : 0);

    if (argc < 2 || signer_new(argv[0], argv[1], &signer) != 0 ||
        signer_sign(signer, text, size, when, &cms, &cms_size) != 0)
        return fail(-1);
    (void)fwrite(cms, 1, cms_size, stdout);
    free(cms);
    signer_free(signer);
    return EXIT_SUCCESS;
}

static int on_records(const char *config_path, int argc, char **argv) {
    char *error = NULL;
    Config *config = config_load(config_path, &error);
    Portal *portal = NULL;
    Store *store = NULL;
    int status = 2;

    if (!config)
        return log_error("%s", error), EXIT_FAILURE;
    if (portal_new(config, &portal) != 0 || store_new(portal->stores, &store) != 0)
        return EXIT_FAILURE;
    if (argc == 1 && strcmp(argv[0], "issue") == 0)
        status = issue(portal, store);
    else if (argc == 4 && strcmp(argv[0], "decide") == 0)
        status = decide(portal, store, argv + 1);
    else if (argc == 2 && strcmp(argv[0], "evidence") == 0)
        status = evidence(store, argv[1]);
    else if (argc == 2 && strcmp(argv[0], "register") == 0)
        status = put_register(store, argv[1]);
    store_free(store);
    portal_free(portal);
    return status;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    if (strcmp(argv[2], "sign") == 0)
        return sign(argc - 3, argv + 3);
    return on_records(argv[1], argc - 2, argv + 2);
}
