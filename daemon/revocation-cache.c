/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation-cache.h"

#define ENTRIES_MAX     256u
#define BYTES_MAX       (64u * 1024 * 1024)
#define STATES_MAX      4096u
#define SUSPENSION_LIFE 120
#define STATE_LIFE      3600 /* seconds that an answer without nextUpdate is believed at listing */

typedef struct Entry {
    GBytes *answer;
    int64_t until;
} Entry;

typedef struct State {
    RevocationStatus status;
    int64_t until;
} State;

struct RevocationCache {
    GHashTable *entries; /* key → Entry */
    gsize bytes;
    GHashTable *states; /* fingerprint → State */
};

static void entry_free(gpointer entry) {
    g_bytes_unref(((Entry *)entry)->answer);
    g_free(entry);
}

RevocationCache *revocation_cache_new(void) {
    RevocationCache *c = g_new0(RevocationCache, 1);
    c->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    c->states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return c;
}

RevocationCache *revocation_cache_free(RevocationCache *c) {
    if (!c)
        return NULL;
    g_hash_table_unref(c->entries);
    g_hash_table_unref(c->states);
    g_free(c);
    return NULL;
}

static void entry_drop(RevocationCache *c, const char *key) {
    Entry *e = g_hash_table_lookup(c->entries, key);
    if (!e)
        return;
    c->bytes -= g_bytes_get_size(e->answer);
    g_hash_table_remove(c->entries, key);
}

GBytes *revocation_cache_get(RevocationCache *c, const char *key, int64_t now) {
    Entry *e = g_hash_table_lookup(c->entries, key);
    if (!e)
        return NULL;
    if (e->until >= now)
        return g_bytes_ref(e->answer);
    entry_drop(c, key);
    return NULL;
}

/* Whoever ends first. */
static const char *entry_next_to_end(RevocationCache *c) {
    GHashTableIter iter;
    gpointer key, value;
    const char *first = NULL;
    int64_t until = INT64_MAX;
    g_hash_table_iter_init(&iter, c->entries);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (((Entry *)value)->until >= until)
            continue;
        until = ((Entry *)value)->until;
        first = key;
    }
    return first;
}

void revocation_cache_put(RevocationCache *c, const char *key, GBytes *answer, int64_t until) {
    gsize size = g_bytes_get_size(answer);
    entry_drop(c, key);
    if (until == 0 || size > BYTES_MAX)
        return;
    while (g_hash_table_size(c->entries) >= ENTRIES_MAX || c->bytes + size > BYTES_MAX)
        entry_drop(c, entry_next_to_end(c));
    Entry *e = g_new0(Entry, 1);
    *e = (Entry){g_bytes_ref(answer), until};
    c->bytes += size;
    g_hash_table_insert(c->entries, g_strdup(key), e);
}

RevocationStatus revocation_cache_status(RevocationCache *c, const char *fingerprint, int64_t now) {
    const State *s = g_hash_table_lookup(c->states, fingerprint);
    return s && s->until >= now ? s->status : REVOCATION_UNKNOWN;
}

void revocation_cache_tell(RevocationCache *c, const char *fingerprint, const RevocationAnswer *answer) {
    if (g_hash_table_size(c->states) >= STATES_MAX)
        g_hash_table_remove_all(c->states);
    State *s = g_new0(State, 1);
    s->status = answer->status;
    s->until = answer->next_update != 0 ? answer->next_update : answer->this_update + STATE_LIFE;
    if (answer->status == REVOCATION_SUSPENDED) /* it may be taken back any moment */
        s->until = MIN(s->until, answer->this_update + SUSPENSION_LIFE);
    if (answer->status == REVOCATION_REVOKED)
        s->until = INT64_MAX; /* for ever */
    g_hash_table_replace(c->states, g_strdup(fingerprint), s);
}
