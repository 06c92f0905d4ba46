/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl.cnf is not read: a configuration that activates the legacy provider module (and one that would load a module
 * which does not exist) has no effect on a process that uses the library. As a control the same file is loaded on
 * purpose: if that did not bring the provider in, the test would prove nothing.
 *
 * Each case is this program again, with OPENSSL_CONF in its environment.
 */
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certificate-profile.h"
#include "pki.h"
#include "signature.h"

static const char legacy_conf[] = "openssl_conf = init\n[init]\nproviders = list\n[list]\ndefault = on\nlegacy = on\n"
                                  "[on]\nactivate = 1\n";
static const char missing_conf[] = "config_diagnostics = 1\nopenssl_conf = init\n[init]\nproviders = list\n[list]\n"
                                   "default = on\nmissing = missing\n[on]\nactivate = 1\n[missing]\n"
                                   "module = /nonexistent/missing.so\nactivate = 1\n";

/* Whether a line of the process's memory map has the word. */
static int mapped(const char *word) {
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof(line), maps))
        found |= strstr(line, word) != NULL;
    if (maps)
        fclose(maps);
    return found;
}

/* Uses certificates, keys, names and hashes; 0 when nothing was loaded. */
static int library_run(void) {
    Pki *pki = NULL;
    PkiLeaf *leaf = NULL;
    CertificateProfile *p = NULL;
    signature_init();
    int failed = pki_new(&pki) != 0 || pki_issue(pki, &(PkiRequest){0}, &leaf) != 0 ||
                 certificate_profile_new(leaf->der, leaf->der_size, &p) != 0 || p->reasons != 0;
    certificate_profile_free(p);
    pki_leaf_free(leaf);
    pki_free(pki);
    if (failed)
        return 3;
    return OSSL_PROVIDER_available(NULL, "legacy") || mapped("ossl-modules") || mapped("legacy.so") ? 4 : 0;
}

/* 0 when the configuration was loaded. */
static int control_run(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    return OSSL_PROVIDER_available(NULL, "legacy") ? 0 : 5;
}

static int again(const char *conf, const char *mode) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        setenv("OPENSSL_CONF", conf, 1);
        execl("/proc/self/exe", "test-no-config", mode, (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static int expect(const char *what, const char *text, const char *mode) {
    char path[] = "/tmp/eonay-no-config-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return 1;
    close(fd);
    int r = again(path, mode);
    unlink(path);
    printf("%s: %s (%d)\n", what, r == 0 ? "ok" : "FAILED", r);
    return r != 0;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return strcmp(argv[1], "control") == 0 ? control_run() : library_run();
    int failed = expect("control: the configuration works", legacy_conf, "control");
    failed |= expect("the library ignores it", legacy_conf, "library");
    failed |= expect("the library ignores a missing module", missing_conf, "library");
    return failed;
}
