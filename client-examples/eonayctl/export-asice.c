/* SPDX-License-Identifier: Apache-2.0 */
#include "export-asice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "asice.h"
#include "bus.h"
#include "error.h"
#include "failure.h"
#include "file.h"
#include "json.h"

#define TOKEN_SIZE_MAX (128u * 1024)

static void add_base64(GPtrArray *files, const char *name, const char *text) {
    gsize size = 0;
    guint8 *bytes = g_base64_decode(text, &size);
    g_autoptr(GBytes) content = g_bytes_new_take(bytes, size);
    container_add(files, name, content);
}

/* consent.txt and consent.p7s, consent-2.txt and consent-2.p7s … */
static void add_texts(GPtrArray *files, const json_t *evidence) {
    const json_t *texts = json_object_get(evidence, "texts");
    const json_t *signatures = json_object_get(evidence, "signatures_base64");
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        g_autofree char *text = i == 0 ? g_strdup("consent.txt") : file_numbered("consent.txt", (unsigned)i + 1);
        g_autofree char *signature = i == 0 ? g_strdup("consent.p7s") : file_numbered("consent.p7s", (unsigned)i + 1);
        const char *signed_bytes = json_string_value(json_array_get(signatures, i));
        add_base64(files, text, json_get_string(json_array_get(texts, i), "bytes_base64", ""));
        add_base64(files, signature, signed_bytes ? signed_bytes : "");
    }
}

/* What the authority confirmed, by itself: whoever is shown it need not see the rest. */
static void add_receipt(GPtrArray *files, const json_t *evidence) {
    static const char *const keys[] = {"consent_id", "receipt_id", "backend", "requester", "purpose", "submitted_at"};
    _cleanup_json_ json_t *receipt = json_object();
    json_t *hashes = json_array();
    const json_t *texts = json_object_get(evidence, "texts");
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        json_object_set(receipt, keys[i], json_object_get(evidence, keys[i]));
    for (size_t i = 0; i < json_array_size(texts); i++)
        json_array_append(hashes, json_object_get(json_array_get(texts, i), "sha256"));
    json_object_set_new(receipt, "text_sha256", hashes);
    char *text = json_text(receipt);
    g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));
    container_add(files, "receipt.json", bytes);
}

/* Without an authority there is another way, which the table's hint does not know. */
static int stamp_refused(Ctl *ctl, int r, const sd_bus_error *error) {
    int code = sd_bus_error_is_set(error) ? eonay_error_from_name(error->name) : 0;
    int status = failure_exit(code);
    if (code != EONAY_ERROR_LEVEL_UNREACHABLE)
        return failure_report(ctl, r, error);
    if (ctl->json)
        json_print(json_pack("{s:s}", "Error", error->name));
    fputs(_("eonayctl: an ASiC-E needs a time stamp, and this service has no time-stamp authority that it trusts.\n"
            "A name that ends in .asics writes the signatures in containers without one.\n"),
          stderr);
    return status != CTL_OK ? status : CTL_FAILED;
}

static int stamp_fetch(Ctl *ctl, const char *id, GBytes *manifest, GBytes **ret) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
    uint8_t digest[32];
    int fd;
    asice_digest(manifest, digest);
    sd_bus_message *m = bus_method(ctl, NULL, NULL, "StampEvidence");
    if (m) {
        sd_bus_message_append(m, "s", id);
        sd_bus_message_append_array(m, 'y', digest, sizeof(digest));
        sd_bus_message_append(m, "a{sv}", 0);
    }
    int r = bus_call(ctl, m, &reply, &error);
    if (r < 0)
        return stamp_refused(ctl, r, &error);
    r = sd_bus_message_read(reply, "h", &fd);
    if (r >= 0)
        r = file_from_memfd(fd, TOKEN_SIZE_MAX, ret);
    return r < 0 ? failure_report_errno(ctl, r) : CTL_OK;
}

int export_asice(Ctl *ctl, const char *id, const json_t *evidence, GBytes *record, GBytes **ret) {
    g_autoptr(GPtrArray) files = container_new();
    g_autoptr(GBytes) manifest = NULL;
    g_autoptr(GBytes) token = NULL;
    if (json_array_size(json_object_get(evidence, "signatures_base64")) == 0) {
        fputs(_("eonayctl: this consent was not signed.\n"), stderr);
        return CTL_FAILED;
    }
    add_texts(files, evidence);
    add_receipt(files, evidence);
    container_add(files, "record.json", record);
    int error = asice_manifest(files, &manifest);
    if (error != 0)
        return failure_report_errno(ctl, error);
    int r = stamp_fetch(ctl, id, manifest, &token);
    if (r != CTL_OK)
        return r;
    error = asice_make(files, manifest, token, ret);
    return error != 0 ? failure_report_errno(ctl, error) : CTL_OK;
}
