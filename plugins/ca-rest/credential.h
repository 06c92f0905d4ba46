/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret from the service manager: a file in $CREDENTIALS_DIRECTORY (systemd.exec(5), "Credentials"). The
 * configuration names the credential and never holds it.
 */
#ifndef CA_REST_CREDENTIAL_H
#define CA_REST_CREDENTIAL_H

#include <stddef.h>

#include "eonay/plugin.h"

#define CREDENTIAL_SIZE_MAX 16384u

typedef struct Credential {
    char *bytes; /* ends with NUL; NULL: none is configured */
    size_t size;
} Credential;

/*
 * The credential that the configuration key names; none when the key is absent. Errors: PLUGIN_FAILED when the name is
 * none, FILE_INVALID when it cannot be read or is empty or too large.
 */
int credential_read(const EonayHost *host, const char *key, Credential *ret);
/* The same, a single line of visible ASCII characters and spaces: it goes into a header. */
int credential_read_line(const EonayHost *host, const char *key, Credential *ret);
/* Erases it. */
void credential_clear(Credential *c);

#endif
