/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest and what is held against it: written and read again, and every damage is an answer and not a crash. */
#include <check.h>
#include <string.h>

#include "asice-manifest.h"
#include "asice.h"

#define PART_MAX (1u << 20)

static GPtrArray *files;
static GBytes *manifest, *token, *container;

static void setup(void) {
    g_autoptr(GBytes) text = g_bytes_new_static("ben & \"siz\"", 11);
    g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
    files = container_new();
    container_add(files, "a&b <\"1\">.txt", text);
    container_add(files, "empty.json", empty);
    token = g_bytes_new_static("token", 5);
    ck_assert_int_eq(asice_manifest(files, &manifest), 0);
    ck_assert_int_eq(asice_make(files, manifest, token, &container), 0);
}

static void teardown(void) {
    g_ptr_array_unref(files);
    g_bytes_unref(manifest);
    g_bytes_unref(token);
    g_bytes_unref(container);
}

static const char *opened(GBytes *bytes, size_t max) {
    g_autoptr(GPtrArray) found = NULL;
    g_autofree char *name = NULL;
    const char *why = asice_open(bytes, max, &found, &name);
    ck_assert(!why == (found != NULL));
    return why;
}

START_TEST(what_is_made_is_read) {
    g_autoptr(GPtrArray) found = NULL;
    g_autofree char *name = NULL;
    ck_assert(container_begins(container, ASICE_MIMETYPE));
    ck_assert_ptr_null(asice_open(container, PART_MAX, &found, &name));
    ck_assert_uint_eq(found->len, 5);
    ck_assert(g_bytes_equal(container_find(found, ASICE_STAMP), token));
    ck_assert(g_bytes_equal(container_find(found, ASICE_MANIFEST), manifest));
    g_autoptr(AsiceManifest) m = asice_manifest_read(manifest);
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(((AsiceReference *)m->references->pdata[0])->name, "a&b <\"1\">.txt");
}
END_TEST

START_TEST(cut_anywhere_it_is_refused) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data(container, &size);
    for (gsize n = 0; n < size; n += 17) {
        g_autoptr(GBytes) cut = g_bytes_new(bytes, n);
        ck_assert_ptr_nonnull(opened(cut, PART_MAX));
    }
    bytes = g_bytes_get_data(manifest, &size);
    for (gsize n = 0; n + 1 < size; n++) { /* the last byte is a line's end */
        g_autoptr(GBytes) cut = g_bytes_new(bytes, n);
        ck_assert_ptr_null(asice_manifest_read(cut));
    }
}
END_TEST

START_TEST(a_changed_byte_does_no_harm) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data(container, &size);
    for (gsize n = 0; n < size; n++) {
        g_autofree guint8 *copy = g_memdup2(bytes, size);
        copy[n] ^= 0x41;
        g_autoptr(GBytes) changed = g_bytes_new(copy, size);
        opened(changed, PART_MAX);
    }
}
END_TEST

/* The manifest with one string for another. */
static bool read_with(const char *from, const char *to) {
    g_autoptr(GString) text = g_string_new_len(g_bytes_get_data(manifest, NULL), (gssize)g_bytes_get_size(manifest));
    ck_assert_uint_gt(g_string_replace(text, from, to, 1), 0);
    g_autoptr(GBytes) changed = g_bytes_new(text->str, text->len);
    g_autoptr(AsiceManifest) m = asice_manifest_read(changed);
    return m != NULL;
}

START_TEST(what_is_not_known_is_not_passed_over) {
    ck_assert(!read_with("02918/v1.2.1#", "02918/v9#"));
    ck_assert(!read_with("<asic:SigReference", "<!-- c --><asic:SigReference"));
    ck_assert(!read_with("<asic:SigReference", "<asic:Other/><asic:SigReference"));
    ck_assert(!read_with("timestamp-token", "other-token"));
    ck_assert(!read_with("</ds:DigestValue>", "AAAA</ds:DigestValue>"));
    ck_assert(!read_with("</ds:DigestValue>", "</ds:DigestValue><ds:More/>"));
    ck_assert(!read_with("xmlenc#sha256", "xmlenc#sha1"));
    ck_assert(!read_with("empty.json", ""));
    ck_assert(!read_with("?>", "?><!DOCTYPE a [<!ENTITY b \"c\">]>"));
    ck_assert(!read_with("?>", "?><!DOCTYPE a SYSTEM \"http://127.0.0.1:9/x\">"));
    ck_assert(read_with("?>", "?>\n"));
}
END_TEST

START_TEST(a_part_above_the_limit_is_not_read) {
    ck_assert_str_eq(opened(container, 60), "it is larger than a container may be");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("asice");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_made_is_read);
    tcase_add_test(tcase, cut_anywhere_it_is_refused);
    tcase_add_test(tcase, a_changed_byte_does_no_harm);
    tcase_add_test(tcase, what_is_not_known_is_not_passed_over);
    tcase_add_test(tcase, a_part_above_the_limit_is_not_read);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
