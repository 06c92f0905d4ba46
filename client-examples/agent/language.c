/* SPDX-License-Identifier: Apache-2.0 */
#include "language.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "translate.h"

void language_set(void) {
    const char *folder = getenv("TEXTDOMAINDIR");
    if (!setlocale(LC_ALL, ""))
        setlocale(LC_ALL, "C.UTF-8");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    bindtextdomain(EONAY_GETTEXT_DOMAIN, folder && *folder ? folder : EONAY_LOCALE_DIR);
    bind_textdomain_codeset(EONAY_GETTEXT_DOMAIN, "UTF-8");
    textdomain(EONAY_GETTEXT_DOMAIN);
}
