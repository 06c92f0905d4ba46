/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walls, from inside: the probe plugin (probe.c) tries to get out and tells what happened. What it must not reach
 * is really there: a socket that listens, a port that answers, a file that everybody may read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static HostUnderTest host;
static Outcome outcome;
static char folder[64];
static char outside[128], inside[128], read_folder[128], write_folder[128], bus[128], abstract[128], port[16],
    run_device[32], network[64];
static char inverted_pin[2 * sizeof(TEST_PIN)];
static int listeners[3];

/* ------------------------------------------------------------------------------------------------- what is there -- */

static void path_of(char *ret, size_t size, const char *name) {
    snprintf(ret, size, "%s/%s", folder, name);
}

static void make_file(const char *path) {
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
}

static int listen_unix(const char *path, bool is_abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    memcpy(address.sun_path + (is_abstract ? 1 : 0), path, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1)),
                     0);
    ck_assert_int_eq(listen(fd, 5), 0);
    return fd;
}

static int listen_tcp(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
    return fd;
}

/* Whether this machine lets us have namespaces at all; where it does not, the host must do without them. */
static bool namespaces_are_possible(void) {
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 ? 0
                                                                                                                   : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status == 0;
}

static const char *if_possible(const char *result) {
    return namespaces_are_possible() ? result : "EEXIST";
}

static void note_namespaces(void) {
    struct stat st;
    ck_assert_int_eq(stat("/run", &st), 0);
    snprintf(run_device, sizeof(run_device), "%lu", (unsigned long)st.st_dev);
    ck_assert_int_gt(readlink("/proc/self/ns/net", network, sizeof(network) - 1), 0);
}

static void setup(void) {
    note_namespaces();
    snprintf(folder, sizeof(folder), "/tmp/eonay-confine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path_of(outside, sizeof(outside), "outside");
    path_of(read_folder, sizeof(read_folder), "read");
    path_of(write_folder, sizeof(write_folder), "write");
    path_of(inside, sizeof(inside), "read/inside");
    path_of(bus, sizeof(bus), "bus");
    snprintf(abstract, sizeof(abstract), "eonay-%s", folder + strlen("/tmp/"));
    ck_assert_int_eq(mkdir(read_folder, 0755), 0);
    ck_assert_int_eq(mkdir(write_folder, 0755), 0);
    make_file(outside);
    make_file(inside);
    listeners[0] = listen_unix(bus, false);
    listeners[1] = listen_unix(abstract, true);
    listeners[2] = listen_tcp();
    for (size_t i = 0; i < strlen(TEST_PIN); i++)
        snprintf(inverted_pin + 2 * i, 3, "%02x", (uint8_t) ~(uint8_t)TEST_PIN[i]);
    ck_assert_int_eq(setenv("PROBE_INHERITED", "1", 1), 0);
    host_start(&host);
}

static void teardown(void) {
    char made[160];
    snprintf(made, sizeof(made), "%s/made-by-probe", write_folder);
    for (size_t i = 0; i < 3; i++)
        close(listeners[i]);
    unlink(made);
    path_of(bus, sizeof(bus), "bus");
    unlink(outside);
    unlink(inside);
    unlink(bus);
    rmdir(read_folder);
    rmdir(write_folder);
    rmdir(folder);
}

static void open_probe(const char *const *needs, const char *leak) {
    const OpenArguments a = {.kind = "token",
                             .plugin = "probe",
                             .library = test_path("PROBE"),
                             .needs = needs,
                             .config =
                                 STRINGS("Outside", outside, "Inside", inside, "ReadFolder", read_folder, "WriteFolder",
                                         write_folder, "Bus", bus, "Abstract", abstract, "Port", port, "RunDevice",
                                         run_device, "Network", network, "InvertedPin", inverted_pin, "Leak", leak),
                             .read_paths = STRINGS(read_folder),
                             .write_paths = STRINGS(write_folder),
                             .environment = STRINGS("PROBE_GIVEN=a=b")};
    int r = host_open(&host, &a, &outcome);
    ck_assert_msg(r == 0, "%d %s", r, outcome.text);
}

/* ------------------------------------------------------------------------------------------------------ results -- */

static sd_bus_message *results;

static void probe(void) {
    sd_bus_message *m = host_message(&host, HOST_METHOD_LIST);
    ck_assert_int_ge(sd_bus_message_append(m, "ah", 0), 0);
    ck_assert_int_eq(host_call(&host, m, &outcome, &results), 0);
}

/* The label of the token whose key is `name`; tokens begin with Key and Label. */
static const char *result(const char *name) {
    const char *field, *token, *label;
    ck_assert_int_ge(sd_bus_message_rewind(results, 1), 0);
    ck_assert_int_gt(sd_bus_message_skip(results, HOST_OUTCOME), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(results, 'a', "(a{sv}a(aya{sv}))"), 0);
    while (sd_bus_message_enter_container(results, 'r', "a{sv}a(aya{sv})") > 0) {
        ck_assert_int_gt(sd_bus_message_enter_container(results, 'a', "{sv}"), 0);
        ck_assert_int_gt(sd_bus_message_read(results, "{sv}", &field, "s", &token), 0);
        ck_assert_int_gt(sd_bus_message_read(results, "{sv}", &field, "s", &label), 0);
        if (strcmp(token, name) == 0)
            return label;
        while (sd_bus_message_skip(results, "{sv}") > 0)
            ;
        ck_assert_int_ge(sd_bus_message_exit_container(results), 0);
        ck_assert_int_ge(sd_bus_message_skip(results, "a(aya{sv})"), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(results), 0);
    }
    ck_abort_msg("no result for %s", name);
    return NULL;
}

typedef struct Expected {
    const char *name;
    const char *result;
} Expected;

static void expect(const Expected *rows, size_t n) {
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(strcmp(result(rows[i].name), rows[i].result) == 0, "%s: %s instead of %s", rows[i].name,
                      result(rows[i].name), rows[i].result);
}
#define EXPECT(...) expect((const Expected[]){__VA_ARGS__}, sizeof((const Expected[]){__VA_ARGS__}) / sizeof(Expected))

/* reading: what comes of reading a file that the plugin was not given */
static void expect_what_every_host_has(const char *reading) {
    EXPECT({"read-outside", reading}, {"read-passwd", reading}, {"read-inside", "done"}, {"write-inside", "EACCES"},
           {"make-in-read-path", "EACCES"}, {"make-in-write-path", "done"}, {"truncate-outside", "EPERM"},
           {"chmod-outside", "EPERM"}, {"read-urandom", "done"}, {"execve", "EACCES"}, {"execveat", "EACCES"},
           {"fork", "EPERM"}, {"ptrace", "EPERM"}, {"read-parent", "EPERM"}, {"signal-parent", "EPERM"},
           {"signal-self", "done"}, {"thread", "done"}, {"unshare", "EPERM"}, {"mount", "EPERM"}, {"bpf", "EPERM"},
           {"io-uring", "EPERM"}, {"keyctl", "EPERM"}, {"personality", "EPERM"}, {"set-dumpable", "EPERM"},
           {"undumpable", "done"}, {"no-capabilities", "done"}, {"descriptors", "done"}, {"environment", "done"},
           {"streams", "done"}, {"memory", "done"}, {"socket-netlink", result("socket-packet")});
}

static void finish(void) {
    sd_bus_message_unref(results);
    ck_assert_int_eq(host_stop(&host), 0);
}

START_TEST(a_soft_token_has_no_socket_at_all) {
    open_probe(NULL, "0");
    probe();
    expect_what_every_host_has("EACCES");
    EXPECT({"socket-inet", "EACCES"}, {"socket-inet6", "EACCES"}, {"socket-unix", "EACCES"},
           {"socket-netlink", "EACCES"}, {"socketpair", "EACCES"}, {"connect-bus", "EACCES"},
           {"connect-abstract", "EACCES"}, {"connect-tcp", "EACCES"}, {"map-made-code", "EPERM"},
           {"protect-made-code", "EPERM"}, {"private-network", if_possible("done")});
    finish();
}
END_TEST

/* Its UNIX sockets are for pcscd; what it could name with them is another matter. */
START_TEST(a_card_host_has_unix_sockets_and_nothing_to_find_with_them) {
    open_probe(STRINGS("card"), "0");
    probe();
    expect_what_every_host_has(namespaces_are_possible() ? "ENOENT" : "EACCES"); /* not there, or refused */
    EXPECT({"socket-inet", "EAFNOSUPPORT"}, {"socket-inet6", "EAFNOSUPPORT"}, {"socket-netlink", "EAFNOSUPPORT"},
           {"socket-unix", "done"}, {"connect-tcp", "EAFNOSUPPORT"}, {"map-made-code", "EPERM"});
    ck_assert_str_ne(result("connect-abstract"), "done");
    EXPECT({"private-run", if_possible("done")}, {"private-network", if_possible("done")});
    finish();
}
END_TEST

/* A /run as a machine has it, with a system bus and a pcscd. Only root can make one whose files still count as root's.
 */
static void make_run(void) {
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
    ck_assert_int_eq(mkdir("/run/dbus", 0755), 0);
    ck_assert_int_eq(mkdir("/run/pcscd", 0755), 0);
    listen_unix("/run/dbus/system_bus_socket", false);
    listen_unix("/run/pcscd/pcscd.comm", false);
    note_namespaces();
}

START_TEST(a_card_host_reaches_pcscd_and_not_the_system_bus) {
    if (geteuid() != 0 || !namespaces_are_possible()) {
        ck_assert_int_eq(host_stop(&host), 0); /* what an ordinary user can have is in the test before this one */
        return;
    }
    ck_assert_int_eq(host_stop(&host), 0);
    make_run();
    host_start(&host);
    snprintf(bus, sizeof(bus), "%s", _i == 0 ? "/run/pcscd/pcscd.comm" : "/run/dbus/system_bus_socket");
    open_probe(STRINGS("card"), "0");
    probe();
    ck_assert_str_eq(result("connect-bus"), _i == 0 ? "done" : "ENOENT");
    finish();
}
END_TEST

START_TEST(a_network_host_has_no_unix_sockets) {
    open_probe(STRINGS("network"), "0");
    probe();
    expect_what_every_host_has("EACCES");
    EXPECT({"socket-inet", "done"}, {"socket-inet6", "done"}, {"connect-tcp", "done"}, {"socket-unix", "EAFNOSUPPORT"},
           {"connect-bus", "EAFNOSUPPORT"}, {"socket-netlink", "EAFNOSUPPORT"}, {"map-made-code", "EPERM"},
           {"private-network", "EEXIST"});
    finish();
}
END_TEST

START_TEST(a_network_host_takes_no_pin) {
    open_probe(STRINGS("network"), "1");
    ck_assert_int_eq(host_login(&host, 1, "t", TEST_PIN, 0, &outcome), EONAY_ERROR_PIN_PAD_REQUIRED);
    probe();
    EXPECT({"memory", "done"});
    ck_assert_int_eq(host_login(&host, 2, "t", NULL, 0, &outcome), 0);
    finish();
}
END_TEST

START_TEST(jit_allows_made_code) {
    open_probe(STRINGS("jit", "files"), "0");
    probe();
    EXPECT({"map-made-code", "done"}, {"protect-made-code", "done"}, {"socket-unix", "EACCES"}, {"execve", "EACCES"});
    finish();
}
END_TEST

START_TEST(an_unknown_need_is_refused) {
    const OpenArguments a = {
        .kind = "token", .plugin = "probe", .library = test_path("PROBE"), .needs = STRINGS("everything")};
    ck_assert_int_lt(host_open(&host, &a, &outcome), 0);
    ck_assert_int_ne(host_wait(&host), 0);
}
END_TEST

START_TEST(a_missing_path_is_no_obstacle) {
    const OpenArguments a = {
        .kind = "token", .plugin = "probe", .library = test_path("PROBE"), .read_paths = STRINGS("/nowhere/at/all")};
    ck_assert_int_eq(host_open(&host, &a, &outcome), 0);
    ck_assert_int_eq(host_stop(&host), 0);
    char *log = host_log(&host);
    ck_assert_ptr_nonnull(strstr(log, "/nowhere/at/all"));
    free(log);
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- the PIN --
 */

static void login(void) {
    ck_assert_int_eq(host_login(&host, 1, "t", TEST_PIN, 0, &outcome), 0);
}

static void sign(void) {
    unsigned n;
    ck_assert_int_eq(host_sign(&host, 1, "t", &outcome, &n), 0);
    ck_assert_uint_eq(n, 1);
}

START_TEST(the_pin_is_gone_after_sign) {
    open_probe(NULL, "0");
    login();
    sign();
    probe();
    EXPECT({"memory", "done"});
    finish();
}
END_TEST

START_TEST(the_pin_is_gone_after_abort) {
    open_probe(NULL, "0");
    login();
    ck_assert_int_eq(host_simple(&host, HOST_METHOD_ABORT, &outcome, "t", (uint64_t)1), 0);
    probe();
    EXPECT({"memory", "done"});
    finish();
}
END_TEST

/* That the search finds: a PIN in use, and one that the plugin has kept. */
START_TEST(a_pin_that_is_there_is_found) {
    open_probe(NULL, _i == 0 ? "0" : "1");
    login();
    if (_i == 1)
        sign();
    probe();
    EXPECT({"memory", "EEXIST"});
    finish();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host-confine");
    TCase *t = tcase_create("confine");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_soft_token_has_no_socket_at_all);
    tcase_add_test(t, a_card_host_has_unix_sockets_and_nothing_to_find_with_them);
    tcase_add_loop_test(t, a_card_host_reaches_pcscd_and_not_the_system_bus, 0, 2);
    tcase_add_test(t, a_network_host_takes_no_pin);
    tcase_add_test(t, a_network_host_has_no_unix_sockets);
    tcase_add_test(t, jit_allows_made_code);
    tcase_add_test(t, an_unknown_need_is_refused);
    tcase_add_test(t, a_missing_path_is_no_obstacle);
    tcase_add_test(t, the_pin_is_gone_after_sign);
    tcase_add_test(t, the_pin_is_gone_after_abort);
    tcase_add_loop_test(t, a_pin_that_is_there_is_found, 0, 2);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
