/* SPDX-License-Identifier: Apache-2.0 */
#include <libxml/parser.h>
#include <openssl/x509.h>
#include <string.h>

#include "trust.h"

#define CERTIFICATES_MAX TRUST_STORE_CERTIFICATES_MAX

static bool is_element(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static bool add_value(GPtrArray *list, xmlNode *value) {
    xmlChar *text = xmlNodeGetContent(value);
    gsize size = 0;
    g_autofree guchar *der = text ? g_base64_decode((const char *)text, &size) : NULL;
    const unsigned char *p = der;
    X509 *parsed = size > 0 ? d2i_X509(NULL, &p, (long)size) : NULL;
    bool good = parsed && p == der + size && list->len < CERTIFICATES_MAX;
    if (good)
        gather_add(list, der, size);
    X509_free(parsed);
    xmlFree(text);
    return good;
}

/* One koksertifika: its own mValue, at whatever depth the depot has it. */
static bool walk(GPtrArray *list, xmlNode *node, bool inside, unsigned depth, guint *n) {
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (inside && is_element(node, "mValue")) {
            ++*n;
            if (!add_value(list, node))
                return false;
        } else if (depth == 0 || !walk(list, node->children, inside || is_element(node, "koksertifika"), depth - 1, n))
            return false;
    }
    return true;
}

bool depot_read(GPtrArray *list, const char *text, gsize size, const char *path, GError **error) {
    guint n = 0;
    xmlDoc *doc = xmlReadMemory(text, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const char *why = !doc                   ? "not well-formed XML"
                      : xmlGetIntSubset(doc) ? "it has a document type, which a depot has no use for"
                                             : NULL;
    if (!why && !walk(list, xmlDocGetRootElement(doc), false, 16, &n))
        why = "one of its certificates cannot be read";
    if (!why && n == 0)
        why = "no certificate in it (koksertifika, mValue)";
    xmlFreeDoc(doc);
    if (why)
        g_set_error(error, TRUST_ERROR, 0, "%s: %s", path, why);
    return !why;
}
