/* SPDX-License-Identifier: Apache-2.0 */
/* Plugin manifests and definitions of vendor modules: what is read, what is refused, which card is known by which. */
#include "definition.h"
#include "harness.h"
#include "manifest.h"

#include <string.h>

static char *folder;

static void set_up(void) {
    folder = harness_folder();
}

static void tear_down(void) {
    harness_remove(folder);
}

static void write_file(const char *name, const char *content) {
    g_free(harness_file(folder, name, content));
}

/* ---------------------------------------------------------------------------------------------------- manifests -- */

#define MANIFEST(name, kind) "[Plugin]\nName=" name "\nKind=" kind "\nModule=m.so\n"

static GHashTable *load_manifests(const char *first, const char *second) {
    g_autofree char *a = g_build_filename(folder, first, NULL);
    g_autofree char *b = g_build_filename(folder, second, NULL);
    char *folders[] = {a, b, (char *)"/nonexistent", NULL};
    return manifests_load(folders);
}

START_TEST(manifest_is_read) {
    write_file("a/x.plugin",
               "[Plugin]\nName=tok\nKind=token\nModule=sub/m.so\nPriority=7\nNeeds=card;jit\n"
               "ReadPaths=Module;Extra\nWritePaths=W\nWriteFolders=D\nLibraries=Module\nFiles=File\nDescription=d\n");
    write_file("a/ignored.txt", MANIFEST("ignored", "token"));
    g_autoptr(GHashTable) all = load_manifests("a", "b");
    ck_assert_uint_eq(g_hash_table_size(all), 1);
    const Manifest *m = g_hash_table_lookup(all, "tok");
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(m->kind, EONAY_PLUGIN_TOKEN);
    g_autofree char *module = g_build_filename(folder, "a/sub/m.so", NULL);
    ck_assert_str_eq(m->module, module);
    ck_assert_int_eq(m->priority, 7);
    ck_assert_str_eq(m->needs[1], "jit");
    ck_assert_str_eq(m->read_paths[1], "Extra");
    ck_assert_str_eq(m->write_folders[0], "D");
    ck_assert_str_eq(m->libraries[0], "Module");
    ck_assert_str_eq(m->files[0], "File");
    ck_assert_str_eq(m->description, "d");
}
END_TEST

START_TEST(of_two_manifests_the_first_counts) {
    write_file("a/x.plugin", MANIFEST("same", "token"));
    write_file("b/x.plugin", MANIFEST("same", "ca"));
    g_autoptr(GHashTable) all = load_manifests("a", "b");
    ck_assert_int_eq(((Manifest *)g_hash_table_lookup(all, "same"))->kind, EONAY_PLUGIN_TOKEN);
}
END_TEST

static const char *const bad_manifests[] = {
    "",
    "nonsense",
    "[Other]\nName=x\n",
    "[Plugin]\nKind=token\nModule=m.so\n",
    "[Plugin]\nName=\nKind=token\nModule=m.so\n",
    "[Plugin]\nName=0123456789012345678901234567890123456789012345678901234567890123\nKind=token\nModule=m.so\n",
    "[Plugin]\nName=x\nModule=m.so\n",
    "[Plugin]\nName=x\nKind=Token\nModule=m.so\n",
    "[Plugin]\nName=x\nKind=reader\nModule=m.so\n",
    "[Plugin]\nName=x\nKind=token\n",
    "[Plugin]\nName=x\nKind=token\nModule=\n",
};

START_TEST(bad_manifest_is_refused_alone) {
    write_file("a/bad.plugin", bad_manifests[_i]);
    write_file("a/good.plugin", MANIFEST("good", "ca"));
    g_autoptr(GHashTable) all = load_manifests("a", "b");
    ck_assert_uint_eq(g_hash_table_size(all), 1);
    ck_assert_ptr_nonnull(g_hash_table_lookup(all, "good"));
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- the ATR -- */

static GByteArray *bytes_of(const char *hex) {
    GByteArray *bytes = g_byte_array_new();
    for (; *hex; hex += 2) {
        guint8 byte = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(bytes, &byte, 1);
    }
    return bytes;
}

static const struct {
    const char *atr, *historical;
} atrs[] = {
    /* AKİS, TC card, eToken, ACS */
    {"3B9F968131FE45806755454B41451212318073B3A18049", "806755454B41451212318073B3A180"},
    {"3B9F978131FE4580655443D22108"
     "31C073F62180810559",
     "80655443D2210831C073F621808105"},
    {"3BD5180081313A7D8073C8211030", "8073C82110"},
    {"3BBE9600004105200000000000000000009000", "4105200000000000000000009000"},
    {"3B00", ""},
    {"3B02AABB", "AABB"},
    /* as long as they are cut short, there are none */
    {"", ""},
    {"3B", ""},
    {"3B9F", ""},
    {"3B9F96", ""},
    {"3B9F968131FE", ""},
    {"3B02AA", ""},
    {"3BF0FFFFFFF0", ""},
    {"3B80808080808080808080", ""},
};

START_TEST(historical_bytes) {
    g_autoptr(GByteArray) atr = bytes_of(atrs[_i].atr);
    g_autoptr(GByteArray) wanted = bytes_of(atrs[_i].historical);
    size_t size = 99;
    const uint8_t *got = atr_historical(atr->data, atr->len, &size);
    ck_assert_msg(size == wanted->len, "%s: %zu bytes", atrs[_i].atr, size);
    if (size)
        ck_assert_mem_eq(got, wanted->data, size);
    g_autofree char *hex = atr_hex(atr->data, atr->len);
    ck_assert_str_eq(hex, atrs[_i].atr);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- definitions -- */

static GPtrArray *load_definitions(void) {
    g_autofree char *a = g_build_filename(folder, "a", NULL);
    g_autofree char *b = g_build_filename(folder, "b", NULL);
    char *folders[] = {a, b, NULL};
    return definitions_load(folders);
}

static const struct {
    const char *patterns, *atr;
    bool known;
} matches[] = {
    {"Atr=3BBA11008131FE4D55454B41452056312E30AE", "3BBA11008131FE4D55454B41452056312E30AE", true},
    {"Atr=3bba11008131fe4d55454b41452056312e30ae", "3BBA11008131FE4D55454B41452056312E30AE", true},
    {"Atr=3BBA11008131FE4D55454B41452056312E30", "3BBA11008131FE4D55454B41452056312E30AE", false},
    {"Atr=3BBA11008131FE4D55454B41452056312E30AEFF", "3BBA11008131FE4D55454B41452056312E30AE", false},
    {"Atr=3BBA*", "3BBA11008131FE4D55454B41452056312E30AE", true},
    {"Atr=*", "3B00", true},
    {"Atr=3B..*", "3B00", true},
    {"Atr=3B...", "3B00", false},
    {"Atr=3B01;3B00", "3B00", true},
    {"Historical=806755454B4145....318073B3A180", "3B9F968131FE45806755454B41451212318073B3A18049", true},
    {"Historical=806755454B4145....318073B3A180", "3B9F968131FE45806755454B41455252318073B3A18049", true},
    {"Historical=806755454B4145....318073B3A181", "3B9F968131FE45806755454B41451212318073B3A18049", false},
    {"Historical=55454B*", "3B9F968131FE45806755454B41451212318073B3A18049", false}, /* anchored */
    {"Historical=80655443......31C073F6218081..", "3B9F978131FE4580655443D2210831C073F62180810559", true},
    {"Historical=*", "3B00", false}, /* nothing to be known by */
    {"Historical=*", "3B9F", false},
    {"Description=none", "3B00", false},
};

START_TEST(cards_are_known) {
    g_autofree char *content = g_strdup_printf("[Module]\nPaths=/x.so\n%s\n", matches[_i].patterns);
    write_file("a/one.module", content);
    g_autoptr(GPtrArray) all = load_definitions();
    ck_assert_uint_eq(all->len, 1);
    g_autoptr(GByteArray) atr = bytes_of(matches[_i].atr);
    ck_assert_msg(definition_knows(all->pdata[0], atr->data, atr->len) == matches[_i].known, "%s and %s",
                  matches[_i].patterns, matches[_i].atr);
}
END_TEST

START_TEST(later_folder_counts_and_names_are_sorted) {
    write_file("a/same.module", "[Module]\nPaths=/first.so\n");
    write_file("b/same.module", "[Module]\nPaths=/second.so\nUse=fallback\nInitArgs=null\n");
    write_file("a/zebra.module", "[Module]\nPaths=/z.so\n");
    write_file("b/ant.module", "[Module]\nPaths=/lib/%a/a.so;/a.so\nUse=configured\nPlugin=other\nNeeds=card\n");
    write_file("b/.hidden.module", "[Module]\nPaths=/h.so\n");
    g_autoptr(GPtrArray) all = load_definitions();
    ck_assert_uint_eq(all->len, 3);
    const Definition *ant = all->pdata[0], *same = all->pdata[1];
    ck_assert_str_eq(ant->name, "ant");
    ck_assert_int_eq(ant->use, DEFINITION_CONFIGURED);
    ck_assert_ptr_null(strstr(ant->paths[0], "%a"));
    ck_assert_str_eq(ant->paths[1], "/a.so");
    ck_assert_str_eq(same->paths[0], "/second.so");
    ck_assert_int_eq(same->use, DEFINITION_FALLBACK);
    ck_assert_str_eq(g_hash_table_lookup(same->keys, "InitArgs"), "null");
    ck_assert_ptr_eq(definition_find(all, "same"), same);
    ck_assert_ptr_null(definition_find(all, "sam"));
}
END_TEST

static const char *const bad_definitions[] = {
    "",
    "[Module]\nDescription=no paths\n",
    "[Module]\nPaths=/x.so\nUse=sometimes\n",
    "[Module]\nPaths=/x.so\nAtr=3B*00\n",
    "[Module]\nPaths=/x.so\nAtr=3B 00\n",
    "[Module]\nPaths=/x.so\nHistorical=XYZ\n",
};

START_TEST(bad_definition_is_refused_alone) {
    write_file("a/bad.module", bad_definitions[_i]);
    write_file("a/good.module", "[Module]\nPaths=/x.so\n");
    g_autoptr(GPtrArray) all = load_definitions();
    ck_assert_uint_eq(all->len, 1);
    ck_assert_str_eq(((Definition *)all->pdata[0])->name, "good");
}
END_TEST

START_TEST(section_goes_over_definition) {
    write_file("a/d.module", "[Module]\nPaths=/x.so;/y.so\nInitArgs=null\nForcePinPad=no\nNeeds=card;jit\nPlugin=p\n");
    g_autoptr(GPtrArray) all = load_definitions();
    InstanceConfig *empty = instance_config_new("e", "");
    definition_fill(all->pdata[0], empty);
    ck_assert_str_eq(empty->plugin, "p");
    ck_assert_str_eq(g_hash_table_lookup(empty->keys, "Module"), "/x.so;/y.so");
    ck_assert_str_eq(empty->needs[1], "jit");
    InstanceConfig *full = instance_config_new("f", "own");
    g_hash_table_insert(full->keys, g_strdup("Module"), g_strdup("/own.so"));
    g_hash_table_insert(full->keys, g_strdup("InitArgs"), g_strdup("os-locking"));
    definition_fill(all->pdata[0], full);
    ck_assert_str_eq(full->plugin, "own");
    ck_assert_str_eq(g_hash_table_lookup(full->keys, "Module"), "/own.so");
    ck_assert_str_eq(g_hash_table_lookup(full->keys, "InitArgs"), "os-locking");
    ck_assert_str_eq(g_hash_table_lookup(full->keys, "ForcePinPad"), "no");
    instance_config_free(empty);
    instance_config_free(full);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("files");
    TCase *tcase = tcase_create("files");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, manifest_is_read);
    tcase_add_test(tcase, of_two_manifests_the_first_counts);
    tcase_add_loop_test(tcase, bad_manifest_is_refused_alone, 0, G_N_ELEMENTS(bad_manifests));
    tcase_add_loop_test(tcase, historical_bytes, 0, G_N_ELEMENTS(atrs));
    tcase_add_loop_test(tcase, cards_are_known, 0, G_N_ELEMENTS(matches));
    tcase_add_test(tcase, later_folder_counts_and_names_are_sorted);
    tcase_add_loop_test(tcase, bad_definition_is_refused_alone, 0, G_N_ELEMENTS(bad_definitions));
    tcase_add_test(tcase, section_goes_over_definition);
    suite_add_tcase(suite, tcase);
    return harness_run(suite);
}
