/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of anybody's. The local headers are read one after the other from the first byte on; the central directory has
 * to say the same again, and nothing may stand between them or behind. The manifest is made anew from the files, and
 * compared.
 */
#include "container.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "digest.h"

#define MIMETYPE "application/vnd.etsi.asic-e+zip"
#define MANIFEST "META-INF/ASiCManifest001.xml"
#define STAMP    "META-INF/timestamp001.tst"
#define RECORD   "record.json"

#define LOCAL_MAGIC   0x04034b50u
#define CENTRAL_MAGIC 0x02014b50u
#define END_MAGIC     0x06054b50u
#define LOCAL_SIZE    30u
#define CENTRAL_SIZE  46u
#define END_SIZE      22u
#define FLAG_UTF8     0x0800u

/* ---------------------------------------------------------------------------------------------------- the ZIP -- */

typedef struct Reader {
    const uint8_t *p;
    size_t size, at;
} Reader;

static uint32_t number(const uint8_t *p, unsigned bytes) {
    uint32_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static uint32_t number_at(const Reader *r, size_t offset, unsigned bytes) {
    return number(r->p + r->at + offset, bytes);
}

static bool has(const Reader *r, size_t n) {
    return n <= r->size - r->at;
}

static bool begins(const Reader *r, size_t header, uint32_t magic) {
    return has(r, header) && number_at(r, 0, 4) == magic;
}

static void file_free(gpointer file) {
    EvidenceFile *f = file;
    g_free(f->name);
    g_bytes_unref(f->bytes);
    g_free(f);
}

static bool name_sound(const char *name, size_t size) {
    if (size == 0 || size > EVIDENCE_NAME_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isalnum(name[i]) && !strchr("-./", name[i]))
            return false;
    return true;
}

/* Flags, method, sizes: as an entry that is only stored has them. */
static bool stored(const Reader *r, size_t flags, size_t method, size_t sizes) {
    return (number_at(r, flags, 2) & ~FLAG_UTF8) == 0 && number_at(r, method, 2) == 0 &&
           number_at(r, sizes, 4) == number_at(r, sizes + 4, 4);
}

/* CRC-32 of ISO 3309, as ZIP has it. */
static uint32_t crc_of(const uint8_t *p, size_t n) {
    static uint32_t table[256];
    uint32_t crc = ~0u;
    for (uint32_t i = 1; table[255] == 0 && i < 256; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
    return ~crc;
}

typedef struct Place {
    size_t header; /* of the local header */
    uint32_t crc;
} Place;

static bool local_read(Reader *r, GBytes *container, GPtrArray *files, GArray *places) {
    if (!begins(r, LOCAL_SIZE, LOCAL_MAGIC) || !stored(r, 6, 8, 18) || files->len >= EVIDENCE_FILES_MAX)
        return false;
    size_t size = number_at(r, 18, 4), name = number_at(r, 26, 2), extra = number_at(r, 28, 2);
    Place place = {.header = r->at, .crc = number_at(r, 14, 4)};
    if (extra != 0 || !has(r, LOCAL_SIZE + name) || size > r->size - r->at - LOCAL_SIZE - name)
        return false;
    const char *text = (const char *)r->p + r->at + LOCAL_SIZE;
    size_t begin = r->at + LOCAL_SIZE + name;
    if (!name_sound(text, name) || crc_of(r->p + begin, size) != place.crc)
        return false;
    EvidenceFile *f = g_new0(EvidenceFile, 1);
    f->name = g_strndup(text, name);
    f->bytes = g_bytes_new_from_bytes(container, begin, size);
    bool twice = evidence_file_find(files, f->name) != NULL;
    g_ptr_array_add(files, f);
    g_array_append_val(places, place);
    r->at = begin + size;
    return !twice;
}

static bool central_read(Reader *r, const EvidenceFile *f, const Place *place) {
    if (!begins(r, CENTRAL_SIZE, CENTRAL_MAGIC) || !stored(r, 8, 10, 20))
        return false;
    size_t name = number_at(r, 28, 2);
    if (!has(r, CENTRAL_SIZE + name) || number_at(r, 30, 2) != 0 || number_at(r, 32, 2) != 0 ||
        number_at(r, 16, 4) != place->crc || number_at(r, 20, 4) != g_bytes_get_size(f->bytes) ||
        number_at(r, 42, 4) != place->header || name != strlen(f->name) ||
        memcmp(r->p + r->at + CENTRAL_SIZE, f->name, name) != 0)
        return false;
    r->at += CENTRAL_SIZE + name;
    return true;
}

static bool end_read(const Reader *r, size_t central, size_t n) {
    return begins(r, END_SIZE, END_MAGIC) && r->size - r->at == END_SIZE && number_at(r, 4, 4) == 0 &&
           number_at(r, 8, 2) == n && number_at(r, 10, 2) == n && number_at(r, 12, 4) == r->at - central &&
           number_at(r, 16, 4) == central && number_at(r, 20, 2) == 0;
}

static bool zip_read(GBytes *container, GPtrArray *files) {
    Reader r = {0};
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));
    r.p = g_bytes_get_data(container, &r.size);
    while (begins(&r, LOCAL_SIZE, LOCAL_MAGIC))
        if (!local_read(&r, container, files, places))
            return false;
    size_t central = r.at;
    for (guint i = 0; i < files->len; i++)
        if (!central_read(&r, files->pdata[i], &g_array_index(places, Place, i)))
            return false;
    return end_read(&r, central, files->len);
}

/* ----------------------------------------------------------------------------------------------- the manifest -- */

static const char *type_of(const char *name) {
    if (g_str_has_suffix(name, ".p7s"))
        return "application/pkcs7-signature";
    return g_str_has_suffix(name, ".json") ? "application/json" : "text/plain";
}

static void reference_append(GString *xml, const EvidenceFile *f) {
    uint8_t digest[DIGEST_SIZE];
    digest_of_bytes(f->bytes, digest);
    g_autofree char *base64 = g_base64_encode(digest, sizeof(digest));
    g_string_append_printf(xml,
                           "  <asic:DataObjectReference URI=\"%s\" MimeType=\"%s\">\n"
                           "    <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\n"
                           "    <ds:DigestValue>%s</ds:DigestValue>\n"
                           "  </asic:DataObjectReference>\n",
                           f->name, type_of(f->name), base64);
}

static bool is_frame(const char *name) {
    return strcmp(name, "mimetype") == 0 || strcmp(name, MANIFEST) == 0 || strcmp(name, STAMP) == 0;
}

static bool manifest_right(const GPtrArray *files) {
    gsize size;
    const char *there = g_bytes_get_data(evidence_manifest(files), &size);
    g_autoptr(GString) xml =
        g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\""
                     " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n"
                     "  <asic:SigReference URI=\"" STAMP "\" MimeType=\"application/vnd.etsi.timestamp-token\"/>\n");
    for (guint i = 0; i < files->len; i++) {
        const EvidenceFile *f = files->pdata[i];
        if (!is_frame(f->name))
            reference_append(xml, f);
    }
    g_string_append(xml, "</asic:ASiCManifest>\n");
    return there && size == xml->len && memcmp(there, xml->str, size) == 0;
}

/* -------------------------------------------------------------------------------------------------- the whole -- */

GBytes *evidence_file_find(const GPtrArray *files, const char *name) {
    for (guint i = 0; i < files->len; i++) {
        const EvidenceFile *f = files->pdata[i];
        if (strcmp(f->name, name) == 0)
            return f->bytes;
    }
    return NULL;
}

GBytes *evidence_manifest(const GPtrArray *files) {
    return evidence_file_find(files, MANIFEST);
}

GBytes *evidence_stamp(const GPtrArray *files) {
    return evidence_file_find(files, STAMP);
}

GBytes *evidence_record(const GPtrArray *files) {
    return evidence_file_find(files, RECORD);
}

static bool typed(const GPtrArray *files) {
    const EvidenceFile *first = files->len > 0 ? files->pdata[0] : NULL;
    return first && strcmp(first->name, "mimetype") == 0 && g_bytes_get_size(first->bytes) == strlen(MIMETYPE) &&
           memcmp(g_bytes_get_data(first->bytes, NULL), MIMETYPE, strlen(MIMETYPE)) == 0;
}

const char *evidence_container_open(GBytes *container, GPtrArray **ret) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(file_free);
    if (g_bytes_get_size(container) > EVIDENCE_CONTAINER_MAX)
        return "it is larger than a container may be";
    if (!zip_read(container, files) || !typed(files))
        return "it is no container as eonayctl export writes them, or it was damaged";
    if (!evidence_manifest(files) || !evidence_stamp(files) || !evidence_record(files))
        return "a part of it is missing";
    if (!manifest_right(files))
        return "its files are not those of its manifest";
    *ret = g_steal_pointer(&files);
    return NULL;
}
