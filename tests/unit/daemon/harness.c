/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <stdlib.h>
#include <syslog.h>

#include "log.h"

char *harness_folder(void) {
    char *folder = g_dir_make_tmp("eonay-test-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    return folder;
}

static void remove_tree(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

void harness_remove(char *folder) {
    remove_tree(folder);
    g_free(folder);
}

char *harness_file(const char *folder, const char *name, const char *content) {
    char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    ck_assert_int_eq(g_mkdir_with_parents(parent, 0700), 0);
    ck_assert(g_file_set_contents(path, content, -1, NULL));
    return path;
}

int harness_run(Suite *suite) {
    setlocale(LC_ALL, "");
    log_open("test", LOG_CRIT);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
