/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "log.h"
#include "messages.h"
#include "trust-store.h"

struct Trust {
    const Config *config;
    TrustStore *store;
    struct stat seen;
    char *problem;
};

Trust *trust_new(const Config *config) {
    Trust *t = g_new0(Trust, 1);
    t->config = config;
    return t;
}

Trust *trust_free(Trust *t) {
    if (!t)
        return NULL;
    trust_store_free(t->store);
    g_free(t->problem);
    g_free(t);
    return NULL;
}

/* A good store stays in force when the one that should replace it is bad. */
static void read_store(Trust *t) {
    g_autofree char *file = NULL, *key = NULL;
    gsize file_size, key_size;
    g_autoptr(GError) error = NULL;
    TrustStore *store = NULL;
    const char *why = NULL;
    if (!g_file_get_contents(t->config->trust_store, &file, &file_size, &error) ||
        !g_file_get_contents(t->config->trust_key, &key, &key_size, &error))
        why = error->message;
    else
        why =
            trust_store_open(&(CadesBlob){(uint8_t *)file, file_size}, &(CadesBlob){(uint8_t *)key, key_size}, &store);
    g_free(t->problem);
    t->problem = g_strdup(why);
    if (why || !store) {
        log_event(LOG_ERR, MESSAGE_CONFIG_INVALID, NULL, "%s: %s", t->config->trust_store, why);
        return;
    }
    trust_store_free(t->store);
    t->store = store;
    log_info("trust store %u: %zu anchors, %zu other certificates", store->number, store->n_anchors,
             store->n_intermediates);
}

static void look(Trust *t) {
    struct stat st;
    if (stat(t->config->trust_store, &st) < 0) {
        if (errno != ENOENT || t->store) {
            g_free(t->problem);
            t->problem = g_strdup(g_strerror(errno));
        }
        return;
    }
    if (st.st_ino == t->seen.st_ino && st.st_dev == t->seen.st_dev && st.st_size == t->seen.st_size &&
        memcmp(&st.st_mtim, &t->seen.st_mtim, sizeof(st.st_mtim)) == 0)
        return;
    t->seen = st;
    read_store(t);
}

bool trust_get(Trust *t, CadesExpectation *ret) {
    look(t);
    if (!t->store || t->store->n_anchors == 0)
        return false;
    ret->anchors = t->store->anchors;
    ret->n_anchors = t->store->n_anchors;
    ret->intermediates = t->store->intermediates;
    ret->n_intermediates = t->store->n_intermediates;
    return true;
}

const char *trust_problem(Trust *t) {
    look(t);
    return t->problem;
}

uint32_t trust_number(const Trust *t) {
    return t->store ? t->store->number : 0;
}
