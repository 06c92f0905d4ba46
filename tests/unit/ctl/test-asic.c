/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: what is made is what other programs read, and what comes from others is bounded. */
#include <check.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <zip.h>

#include "asic.h"
#include "evidence.h"

static EvidenceWorld world;
static GBytes *signature, *record, *container;

static void setup(void) {
    EvidencePlan p;
    evidence_world_init(&world);
    evidence_plan(&world, &p);
    CadesBlob message = evidence_make(&world, &p);
    signature = g_bytes_new(message.bytes, message.size);
    evidence_free(&message);
    record = g_bytes_new_static("{\"receipt_id\":\"R-1\"}", 20);
    ck_assert_int_eq(asic_make(signature, record, &container), 0);
}

static void teardown(void) {
    g_bytes_unref(signature);
    g_bytes_unref(record);
    g_bytes_unref(container);
    evidence_world_clear(&world);
}

START_TEST(the_mimetype_comes_first_and_is_stored) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data(container, &size);
    const char *mimetype = "mimetypeapplication/vnd.etsi.asic-s+zip";
    ck_assert(asic_is(bytes, size));
    /* Local file header: 30 bytes, method at 8, extra field's length at 28; name and content follow (EN 319 162-1,
     * A.1). */
    ck_assert_int_eq(bytes[8] | bytes[9], 0);
    ck_assert_int_eq(bytes[28] | bytes[29], 0);
    ck_assert_mem_eq(bytes + 30, mimetype, strlen(mimetype));
}
END_TEST

START_TEST(the_parts_verify_as_a_detached_signature) {
    g_autoptr(GBytes) text = NULL;
    g_autoptr(GBytes) detached = NULL;
    VerifyReport *r = NULL;
    ck_assert_int_eq(asic_open(container, 1 << 20, &text, &detached), 0);
    ck_assert_uint_eq(g_bytes_get_size(text), strlen(evidence_content));
    ck_assert_mem_eq(g_bytes_get_data(text, NULL), evidence_content, strlen(evidence_content));
    VerifyRequest q = {.anchors = &world.root, .n_anchors = 1, .at = world.now, .level = CADES_LEVEL_B_LTA};
    q.signature.bytes = g_bytes_get_data(detached, &q.signature.size);
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    ck_assert_str_eq(verify_sub_name(r->sub), "SIGNED_DATA_NOT_FOUND");
    verify_report_free(r);
    q.content.bytes = g_bytes_get_data(text, &q.content.size);
    ck_assert_int_eq(verify_signature(&q, &r), 0);
    ck_assert_msg(r->indication == VERIFY_TOTAL_PASSED, "%s: %s", verify_sub_name(r->sub), r->detail);
    verify_report_free(r);
}
END_TEST

START_TEST(what_is_no_container_is_refused) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data(container, &size);
    for (gsize n = 0; n < size; n += 61) {
        g_autoptr(GBytes) cut = g_bytes_new(bytes, n);
        g_autoptr(GBytes) text = NULL;
        g_autoptr(GBytes) detached = NULL;
        ck_assert_int_eq(asic_open(cut, 1 << 20, &text, &detached), -EBADMSG);
    }
    g_autoptr(GBytes) none = NULL;
    ck_assert_int_eq(asic_make(record, record, &none), -EBADMSG);
}
END_TEST

START_TEST(a_part_above_the_limit_is_not_read) {
    g_autoptr(GBytes) text = NULL;
    g_autoptr(GBytes) detached = NULL;
    ck_assert_int_eq(asic_open(container, 1000, &text, &detached), -EFBIG);
    ck_assert_ptr_null(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("asic");
    TCase *tcase = tcase_create("all");
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_mimetype_comes_first_and_is_stored);
    tcase_add_test(tcase, the_parts_verify_as_a_detached_signature);
    tcase_add_test(tcase, what_is_no_container_is_refused);
    tcase_add_test(tcase, a_part_above_the_limit_is_not_read);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
