/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p11-kit keeps a register of the machine's PKCS#11 modules: one small file each, installed by their packages. Its
 * library is asked which path a name stands for and is then dropped again; the module is not used through p11-kit,
 * whose managed modules bring their own locking and their own C_Initialize arguments.
 */
#include <p11-kit/p11-kit.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module.h"

static bool option_is_yes(CK_FUNCTION_LIST *list, const char *option) {
    _cleanup_free_ char *value = p11_kit_config_option(list, option);
    return value && strcmp(value, "yes") == 0;
}

static bool module_wanted(CK_FUNCTION_LIST *list, const char *name) {
    if (!name)
        return !option_is_yes(list, "trust-policy");
    _cleanup_free_ char *own = p11_kit_module_get_name(list);
    return own && strcmp(own, name) == 0;
}

/* The host checks the paths it finds in the configuration; this one it has not seen. */
static int module_check_owner(const Pkcs11 *c, const char *path) {
    struct stat st;

    if (stat(path, &st) < 0)
        return fault_text(c, EONAY_ERROR_MODULE_MISSING, "the file of the registered module does not exist");
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fault_text(c, EONAY_ERROR_MODULE_UNTRUSTED,
                          "the file of the registered module can be changed by others");
    return 0;
}

int module_registered(const Pkcs11 *c, const char *name, char **ret_path) {
    _cleanup_free_ char *path = NULL;

    if (name && name[0] == '\0')
        name = NULL;
    CK_FUNCTION_LIST **all = p11_kit_modules_load(NULL, P11_KIT_MODULE_UNMANAGED);
    if (!all)
        return fault_text(c, EONAY_ERROR_MODULE_MISSING, "the register of p11-kit cannot be read");
    for (size_t i = 0; all[i] && !path; i++)
        if (module_wanted(all[i], name))
            path = p11_kit_module_get_filename(all[i]);
    p11_kit_modules_release(all);
    if (!path)
        return fault_text(c, EONAY_ERROR_MODULE_MISSING, "p11-kit has no such module registered");

    int r = module_check_owner(c, path);
    if (r != 0)
        return r;
    *ret_path = path;
    path = NULL;
    return 0;
}
