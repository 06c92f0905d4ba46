/* SPDX-License-Identifier: Apache-2.0 */
/* eonayd.conf and its drop-ins: what is taken, what is warned about and with which line, which of two wins. */
#include "config.h"
#include "harness.h"

#include <string.h>
#include <syslog.h>

static char *folder;

static void set_up(void) {
    folder = harness_folder();
}

static void tear_down(void) {
    harness_remove(folder);
}

static Config *load(const char *content) {
    g_autofree char *path = harness_file(folder, "eonayd.conf", content);
    return config_load(path);
}

static void assert_warning(const Config *c, guint n, const char *wanted) {
    ck_assert_uint_gt(c->warnings->len, n);
    const char *got = c->warnings->pdata[n];
    ck_assert_msg(g_str_has_suffix(got, wanted), "'%s' does not end with '%s'", got, wanted);
}

START_TEST(no_file_is_no_fault) {
    g_autofree char *path = g_build_filename(folder, "missing.conf", NULL);
    Config *c = config_load(path);
    ck_assert_uint_eq(c->warnings->len, 0);
    ck_assert_str_eq(c->default_backend, "local");
    ck_assert_uint_eq(c->consents_per_user, 256);
    ck_assert_int_eq(c->log_level, LOG_INFO);
    ck_assert_uint_eq(c->tokens->len, 0);
    config_free(c);
    ck_assert_ptr_null(config_free(NULL));
}
END_TEST

START_TEST(everything_known_is_taken) {
    Config *c =
        load("# comment\n[Daemon]\nDefaultBackend=kamu\nLogLevel=debug\nReaders=no\nPluginDirectories=/a; /b;;\n"
             "[Limits]\nQueueLength=7\nFilesPerUser=0\n"
             "[Token soft]\nPlugin=token-pkcs11\nModule=/x.so\nReadPaths=/r1;/r2\nEnvironment=A=1;B=2\n"
             "[Backend kamu]\nPlugin=ca-local\nDatabase=/d\n");
    ck_assert_uint_eq(c->warnings->len, 0);
    ck_assert_str_eq(c->default_backend, "kamu");
    ck_assert_int_eq(c->log_level, LOG_DEBUG);
    ck_assert(!c->readers);
    ck_assert_uint_eq(g_strv_length(c->plugin_directories), 2);
    ck_assert_str_eq(c->plugin_directories[1], "/b");
    ck_assert_uint_eq(c->queue_length, 7);
    ck_assert_uint_eq(c->files_per_user, 0);
    ck_assert_uint_eq(c->tokens->len, 1);
    const InstanceConfig *token = c->tokens->pdata[0];
    ck_assert_str_eq(token->name, "soft");
    ck_assert_str_eq(token->plugin, "token-pkcs11");
    ck_assert_str_eq(token->read_paths[1], "/r2");
    ck_assert_str_eq(token->environment[1], "B=2");
    ck_assert_uint_eq(g_hash_table_size(token->keys), 1); /* Module alone is the plugin's */
    ck_assert_str_eq(g_hash_table_lookup(token->keys, "Module"), "/x.so");
    ck_assert_str_eq(((InstanceConfig *)c->backends->pdata[0])->plugin, "ca-local");
    config_free(c);
}
END_TEST

/* One line a fault; the number is the one the warning must name. */
static const struct {
    const char *content, *warning;
} faults[] = {
    {"[Daemon]\n\nColour=red\n", "eonayd.conf:3: unknown key Colour in section [Daemon]"},
    {"[Daemon]\nLogLevel=info\n[Deamon]\nLogLevel=debug\n", "eonayd.conf:3: unknown section [Deamon]"},
    {"[Daemon]\nLogLevel=DEBUG\n",
     "eonayd.conf:2: LogLevel must be error, warning, notice, info or debug, not 'DEBUG'"},
    {"[Daemon]\nReaders=true\n", "eonayd.conf:2: Readers must be yes or no, not 'true'"},
    {"[Daemon]\nDefaultBackend=\n", "eonayd.conf:2: DefaultBackend must not be empty"},
    {"[Daemon]\nDefaultBackend=\xff\n", "eonayd.conf:2: DefaultBackend: not valid UTF-8"},
    {"[Limits]\n\n\n QueueLength = 0\n", "eonayd.conf:4: QueueLength must be a number from 1 to 65536, not '0'"},
    {"[Limits]\nQueueLength=65537\n", "eonayd.conf:2: QueueLength must be a number from 1 to 65536, not '65537'"},
    {"[Limits]\nQueueLength=-1\n", "eonayd.conf:2: QueueLength must be a number from 1 to 65536, not '-1'"},
    {"[Limits]\nQueueLength=12x\n", "eonayd.conf:2: QueueLength must be a number from 1 to 65536, not '12x'"},
    {"[Limits]\nQueueLength=99999999999999999999\n",
     "eonayd.conf:2: QueueLength must be a number from 1 to 65536, not '99999999999999999999'"},
    {"[Limits]\nPinDeliveryMs=9\n", "eonayd.conf:2: PinDeliveryMs must be a number from 10 to 60000, not '9'"},
    {"[Token a/b]\nPlugin=x\n",
     "eonayd.conf:1: section [Token a/b]: the name may have only letters, digits, '-' and '_'"},
    {"[Token ]\nPlugin=x\n", "eonayd.conf:1: section [Token ]: the name may have only letters, digits, '-' and '_'"},
    {"[Token \xc4\xb1]\nPlugin=x\n",
     "eonayd.conf:1: section [Token \xc4\xb1]: the name may have only letters, digits, '-' and '_'"},
    {"[Token a]\nPlugin=x\nModule=\xff\n", "eonayd.conf:3: Module: not valid UTF-8"},
};

START_TEST(faults_are_told_with_their_line) {
    Config *c = load(faults[_i].content);
    ck_assert_uint_eq(c->warnings->len, 1);
    assert_warning(c, 0, faults[_i].warning);
    ck_assert_uint_eq(c->queue_wait, 120000);
    ck_assert_uint_eq(c->queue_length, 256); /* what is wrong changes nothing */
    ck_assert_uint_eq(c->pin_delivery, 2000);
    ck_assert_str_eq(c->default_backend, "local");
    ck_assert(c->readers);
    config_free(c);
}
END_TEST

START_TEST(a_backend_must_answer_before_its_end) {
    Config *c = load("[Backend a]\nPlugin=ca-rest\nUrl=https://a\nTimeoutMs=4000\n[Backend b]\nTimeoutMs=3999\n"
                     "[Backend c]\nTimeoutMs=soon\n[Limits]\nBackendDeadlineMs=4000\n");
    ck_assert_uint_eq(c->warnings->len, 1);
    assert_warning(c, 0, "eonayd.conf:4: TimeoutMs of [Backend a] must be less than BackendDeadlineMs, which is 4000");
    config_free(c);
}
END_TEST

START_TEST(no_key_file_at_all) {
    Config *c = load("this is no key file\n");
    ck_assert_uint_eq(c->warnings->len, 1);
    ck_assert_ptr_nonnull(strstr(c->warnings->pdata[0], "not a key file"));
    config_free(c);
    g_autofree char *inside = harness_file(folder, "folder.conf/x", "");
    g_autofree char *path = g_path_get_dirname(inside);
    c = config_load(path);
    ck_assert_uint_eq(c->warnings->len, 1);
    ck_assert_ptr_nonnull(strstr(c->warnings->pdata[0], "cannot be read"));
    config_free(c);
}
END_TEST

static void write_drop_in(const char *name, const char *content) {
    g_autofree char *relative = g_build_filename("eonayd.conf.d", name, NULL);
    g_free(harness_file(folder, relative, content));
}

START_TEST(drop_ins_in_order_of_name) {
    write_drop_in("20-b.conf", "[Limits]\nQueueLength=20\n[Token t]\nModule=/b.so\nReadPaths=/b\n");
    write_drop_in("10-a.conf", "[Limits]\nQueueLength=10\nFilesPerUser=10\n[Token t]\nModule=/a.so\n");
    write_drop_in(".30.conf", "[Limits]\nQueueLength=30\n");
    write_drop_in("40.conf.bak", "[Limits]\nQueueLength=40\n");
    write_drop_in("50-c.conf", "[Limits]\n\nQueueLength=x\n");
    Config *c = load("[Limits]\nQueueLength=5\nCallsPerUser=5\n[Token t]\nPlugin=p\nReadPaths=/main\nLabel=L\n");
    ck_assert_uint_eq(c->queue_length, 20);
    ck_assert_uint_eq(c->files_per_user, 10);
    ck_assert_uint_eq(c->calls_per_user, 5);
    ck_assert_uint_eq(c->tokens->len, 1);
    const InstanceConfig *t = c->tokens->pdata[0];
    ck_assert_str_eq(t->plugin, "p");
    ck_assert_str_eq(g_hash_table_lookup(t->keys, "Module"), "/b.so");
    ck_assert_str_eq(g_hash_table_lookup(t->keys, "Label"), "L");
    ck_assert_str_eq(t->read_paths[0], "/b");
    ck_assert_uint_eq(c->warnings->len, 1);
    assert_warning(c, 0, "50-c.conf:3: QueueLength must be a number from 1 to 65536, not 'x'");
    config_free(c);
}
END_TEST

/* Neither in the order in which they were made, nor in its reverse, nor as the file system likes. */
START_TEST(many_drop_ins) {
    for (unsigned i = 0; i < 40; i++) {
        unsigned number = 10 + (i + 20) % 40;
        g_autofree char *name = g_strdup_printf("%u.conf", number);
        g_autofree char *content = g_strdup_printf("[Limits]\nQueueLength=%u\n", number);
        write_drop_in(name, content);
    }
    Config *c = load("");
    ck_assert_uint_eq(c->queue_length, 49);
    config_free(c);
}
END_TEST

/* Every key is known, and every count has an upper bound. */
START_TEST(names_are_known) {
    g_auto(GStrv) keys = config_known_keys();
    ck_assert_uint_ge(g_strv_length(keys), 19);
    for (char **key = keys; *key; key++) {
        g_auto(GStrv) parts = g_strsplit(*key, ".", 2);
        g_autofree char *content = g_strdup_printf("[%s]\n%s=600001\n", parts[0], parts[1]);
        Config *c = load(content);
        for (guint i = 0; i < c->warnings->len; i++)
            ck_assert_ptr_null(strstr(c->warnings->pdata[i], "unknown"));
        ck_assert_msg(strcmp(parts[0], "Limits") != 0 || c->warnings->len == 1, "%s has no upper bound", *key);
        config_free(c);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, no_file_is_no_fault);
    tcase_add_test(tcase, everything_known_is_taken);
    tcase_add_loop_test(tcase, faults_are_told_with_their_line, 0, G_N_ELEMENTS(faults));
    tcase_add_test(tcase, a_backend_must_answer_before_its_end);
    tcase_add_test(tcase, no_key_file_at_all);
    tcase_add_test(tcase, drop_ins_in_order_of_name);
    tcase_add_test(tcase, many_drop_ins);
    tcase_add_test(tcase, names_are_known);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
