/* SPDX-License-Identifier: Apache-2.0 */
/* Inside eonay-trust: certificates gathered, and the folder in which every version of the store stays. */
#ifndef EONAY_TRUST_TOOL_H
#define EONAY_TRUST_TOOL_H

#include <glib.h>

#include "trust-store.h"

/* gather.c: certificates in DER, each once; GBytes*. */
void gather_add(GPtrArray *list, const void *der, gsize size);
/* A file (PEM with any number of certificates, or DER), a folder of such files, or an XML depot (name ends in .xml).
 * False with the error: something in it cannot be read. */
bool gather_path(GPtrArray *list, const char *path, GError **error);

/* depot.c: an XML depot as Kamu SM publishes it: koksertifika elements with the certificate in mValue. Nothing outside
 * of the text is read: no DTD, no entities, no network. */
bool depot_read(GPtrArray *list, const char *text, gsize size, const char *path, GError **error);

/* versions.c: NNNNNN.store in the folder; `current` is a symbolic link to the one in force, replaced in one step. */
/* The version in force; 0: none. */
uint32_t versions_current(const char *folder);
/* The highest there is; 0: none. */
uint32_t versions_highest(const char *folder);
bool versions_read(const char *folder, uint32_t number, GBytes **ret, GError **error);
/* Writes a new one and puts it in force. */
bool versions_write(const char *folder, uint32_t number, const void *bytes, gsize size, GError **error);
bool versions_choose(const char *folder, uint32_t number, GError **error);

#define TRUST_ERROR trust_error_quark()
GQuark trust_error_quark(void);

#endif
