/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"

#include "client.h"
#include "publication.h"
#include "revocation.h"
#include "trust.h"

/* The key must be the database's, the version of the text must mean this text. */
static int check_records(Portal *p) {
    Store *store = NULL;
    int r = store_new(p->stores, &store);

    if (r == 0)
        r = secret_check(&p->secret, store);
    if (r == 0)
        r = texts_record(p->texts, store);
    store_free(store);
    return r;
}

int portal_new(Config *config, Portal **ret) {
    Portal *p = g_new0(Portal, 1);
    int r = 0;

    p->config = config;
    if ((r = trust_new(config, &p->trust)) != 0 ||
        (r = revocation_new(config->revocation_lists, p->trust, &p->revocation)) != 0 ||
        (r = texts_new(config, &p->texts)) != 0 || (r = clients_new(config->clients, &p->clients)) != 0 ||
        (r = publication_new(config, &p->publication)) != 0 || (r = secret_open(config->key_file, &p->secret)) != 0 ||
        (r = store_pool_open(config->database, &p->stores)) != 0 || (r = check_records(p)) != 0 ||
        (r = web_open(p)) != 0)
        return portal_free(p), r;
    *ret = p;
    return 0;
}

Portal *portal_free(Portal *p) {
    if (!p)
        return NULL;
    web_close(p);
    store_pool_free(p->stores);
    revocation_free(p->revocation);
    trust_free(p->trust);
    texts_free(p->texts);
    clients_free(p->clients);
    publication_free(p->publication);
    secret_erase(&p->secret);
    config_free(p->config);
    g_free(p);
    return NULL;
}
