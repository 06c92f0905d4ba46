/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VerifyTimestamp: a time stamp that stands by itself, such as the one over the manifest of an evidence container.
 * First whether it is sound and over these bytes, then whether somebody vouches for its authority, then whether he
 * still does.
 */
#include <errno.h>
#include <string.h>

#include "bus-util.h"
#include "certificate-profile.h"
#include "fault.h"
#include "names.h"
#include "trust.h"
#include "util.h"
#include "verify-bus.h"

#define TOKEN_SIZE_MAX (128u * 1024)
#define SHA256_SIZE    32u

static void anchors_choose(Manager *m, const GPtrArray *given, CadesBlob *blobs, TimestampExpectation *e) {
    CadesExpectation store = {0};
    if (given && given->len > 0) {
        e->anchors = blobs;
        e->n_anchors = given->len;
    } else if (trust_get(m->trust, &store)) {
        e->anchors = store.anchors;
        e->n_anchors = store.n_anchors;
        e->intermediates = store.intermediates;
        e->n_intermediates = store.n_intermediates;
    }
}

StampJudgement stamp_judge(Manager *m, GBytes *token, const uint8_t sha256[32], const GPtrArray *anchors, int64_t at) {
    StampJudgement j = {.indication = VERIFY_TOTAL_FAILED};
    TimestampExpectation e = {.imprint = sha256, .imprint_size = SHA256_SIZE};
    g_autofree CadesBlob *blobs = anchors ? verify_blobs(anchors) : NULL;
    CadesBlob bytes;
    bytes.bytes = g_bytes_get_data(token, &bytes.size);
    j.detail = bytes.size > 0 ? timestamp_verify(&bytes, &e, &j.stamp) : "it is empty";
    if (j.detail)
        return j;
    j.indication = VERIFY_INDETERMINATE;
    anchors_choose(m, anchors, blobs, &e);
    j.chain_checked = e.n_anchors > 0;
    if (!j.chain_checked) {
        j.detail = "there is no trust anchor: it was not checked whose time stamp it is";
        return j;
    }
    j.detail = timestamp_verify(&bytes, &e, &j.stamp);
    if (j.detail)
        return j;
    if (j.stamp.time > at) {
        j.detail = "it is from after the moment of verification";
        return j;
    }
    e.at = at;
    if (timestamp_verify(&bytes, &e, &j.stamp)) {
        j.detail = "its authority's certificate has ended since, and nothing newer covers it";
        return j;
    }
    j.indication = VERIFY_TOTAL_PASSED;
    return j;
}

typedef struct StampInput {
    GBytes *token;
    uint8_t sha256[SHA256_SIZE];
    GPtrArray *anchors; /* GBytes* */
    uint64_t at;
} StampInput;

static void stamp_input_clear(StampInput *i) {
    g_clear_pointer(&i->token, g_bytes_unref);
    g_clear_pointer(&i->anchors, g_ptr_array_unref);
}

static int read_input(sd_bus_message *m, StampInput *i, sd_bus_error *error) {
    const void *hash;
    size_t size;
    int token, anchors = -1, r;
    g_autoptr(GBytes) bytes = NULL;
    const BusOption table[] = {{"anchors", "h", &anchors}, {"at", "t", &i->at}, {NULL, NULL, NULL}};
    if ((r = sd_bus_message_read(m, "h", &token)) < 0 || (r = sd_bus_message_read_array(m, 'y', &hash, &size)) < 0 ||
        (r = bus_read_options(m, table, error)) < 0)
        return r;
    if (size != SHA256_SIZE)
        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "A SHA-256 has 32 bytes.");
    memcpy(i->sha256, hash, SHA256_SIZE);
    i->anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    r = memfd_read(token, TOKEN_SIZE_MAX, &i->token);
    if (r == 0 && anchors >= 0 && (r = memfd_read(anchors, EONAY_FILE_SIZE_MAX, &bytes)) == 0)
        r = verify_read_anchors(bytes, i->anchors);
    return r > 0 ? fault_code_to_bus(r, error) : r;
}

static int append_authority(const Timestamp *t, sd_bus_message *m) {
    CertificateProfile *p = NULL;
    if (!t->certificate.bytes || certificate_profile_new(t->certificate.bytes, t->certificate.size, &p) < 0)
        return bus_append_string(m, "Authority", "");
    int r = bus_append_string(m, "Authority", p->subject);
    certificate_profile_free(p);
    return r;
}

static int append_judgement(const StampJudgement *j, sd_bus_message *m) {
    int r;
    if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
        (r = bus_append_string(m, "Indication", verify_indication_name(j->indication))) < 0 ||
        (r = bus_append_string(m, "Detail", j->detail ? j->detail : "")) < 0 ||
        (r = bus_append_bool(m, "ChainChecked", j->chain_checked)) < 0 ||
        (r = bus_append_u64(m, "Time", j->stamp.time > 0 ? (uint64_t)j->stamp.time * USEC_PER_SEC : 0)) < 0 ||
        (r = append_authority(&j->stamp, m)) < 0)
        return r;
    return sd_bus_message_close_container(m);
}

int manager_verify_timestamp(Client *client, sd_bus_message *m, sd_bus_error *error) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(stamp_input_clear) StampInput input = {0};
    int r = read_input(m, &input, error);
    if (r < 0)
        return r;
    int64_t at = input.at != 0 ? (int64_t)(input.at / USEC_PER_SEC) : g_get_real_time() / (int64_t)USEC_PER_SEC;
    StampJudgement j = stamp_judge(client->manager, input.token, input.sha256, input.anchors, at);
    if ((r = sd_bus_message_new_method_return(m, &reply)) < 0 || (r = append_judgement(&j, reply)) < 0)
        return r;
    return sd_bus_send(NULL, reply, NULL);
}
