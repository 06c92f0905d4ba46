/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

void audit_actor(Portal *p, const char *subject, char ret[17]) {
    uint8_t hash[SECRET_HASH_SIZE];

    secret_hash(&p->secret, "actor", subject, hash);
    secret_hex(hash, 8, ret);
}

int audit_add(Portal *p, Store *store, const AuditEvent *event, int64_t now) {
    char actor[17] = "";

    if (event->subject)
        audit_actor(p, event->subject, actor);
    return store_change(store, STATEMENT_AUDIT_ADD, NULL, "itttt", now, event->action, event->subject ? actor : NULL,
                        event->address, event->detail);
}
