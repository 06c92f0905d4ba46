/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests come from anyone: no document type, no network, and nothing that is not known is passed over. */
#include "asice-manifest.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#include "container.h"

#define ASIC_NS       "http://uri.etsi.org/02918/v1.2.1#"
#define DSIG_NS       "http://www.w3.org/2000/09/xmldsig#"
#define SHA256_URI    "http://www.w3.org/2001/04/xmlenc#sha256"
#define SHA256_SIZE   32u
#define MANIFEST_MAX  (256u * 1024)
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS)

static void reference_free(gpointer reference) {
    AsiceReference *r = reference;
    g_free(r->name);
    g_free(r);
}

AsiceManifest *asice_manifest_new(void) {
    AsiceManifest *m = g_new0(AsiceManifest, 1);
    m->references = g_ptr_array_new_with_free_func(reference_free);
    return m;
}

void asice_manifest_free(AsiceManifest *m) {
    if (!m)
        return;
    g_free(m->stamp);
    g_ptr_array_unref(m->references);
    g_free(m);
}

void asice_manifest_add(AsiceManifest *m, const char *name, const uint8_t digest[32]) {
    AsiceReference *r = g_new0(AsiceReference, 1);
    r->name = g_strdup(name);
    memcpy(r->digest, digest, SHA256_SIZE);
    g_ptr_array_add(m->references, r);
}

/* ----------------------------------------------------------------------------------------------------- writing -- */

static const char *type_of(const char *name) {
    if (g_str_has_suffix(name, ".p7s"))
        return "application/pkcs7-signature";
    return g_str_has_suffix(name, ".json") ? "application/json" : "text/plain";
}

static void write_attribute(xmlNode *node, const char *name, const char *value) {
    xmlNewProp(node, BAD_CAST name, BAD_CAST value);
}

static void write_reference(xmlNode *root, xmlNs *asic, xmlNs *dsig, const AsiceReference *r) {
    g_autofree char *digest = g_base64_encode(r->digest, SHA256_SIZE);
    xmlNode *node = xmlNewChild(root, asic, BAD_CAST "DataObjectReference", NULL);
    write_attribute(node, "URI", r->name);
    write_attribute(node, "MimeType", type_of(r->name));
    write_attribute(xmlNewChild(node, dsig, BAD_CAST "DigestMethod", NULL), "Algorithm", SHA256_URI);
    xmlNewTextChild(node, dsig, BAD_CAST "DigestValue", BAD_CAST digest);
}

int asice_manifest_write(const AsiceManifest *m, GBytes **ret) {
    xmlChar *text = NULL;
    int size = 0;
    xmlDoc *doc = xmlNewDoc(BAD_CAST "1.0");
    xmlNode *root = xmlNewNode(NULL, BAD_CAST "ASiCManifest");
    xmlDocSetRootElement(doc, root);
    xmlNs *asic = xmlNewNs(root, BAD_CAST ASIC_NS, BAD_CAST "asic");
    xmlNs *dsig = xmlNewNs(root, BAD_CAST DSIG_NS, BAD_CAST "ds");
    xmlSetNs(root, asic);
    xmlNode *stamp = xmlNewChild(root, asic, BAD_CAST "SigReference", NULL);
    write_attribute(stamp, "URI", m->stamp);
    write_attribute(stamp, "MimeType", ASICE_STAMP_TYPE);
    for (guint i = 0; i < m->references->len; i++)
        write_reference(root, asic, dsig, m->references->pdata[i]);
    xmlDocDumpFormatMemoryEnc(doc, &text, &size, "UTF-8", 1);
    xmlFreeDoc(doc);
    if (!text)
        return -ENOMEM;
    *ret = g_bytes_new(text, (gsize)size);
    xmlFree(text);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- reading -- */

static bool is_element(const xmlNode *node, const char *ns, const char *name) {
    return node && node->type == XML_ELEMENT_NODE && node->ns && strcmp((const char *)node->ns->href, ns) == 0 &&
           strcmp((const char *)node->name, name) == 0;
}

/* Release with g_free(). */
static char *attribute(xmlNode *node, const char *name) {
    xmlChar *value = xmlGetNoNsProp(node, BAD_CAST name);
    char *copy = g_strdup((const char *)value);
    xmlFree(value);
    return copy;
}

static bool digest_read(xmlNode *value, uint8_t ret[32]) {
    xmlChar *text = xmlNodeGetContent(value);
    gsize size = 0;
    g_autofree guchar *bytes = text ? g_base64_decode((const char *)text, &size) : NULL;
    xmlFree(text);
    if (size != SHA256_SIZE)
        return false;
    memcpy(ret, bytes, SHA256_SIZE);
    return true;
}

static bool reference_read(AsiceManifest *m, xmlNode *node) {
    xmlNode *method = node->children, *value = method ? method->next : NULL;
    uint8_t digest[SHA256_SIZE];
    if (!is_element(node, ASIC_NS, "DataObjectReference") || !is_element(method, DSIG_NS, "DigestMethod") ||
        !is_element(value, DSIG_NS, "DigestValue") || value->next || m->references->len >= CONTAINER_FILES_MAX)
        return false;
    g_autofree char *name = attribute(node, "URI");
    g_autofree char *algorithm = attribute(method, "Algorithm");
    if (!name || !*name || g_strcmp0(algorithm, SHA256_URI) != 0 || !digest_read(value, digest))
        return false;
    asice_manifest_add(m, name, digest);
    return true;
}

static bool stamp_read(AsiceManifest *m, xmlNode *node) {
    if (!is_element(node, ASIC_NS, "SigReference"))
        return false;
    g_autofree char *type = attribute(node, "MimeType");
    m->stamp = attribute(node, "URI");
    return m->stamp && g_strcmp0(type, ASICE_STAMP_TYPE) == 0;
}

static bool document_read(AsiceManifest *m, xmlDoc *doc) {
    xmlNode *root = xmlDocGetRootElement(doc);
    if (xmlGetIntSubset(doc) || !is_element(root, ASIC_NS, "ASiCManifest") || !stamp_read(m, root->children))
        return false;
    for (xmlNode *node = root->children->next; node; node = node->next)
        if (!reference_read(m, node))
            return false;
    return m->references->len > 0;
}

AsiceManifest *asice_manifest_read(GBytes *xml) {
    gsize size;
    const char *text = g_bytes_get_data(xml, &size);
    g_autoptr(AsiceManifest) m = asice_manifest_new();
    xmlDoc *doc = size > 0 && size <= MANIFEST_MAX ? xmlReadMemory(text, (int)size, NULL, NULL, PARSE_OPTIONS) : NULL;
    bool good = doc && document_read(m, doc);
    xmlFreeDoc(doc);
    return good ? g_steal_pointer(&m) : NULL;
}
