/* SPDX-License-Identifier: Apache-2.0 */
#include "material-memo.h"

#include "digest.h"
#include "trust.h"
#include "util.h"

#define MEMO_LIFE 300 /* seconds */
#define MEMO_MAX  256u

typedef struct Memo {
    Material *material;
    uint32_t trust;      /* the store's number */
    int64_t from, until; /* seconds UTC */
} Memo;

static int64_t now_seconds(void) {
    return g_get_real_time() / (int64_t)USEC_PER_SEC;
}

static void memo_free(gpointer memo) {
    material_free(((Memo *)memo)->material);
    g_free(memo);
}

static char *memo_key(const MaterialWish *w) {
    g_autofree char *fingerprint = digest_hex_of_bytes(w->certificate);
    return g_strdup_printf("%s %d %d", fingerprint, (int)w->revocation, w->time_stamping);
}

void material_memo_keep(Manager *m, const MaterialWish *wish, const Material *material) {
    int64_t now = now_seconds(), until = now + MEMO_LIFE;
    for (size_t i = 0; i + 1 < material->n; i++)
        until = MIN(until, material->step[i].answer.next_update);
    if (until <= now || wish->not_before != 0)
        return;
    if (!m->materials)
        m->materials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, memo_free);
    if (g_hash_table_size(m->materials) >= MEMO_MAX)
        g_hash_table_remove_all(m->materials);
    Memo *memo = g_new0(Memo, 1);
    *memo = (Memo){material_copy(material), trust_number(m->trust), now, until};
    g_hash_table_replace(m->materials, memo_key(wish), memo);
}

const Material *material_memo_find(Manager *m, const MaterialWish *w) {
    g_autofree char *key = m->materials && w->not_before == 0 ? memo_key(w) : NULL;
    const Memo *memo = key ? g_hash_table_lookup(m->materials, key) : NULL;
    int64_t now = now_seconds();
    bool good = memo && memo->trust == trust_number(m->trust) && now >= memo->from && now <= memo->until;
    return good ? memo->material : NULL;
}
