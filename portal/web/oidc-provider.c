/* SPDX-License-Identifier: Apache-2.0 */
/* The documents are kept for all providers in one small table: a portal has one or two. */
#include "oidc-provider.h"

#include <string.h>

#define METADATA_SECONDS 600
#define KEYS_SECONDS_MIN 30
#define WELL_KNOWN       "/.well-known/openid-configuration"

typedef struct Known {
    json_t *metadata;
    gint64 metadata_at;
    json_t *keys;
    gint64 keys_at;
} Known;

static GMutex lock;
static GHashTable *known_providers; /* issuer → Known, for the life of the process */

/* With the lock held. */
static Known *known_of(const LoginProvider *p) {
    Known *known = NULL;

    if (!known_providers)
        known_providers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    known = g_hash_table_lookup(known_providers, p->issuer);
    if (!known) {
        known = g_new0(Known, 1);
        g_hash_table_insert(known_providers, g_strdup(p->issuer), known);
    }
    return known;
}

static gint64 seconds_now(void) {
    return g_get_monotonic_time() / G_USEC_PER_SEC;
}

static json_t *fetch_good(const LoginProvider *p, const char *url, FetchFault *fault) {
    FetchRequest request = {.url = url, .ca_file = p->ca_file};
    long status = 0;
    json_t *answer = fetch_json(&request, &status, fault);

    if (answer && status != 200) {
        g_snprintf(fault->text, sizeof fault->text, "status %ld", status);
        json_decref(answer);
        return NULL;
    }
    return answer;
}

json_t *oidc_metadata(const LoginProvider *p, FetchFault *fault) {
    _cleanup_json_ json_t *fresh = NULL;
    g_autofree char *url = g_strconcat(p->issuer, WELL_KNOWN, NULL);
    Known *known = NULL;

    g_mutex_lock(&lock);
    known = known_of(p);
    if (known->metadata && seconds_now() - known->metadata_at < METADATA_SECONDS)
        fresh = json_incref(known->metadata);
    g_mutex_unlock(&lock);
    if (fresh)
        return g_steal_pointer(&fresh);
    fresh = fetch_good(p, url, fault);
    if (!fresh)
        return NULL;
    if (g_strcmp0(login_string(fresh, "issuer"), p->issuer) != 0) {
        g_strlcpy(fault->text, "the provider names another issuer than the one configured", sizeof fault->text);
        return NULL;
    }
    g_mutex_lock(&lock);
    json_decref(known->metadata);
    known->metadata = json_incref(fresh);
    known->metadata_at = seconds_now();
    g_mutex_unlock(&lock);
    return g_steal_pointer(&fresh);
}

static bool key_fits(const json_t *key, const OidcKeyWanted *wanted) {
    const char *use = login_string(key, "use");
    const char *algorithm = login_string(key, "alg");

    return g_strcmp0(login_string(key, "kty"), wanted->type) == 0 && (!use || strcmp(use, "sig") == 0) &&
           (!algorithm || strcmp(algorithm, wanted->algorithm) == 0) &&
           (!wanted->kid || g_strcmp0(login_string(key, "kid"), wanted->kid) == 0);
}

static json_t *key_in(const json_t *set, const OidcKeyWanted *wanted) {
    const json_t *keys = json_object_get(set, "keys");
    json_t *found = NULL;
    json_t *key = NULL;
    size_t i = 0;

    json_array_foreach(keys, i, key) {
        if (!key_fits(key, wanted))
            continue;
        if (found) /* without an id it must be the only one */
            return NULL;
        found = key;
    }
    return json_incref(found);
}

json_t *oidc_key(const LoginProvider *p, const OidcKeyWanted *wanted, FetchFault *fault) {
    _cleanup_json_ json_t *metadata = oidc_metadata(p, fault);
    _cleanup_json_ json_t *fresh = NULL;
    json_t *key = NULL;
    Known *known = NULL;
    bool recent = false;

    if (!metadata)
        return NULL;
    g_mutex_lock(&lock);
    known = known_of(p);
    key = known->keys ? key_in(known->keys, wanted) : NULL;
    recent = known->keys && seconds_now() - known->keys_at < KEYS_SECONDS_MIN;
    g_mutex_unlock(&lock);
    if (!key && recent)
        g_strlcpy(fault->text, "the provider has no such key", sizeof fault->text);
    if (key || recent)
        return key;
    if (!login_string(metadata, "jwks_uri") || !(fresh = fetch_good(p, login_string(metadata, "jwks_uri"), fault)))
        return NULL;
    key = key_in(fresh, wanted);
    if (!key)
        g_strlcpy(fault->text, "the provider has no such key", sizeof fault->text);
    g_mutex_lock(&lock);
    json_decref(known->keys);
    known->keys = json_incref(fresh);
    known->keys_at = seconds_now();
    g_mutex_unlock(&lock);
    return key;
}
