/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eonay-trust: the administrator's tool for the trust anchors. Whoever runs it decides what is believed; nothing is
 * trusted that did not come in here.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certificate-profile.h"
#include "signature.h"
#include "translate.h"
#include "trust.h"

static char *store = NULL, *private_key = NULL, *public_key = NULL;
static gboolean intermediates = FALSE;

static GOptionEntry options[] = {
    {"store", 's', 0, G_OPTION_ARG_FILENAME, &store, N_("the folder of the store"), "DIR"},
    {"key", 'k', 0, G_OPTION_ARG_FILENAME, &private_key, N_("the private key (PEM, Ed25519)"), "FILE"},
    {"public", 'p', 0, G_OPTION_ARG_FILENAME, &public_key, N_("the public key (PEM)"), "FILE"},
    {"intermediates", 0, 0, G_OPTION_ARG_NONE, &intermediates, N_("import as help to reach anchors, not as anchors"),
     NULL},
    G_OPTION_ENTRY_NULL};

static int fail(GError *error) {
    fprintf(stderr, "eonay-trust: %s\n", error ? error->message : "?");
    g_clear_error(&error);
    return 1;
}

static int complain(const char *text) {
    fprintf(stderr, "eonay-trust: %s\n", _(text));
    return 1;
}

/* -------------------------------------------------------------------------------------------------------- keys -- */

static FILE *key_file(const char *path, int mode) {
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static int cannot_make(const char *path) {
    fprintf(stderr, "eonay-trust: %s: %s\n", path, strerror(errno));
    return complain(N_("the key pair cannot be made; existing files are not replaced"));
}

/* Both are closed in any case. */
static bool key_pair_write(EVP_PKEY *key, FILE *secret, FILE *open_one) {
    bool made =
        PEM_write_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1 && PEM_write_PUBKEY(open_one, key) == 1;
    made = fclose(secret) == 0 && made;
    return fclose(open_one) == 0 && made;
}

/* A key without the other is of no use, and would be in the way of another try. */
static int key_pair_make(EVP_PKEY *key) {
    FILE *open_one = key_file(public_key, 0644);
    if (!open_one)
        return cannot_make(public_key);
    FILE *secret = key_file(private_key, 0600);
    if (!secret) {
        int r = cannot_make(private_key);
        fclose(open_one);
        unlink(public_key);
        return r;
    }
    if (key_pair_write(key, secret, open_one))
        return 0;
    unlink(public_key);
    unlink(private_key);
    return complain(N_("the key pair cannot be made; existing files are not replaced"));
}

/* The public key lies in the store's folder as a rule, which nobody has made yet. */
static int run_init(void) {
    if (!private_key || !public_key)
        return complain(N_("init wants --key and --public: the files to make"));
    g_autofree char *folder = g_path_get_dirname(public_key);
    if (g_mkdir_with_parents(folder, 0755) < 0)
        return cannot_make(folder);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    int r = key ? key_pair_make(key) : complain(N_("the key pair cannot be made; existing files are not replaced"));
    EVP_PKEY_free(key);
    return r;
}

/* ------------------------------------------------------------------------------------------------------- store -- */

static GBytes *file_read(const char *path, GError **error) {
    char *bytes;
    gsize size;
    return g_file_get_contents(path, &bytes, &size, error) ? g_bytes_new_take(bytes, size) : NULL;
}

static CadesBlob blob(GBytes *b) {
    gsize size;
    const uint8_t *bytes = g_bytes_get_data(b, &size);
    return (CadesBlob){bytes, size};
}

/* A version of the store, checked against the public key. NULL without an error: number is 0. */
static TrustStore *store_open(uint32_t number, GError **error) {
    g_autoptr(GBytes) file = NULL, key = NULL;
    TrustStore *t = NULL;
    if (number == 0 || !versions_read(store, number, &file, error) || !(key = file_read(public_key, error)))
        return NULL;
    CadesBlob bytes = blob(file), pem = blob(key);
    const char *why = trust_store_open(&bytes, &pem, &t);
    if (why)
        g_set_error(error, TRUST_ERROR, 0, "%06u.store: %s", number, why);
    return t;
}

static CadesBlob *blobs(GPtrArray *list) {
    CadesBlob *b = g_new0(CadesBlob, list->len + 1);
    for (guint i = 0; i < list->len; i++)
        b[i] = blob(list->pdata[i]);
    return b;
}

static int store_write(GPtrArray *anchors, GPtrArray *others) {
    GError *error = NULL;
    g_autoptr(GBytes) key = file_read(private_key, &error);
    if (!key)
        return fail(error);
    g_autofree CadesBlob *a = blobs(anchors), *o = blobs(others);
    CadesBlob pem = blob(key);
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint32_t number = versions_highest(store) + 1;
    const char *why =
        trust_store_seal(number, (int64_t)time(NULL), a, anchors->len, o, others->len, &pem, &bytes, &size);
    if (why) {
        fprintf(stderr, "eonay-trust: %s\n", why);
        return 1;
    }
    bool written = versions_write(store, number, bytes, size, &error);
    free(bytes);
    if (!written)
        return fail(error);
    printf(_("version %u: %u anchors, %u other certificates\n"), number, anchors->len, others->len);
    return 0;
}

static void take(GPtrArray *list, const CadesBlob *certificates, size_t n) {
    for (size_t i = 0; i < n; i++)
        gather_add(list, certificates[i].bytes, certificates[i].size);
}

/* The lists of the version in force; empty ones when there is none. */
static bool lists_load(GPtrArray **ret_anchors, GPtrArray **ret_others, GError **error) {
    *ret_anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    *ret_others = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    uint32_t number = versions_current(store);
    TrustStore *t = store_open(number, error);
    if (!t)
        return number == 0;
    take(*ret_anchors, t->anchors, t->n_anchors);
    take(*ret_others, t->intermediates, t->n_intermediates);
    trust_store_free(t);
    return true;
}

static int run_import(char **paths) {
    g_autoptr(GPtrArray) anchors = NULL, others = NULL;
    GError *error = NULL;
    if (!private_key || !public_key || !paths[0])
        return complain(N_("import wants --key, --public, and files or folders"));
    if (!lists_load(&anchors, &others, &error))
        return fail(error);
    for (char **path = paths; *path; path++)
        if (!gather_path(intermediates ? others : anchors, *path, &error))
            return fail(error);
    return store_write(anchors, others);
}

static char *fingerprint_of(const CadesBlob *c) {
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, c->bytes, c->size);
}

static guint drop(GPtrArray *list, const char *fingerprint) {
    guint n = 0;
    for (guint i = list->len; i > 0; i--) {
        CadesBlob c = blob(list->pdata[i - 1]);
        g_autofree char *own = fingerprint_of(&c);
        if (strcmp(own, fingerprint) != 0)
            continue;
        g_ptr_array_remove_index(list, i - 1);
        n++;
    }
    return n;
}

static int run_remove(char **fingerprints) {
    g_autoptr(GPtrArray) anchors = NULL, others = NULL;
    GError *error = NULL;
    if (!private_key || !public_key || !fingerprints[0])
        return complain(N_("remove wants --key, --public, and SHA-256 fingerprints as list shows them"));
    if (!lists_load(&anchors, &others, &error))
        return fail(error);
    for (char **f = fingerprints; *f; f++)
        if (drop(anchors, *f) + drop(others, *f) == 0)
            return complain(N_("there is no such certificate in the store"));
    return store_write(anchors, others);
}

static void print_list(const char *kind, const CadesBlob *certificates, size_t n) {
    for (size_t i = 0; i < n; i++) {
        CertificateProfile *p = NULL;
        g_autofree char *fingerprint = fingerprint_of(&certificates[i]);
        const char *subject =
            certificate_profile_new(certificates[i].bytes, certificates[i].size, &p) == 0 ? p->subject : "?";
        printf("%s  %s  %s\n", kind, fingerprint, subject ? subject : "?");
        certificate_profile_free(p);
    }
}

static int run_list(void) {
    GError *error = NULL;
    uint32_t number = versions_current(store);
    if (!public_key)
        return complain(N_("list wants --public"));
    if (number == 0)
        return complain(N_("there is no store: nothing is trusted"));
    TrustStore *t = store_open(number, &error);
    if (!t)
        return fail(error);
    printf(_("version %u\n"), t->number);
    print_list("anchor", t->anchors, t->n_anchors);
    print_list("other ", t->intermediates, t->n_intermediates);
    trust_store_free(t);
    return 0;
}

static int run_rollback(char **numbers) {
    GError *error = NULL;
    guint64 number = versions_current(store);
    if (!public_key)
        return complain(N_("rollback wants --public"));
    if (numbers[0] && !g_ascii_string_to_unsigned(numbers[0], 10, 1, UINT32_MAX, &number, &error))
        return fail(error);
    if (!numbers[0] && number > 0)
        number--;
    if (number == 0)
        return complain(N_("there is no earlier version"));
    TrustStore *t = store_open((uint32_t)number, &error);
    if (!t)
        return fail(error);
    trust_store_free(t);
    if (!versions_choose(store, (uint32_t)number, &error))
        return fail(error);
    printf(_("version %u is in force\n"), (unsigned)number);
    return 0;
}

static int run(const char *command, char **rest) {
    if (strcmp(command, "import") == 0)
        return run_import(rest);
    if (strcmp(command, "remove") == 0)
        return run_remove(rest);
    if (strcmp(command, "list") == 0)
        return run_list();
    if (strcmp(command, "rollback") == 0)
        return run_rollback(rest);
    if (strcmp(command, "init") == 0)
        return run_init();
    return complain(N_("the commands are init, import, remove, list and rollback"));
}

int main(int argc, char **argv) {
    setlocale(LC_ALL, "");
    bindtextdomain(EONAY_GETTEXT_DOMAIN, EONAY_LOCALE_DIR);
    signature_init();
    GError *error = NULL;
    g_autoptr(GOptionContext) context =
        g_option_context_new("init|import|remove|list|rollback [PATH|FINGERPRINT|NUMBER …]");
    g_option_context_add_main_entries(context, options, EONAY_GETTEXT_DOMAIN);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fail(error);
        return 2;
    }
    store = store ? store : g_strdup(EONAY_CONFIG_DIR "/trust");
    if (argc < 2)
        return complain(N_("the commands are init, import, remove, list and rollback")) + 1;
    return run(argv[1], argv + 2);
}
