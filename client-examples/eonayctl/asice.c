/* SPDX-License-Identifier: Apache-2.0 */
#include "asice.h"

#include <errno.h>
#include <string.h>

#include "asice-manifest.h"
#include "ctl.h"

#define SHA256_SIZE 32u

void asice_digest(GBytes *bytes, uint8_t ret[32]) {
    gsize size = SHA256_SIZE;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes));
    g_checksum_get_digest(sum, ret, &size);
}

int asice_manifest(const GPtrArray *files, GBytes **ret) {
    g_autoptr(AsiceManifest) m = asice_manifest_new();
    m->stamp = g_strdup(ASICE_STAMP);
    for (guint i = 0; i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        uint8_t digest[SHA256_SIZE];
        asice_digest(f->bytes, digest);
        asice_manifest_add(m, f->name, digest);
    }
    return asice_manifest_write(m, ret);
}

int asice_make(const GPtrArray *files, GBytes *manifest, GBytes *token, GBytes **ret) {
    g_autoptr(GPtrArray) all = container_new();
    g_autoptr(GBytes) mimetype = g_bytes_new_static(ASICE_MIMETYPE, strlen(ASICE_MIMETYPE));
    container_add(all, "mimetype", mimetype);
    for (guint i = 0; i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        container_add(all, f->name, f->bytes);
    }
    container_add(all, ASICE_MANIFEST, manifest);
    container_add(all, ASICE_STAMP, token);
    return container_pack(all, ret);
}

/* Each file that the manifest names is there, once, as it was. */
static const char *references_check(const AsiceManifest *m, const GPtrArray *files, GHashTable *named,
                                    char **ret_name) {
    for (guint i = 0; i < m->references->len; i++) {
        const AsiceReference *r = m->references->pdata[i];
        GBytes *bytes = container_find(files, r->name);
        uint8_t digest[SHA256_SIZE];
        *ret_name = g_strdup(r->name);
        if (!bytes)
            return N_("a file that the manifest names is missing");
        if (!g_hash_table_add(named, r->name))
            return N_("the manifest names a file twice");
        asice_digest(bytes, digest);
        if (memcmp(digest, r->digest, SHA256_SIZE) != 0)
            return N_("a file is not the one that was stamped");
        g_clear_pointer(ret_name, g_free);
    }
    return NULL;
}

static bool needs_no_naming(const char *name) {
    return strcmp(name, "mimetype") == 0 || strcmp(name, ASICE_MANIFEST) == 0 || strcmp(name, ASICE_STAMP) == 0;
}

static const char *files_check(const GPtrArray *files, char **ret_name) {
    GBytes *xml = container_find(files, ASICE_MANIFEST);
    g_autoptr(AsiceManifest) m = xml ? asice_manifest_read(xml) : NULL;
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
    if (!m)
        return N_("it has no manifest that can be read");
    if (strcmp(m->stamp, ASICE_STAMP) != 0 || !container_find(files, ASICE_STAMP))
        return N_("it has no time stamp");
    const char *why = references_check(m, files, named, ret_name);
    for (guint i = 0; !why && i < files->len; i++) {
        const ContainerFile *f = files->pdata[i];
        if (needs_no_naming(f->name) || g_hash_table_contains(named, f->name))
            continue;
        *ret_name = g_strdup(f->name);
        why = N_("a file is in it that the manifest does not name");
    }
    return why;
}

const char *asice_open(GBytes *zip, size_t max, GPtrArray **ret_files, char **ret_name) {
    g_autoptr(GPtrArray) files = NULL;
    *ret_name = NULL;
    int r = container_begins(zip, ASICE_MIMETYPE) ? container_unpack(zip, max, &files) : -EBADMSG;
    if (r != 0)
        return r == -EFBIG ? N_("it is larger than a container may be") : N_("it is no sound ZIP file");
    const char *why = files_check(files, ret_name);
    if (!why)
        *ret_files = g_steal_pointer(&files);
    return why;
}
