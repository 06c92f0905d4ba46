/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that must not be loaded; BAD says what is wrong with each. */
#include "eonay/plugin.h"

#define BAD_SYMBOL     1
#define BAD_ABI        2
#define BAD_SIZE       3
#define BAD_OPERATIONS 4
#define BAD_TABLE      5

static int bad_open(const EonayHost *host, void **ret_context) {
    (void)host;
    *ret_context = NULL;
    return 0;
}

static void bad_close(void *context) {
    (void)context;
}

static const EonayTokenOps bad_token = {
    .struct_size = BAD == BAD_TABLE ? 16 : sizeof(bad_token), .open = bad_open, .close = bad_close};

#if BAD == BAD_SYMBOL
#define eonay_plugin eonay_something_else
extern EONAY_PLUGIN_EXPORT const EonayPlugin eonay_plugin;
#endif

const EonayPlugin eonay_plugin = {.abi_major = BAD == BAD_ABI ? EONAY_PLUGIN_ABI_MAJOR + 1 : EONAY_PLUGIN_ABI_MAJOR,
                                  .abi_minor = EONAY_PLUGIN_ABI_MINOR,
                                  .struct_size = BAD == BAD_SIZE ? 8 : sizeof(EonayPlugin),
                                  .kind = EONAY_PLUGIN_TOKEN,
                                  .name = "bad",
                                  .version = "1",
                                  .token = &bad_token};
