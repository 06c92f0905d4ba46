/* SPDX-License-Identifier: Apache-2.0 */
/* A small ZIP file in memory, as the containers of ETSI EN 319 162-1 are: nothing compressed, the order kept. */
#ifndef EONAYCTL_CONTAINER_H
#define EONAYCTL_CONTAINER_H

#include <glib.h>
#include <stdbool.h>

#define CONTAINER_FILES_MAX 64u

typedef struct ContainerFile {
    char *name;
    GBytes *bytes;
} ContainerFile;

/* ContainerFile*, owned. */
GPtrArray *container_new(void);
void container_add(GPtrArray *files, const char *name, GBytes *bytes);
/* NULL when there is none of that name. */
GBytes *container_find(const GPtrArray *files, const char *name);

/* -EIO when libzip fails. */
int container_pack(const GPtrArray *files, GBytes **ret);
/* -EBADMSG when it is no sound ZIP file, has too many files or two of one name; -EFBIG when one is above max, or all of
 * them together above four times that. */
int container_unpack(GBytes *zip, size_t max, GPtrArray **ret);

/* Whether these bytes begin like a container of that type: its mimetype comes first and is stored. */
bool container_begins(GBytes *zip, const char *mimetype);

#endif
