/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"

#include "trust.h"

static int check_secret(Portal *p) {
    Store *store = NULL;
    int r = store_new(p->stores, &store);

    if (r == 0)
        r = secret_check(&p->secret, store);
    store_free(store);
    return r;
}

int portal_new(Config *config, Portal **ret) {
    Portal *p = g_new0(Portal, 1);
    int r = 0;

    p->config = config;
    if ((r = trust_new(config, &p->trust)) != 0 || (r = secret_open(config->key_file, &p->secret)) != 0 ||
        (r = store_pool_open(config->database, &p->stores)) != 0 || (r = check_secret(p)) != 0 ||
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
    trust_free(p->trust);
    secret_erase(&p->secret);
    config_free(p->config);
    g_free(p);
    return NULL;
}
