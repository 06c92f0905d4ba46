/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest host a token plugin can have, and what the tests ask of it. */
#ifndef EONAY_TEST_PLUGIN_HOST_H
#define EONAY_TEST_PLUGIN_HOST_H

#include <stdio.h>

#include "eonay/plugin.h"

typedef struct TestHost {
    EonayHost host;
    struct {
        const char *key, *value;
    } config[16];
    size_t n_config;
    /* The last fault. */
    int code, tries_left;
    uint64_t native_code;
    char text[512];
} TestHost;

typedef struct TestCertificate {
    uint32_t flags;
    char label[256];
    uint8_t id[64];
    size_t id_size;
    uint8_t *der;
    size_t der_size;
    size_t token; /* index */
} TestCertificate;

typedef struct TestToken {
    char key[256], label[256], serial[256], reader[256], state[256];
    uint32_t flags, pin_min, pin_max, mechanisms;
} TestToken;

typedef struct TestListing {
    EonayTokenVisitor visitor;
    int stop_with; /* what token() returns */
    TestToken tokens[64];
    size_t n_tokens;
    TestCertificate certificates[64];
    size_t n_certificates;
} TestListing;

void test_host_init(TestHost *t);
void test_host_set(TestHost *t, const char *key, const char *value);

void test_listing_init(TestListing *listing);
void test_listing_clear(TestListing *listing);
const TestCertificate *test_listing_find(const TestListing *listing, const uint8_t *der, size_t size);

/* Loads a plugin as the host does; ends the test when it cannot. */
const EonayPlugin *test_plugin(const char *path);

/* A sanitizer's shadow memory takes hours to look through, and its allocator keeps what was freed on purpose. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_CAN_BE_SEARCHED false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define MEMORY_CAN_BE_SEARCHED false
#endif
#endif
#ifndef MEMORY_CAN_BE_SEARCHED
#define MEMORY_CAN_BE_SEARCHED true
#endif

/* True when these bytes lie anywhere in this process but at `bytes` itself. */
int memory_holds(const uint8_t *bytes, size_t size);

/* A new folder under the temporary folder, for the caller to free(). */
char *test_folder(void);
void test_folder_remove(const char *path);

#endif
