/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-seeds DIR: real inputs of every kind for the targets, and the certificates they belong to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "evidence.h"
#include "timestamp.h"

static const char *root;

static void write_file(const char *kind, const char *name, const void *bytes, size_t size) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, kind);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s", root, kind, name);
    FILE *file = fopen(path, "wbe");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        fprintf(stderr, "fuzz-seeds: %s\n", path);
        exit(1);
    }
}

static void write_text(const char *kind, const char *name, const char *text) {
    write_file(kind, name, text, strlen(text));
}

static void write_blob(const char *kind, const char *name, CadesBlob blob) {
    write_file(kind, name, blob.bytes, blob.size);
    evidence_free(&blob);
}

static void messages_write(const EvidenceWorld *w) {
    for (int level = 0; level < CADES_N_LEVELS; level++) {
        EvidencePlan p;
        evidence_plan(w, &p);
        p.level = level;
        write_blob("cms", cades_level_traits((CadesLevel)level)->name, evidence_make(w, &p));
    }
}

static void answers_write(const EvidenceWorld *w) {
    EvidencePlan p;
    evidence_plan(w, &p);
    write_blob("ocsp", "good", evidence_answer(w, &p, w->signer->certificate, EVIDENCE_OCSP, -1));
    write_blob("ocsp", "revoked", evidence_answer(w, &p, w->signer->certificate, EVIDENCE_OCSP, 1));
    write_blob("crl", "good", evidence_answer(w, &p, w->signer->certificate, EVIDENCE_CRL, -1));
    write_blob("crl", "held", evidence_answer(w, &p, w->signer->certificate, EVIDENCE_CRL, 6));
}

static void stamp_write(const EvidenceWorld *w) {
    const uint8_t imprint[32] = {1, 2, 3};
    uint8_t *request = NULL;
    size_t request_size = 0, size = 0;
    if (timestamp_request(imprint, sizeof(imprint), NULL, NULL, &request, &request_size) != 0)
        exit(1);
    uint8_t *response = pki_stamp(w->pki, w->tsa, request, request_size, 0, &size);
    write_file("stamp", "granted", response, size);
    OPENSSL_free(response);
    free(request);
}

static void certificates_write(const EvidenceWorld *w) {
    write_file("certificate", "signer", w->signer->der, w->signer->der_size);
    write_file("certificate", "tsa", w->tsa->der, w->tsa->der_size);
    write_file("certificate", "ca", w->ca.bytes, w->ca.size);
    write_file("fixed", "signer", w->signer->der, w->signer->der_size);
    write_file("fixed", "ca", w->ca.bytes, w->ca.size);
    write_file("fixed", "root", w->root.bytes, w->root.size);
}

/* ---- a ZIP file with one stored entry after the other ---- */

typedef struct Zip {
    uint8_t bytes[4096], directory[2048];
    size_t size, directory_size;
    unsigned n;
} Zip;

static uint32_t crc_of(const char *text) {
    uint32_t crc = ~0u;
    for (; *text; text++) {
        crc ^= (uint8_t)*text;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void number_put(uint8_t *p, uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static void zip_add(Zip *z, const char *name, const char *text) {
    size_t n = strlen(name), size = strlen(text);
    uint8_t *local = z->bytes + z->size, *central = z->directory + z->directory_size;
    number_put(local, 0x04034b50, 4);
    number_put(local + 14, crc_of(text), 4);
    number_put(local + 18, (uint32_t)size, 4);
    number_put(local + 22, (uint32_t)size, 4);
    number_put(local + 26, (uint32_t)n, 2);
    memcpy(local + 30, name, n);
    memcpy(local + 30 + n, text, size);
    number_put(central, 0x02014b50, 4);
    memcpy(central + 16, local + 14, 14);
    memcpy(central + 46, name, n);
    number_put(central + 42, (uint32_t)z->size, 4);
    z->size += 30 + n + size;
    z->directory_size += 46 + n;
    z->n++;
}

static void zip_end(Zip *z) {
    uint32_t central = (uint32_t)z->size;
    memcpy(z->bytes + z->size, z->directory, z->directory_size);
    uint8_t *end = z->bytes + z->size + z->directory_size;
    number_put(end, 0x06054b50, 4);
    number_put(end + 8, z->n, 2);
    number_put(end + 10, z->n, 2);
    number_put(end + 12, (uint32_t)z->directory_size, 4);
    number_put(end + 16, central, 4);
    z->size += z->directory_size + 22;
}

static void container_write(void) {
    Zip z = {0};
    zip_add(&z, "mimetype", "application/vnd.etsi.asic-e+zip");
    zip_add(&z, "consent.txt", "text");
    zip_add(&z, "record.json", "{}");
    zip_add(&z, "META-INF/ASiCManifest001.xml", "<asic:ASiCManifest/>");
    zip_add(&z, "META-INF/timestamp001.tst", "0");
    zip_end(&z);
    write_file("container", "stored", z.bytes, z.size);
}

/* The first byte is status and content type: see fuzz-rest.c. */
static void answers_of_servers_write(void) {
    write_text("rest", "code", " {\"code\":\"123456789012345\",\"expires_at\":1790000000000000,\"interval\":5}");
    write_text("rest", "refusal", "\x0b{\"type\":\"about:blank\",\"code\":\"CodeExpired\",\"status\":400}");
    write_text("rest", "oauth", "\x03{\"error\":\"authorization_pending\",\"code\":\"CodePending\"}");
    write_text("rest", "deep", " {\"texts\":[[[[[[{\"a\":[1,2.5e3,null,true,\"\\u0000\\ud83d\\ude00\"]}]]]]]]}");
}

static void texts_write(void) {
    container_write();
    answers_of_servers_write();
    write_text("code", "digits", "123456789012345");
    write_text("code", "pasted", " 12345-67890 12345\n");
    write_text("code", "wide",
               "\xe2\x80\x8b\xef\xbc\x91"
               "2345");
    write_text("config", "all",
               "[Daemon]\nStateDirectory=/var/lib/eonay\nLogLevel=info\nReaders=true\n[Limits]\nConsentsPerUser=16\n"
               "PinDelivery=120s\n[Token one]\nPlugin=token-pkcs11\nModule=/usr/lib/x.so\nNeeds=card;jit\n"
               "[Backend two]\nPlugin=ca-local\nDatabase=/var/lib/x.db\n");
    write_text("definition", "card",
               "[Module]\nDescription=A card\nUse=card\nPlugin=token-pkcs11\nPaths=/usr/lib/%a/x.so\nAtr=3B9F96813*\n"
               "Historical=806755454B4145....318073B3A180\nNeeds=card\nPackage=x\nInit=null\n");
    write_text("manifest", "plugin",
               "[Plugin]\nName=token-x\nKind=token\nModule=token-x.so\nPriority=10\nNeeds=files\nReadPaths=File\n"
               "Description=x\n");
}

int main(int argc, char **argv) {
    EvidenceWorld w;
    if (argc != 2)
        return 2;
    root = argv[1];
    mkdir(root, 0700);
    evidence_world_init(&w);
    certificates_write(&w);
    messages_write(&w);
    answers_write(&w);
    stamp_write(&w);
    texts_write();
    evidence_world_clear(&w);
    return 0;
}
