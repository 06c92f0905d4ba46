/* SPDX-License-Identifier: Apache-2.0 */
/* Whose files are loaded in the user namespace of an ordinary user, as ./demo --card makes one. */
#include "trust.h"

#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eonay/plugin.h"

#define SOME_UID      12345
#define OVERFLOW      65534
#define NO_NAMESPACES 77

static bool write_to(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

/* This process becomes root of a user namespace that knows nobody else; false where the kernel forbids it. */
static bool enter_namespace(void) {
    if (geteuid() == 0 && (setresgid(SOME_UID, SOME_UID, SOME_UID) < 0 || setresuid(SOME_UID, SOME_UID, SOME_UID) < 0))
        return false;
    char map[64];
    snprintf(map, sizeof(map), "0 %u 1\n", geteuid());
    return prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER) == 0 && write_to("/proc/self/uid_map", map);
}

static int check_with(const Trust *trust, const char *path) {
    g_autofree char *reason = NULL;
    return trust_check_module(trust, path, &reason);
}

/* 0, or the number of what does not hold. */
static int look_inside(const char *library) {
    if (!enter_namespace())
        return NO_NAMESPACES;
    const uid_t hidden = trust_hidden_owner();
    if (hidden != OVERFLOW)
        return 1;
    if (check_with(&(Trust){.own = true, .uid = 0, .hidden = hidden}, library) != 0)
        return 2;
    if (check_with(&(Trust){.own = false, .uid = 0, .hidden = hidden}, library) != EONAY_ERROR_MODULE_UNTRUSTED)
        return 3;
    return check_with(&(Trust){.own = true, .uid = 0}, library) == EONAY_ERROR_MODULE_UNTRUSTED ? 0 : 4;
}

START_TEST(system_libraries_are_loaded_by_a_users_own_daemon_only) {
    Dl_info libc;
    int status;
    ck_assert_int_ne(dladdr((void *)(uintptr_t)fopen, &libc), 0);
    g_autofree char *library = realpath(libc.dli_fname, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(look_inside(library));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) != NO_NAMESPACES)
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void) {
    Suite *s = suite_create("host-trust");
    TCase *t = tcase_create("trust");
    tcase_add_test(t, system_libraries_are_loaded_by_a_users_own_daemon_only);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
