/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "eonay/plugin.h"
#include "login-internal.h"

#define HASH_SIZE 32

typedef struct SessionWork {
    const LoginIdentity *identity;
    const SessionLimits *limits;
    int64_t now;
    unsigned char hash[HASH_SIZE];
    Session session;
    bool found;
    bool stale; /* used, but not recorded for a while */
} SessionWork;

static void token_hash(const char *token, unsigned char ret[HASH_SIZE]) {
    if (EVP_Digest(token, strlen(token), ret, NULL, EVP_sha256(), NULL) != 1)
        g_error("SHA-256 is not to be had");
}

static int open_work(Store *store, void *data) {
    SessionWork *w = data;
    const LoginIdentity *who = w->identity;
    _rows_ StoreRows *rows = NULL;
    int r = store_change(store, STATEMENT_SESSION_PURGE, NULL, "ii", w->now - w->limits->absolute_usec,
                         w->now - w->limits->idle_usec);

    if (r != 0 || (r = store_row(store, STATEMENT_OPERATOR_FIND, &rows, "t", who->tckn)) != 0)
        return r;
    w->session.is_operator = rows != NULL;
    return store_change(store, STATEMENT_SESSION_ADD, NULL, "bttii", w->hash, sizeof w->hash, who->tckn, who->name,
                        (int64_t)w->session.is_operator, w->now);
}

int session_open(Store *store, const LoginIdentity *identity, const SessionLimits *limits, int64_t now,
                 char ret_token[SESSION_TOKEN_SIZE], Session *ret) {
    SessionWork work = {.identity = identity, .limits = limits, .now = now};
    char token[LOGIN_SECRET_SIZE];
    int r = 0;

    login_secret_make(token);
    token_hash(token, work.hash);
    if ((r = store_write(store, open_work, &work)) != 0)
        return r;
    g_strlcpy(work.session.account, identity->tckn, sizeof work.session.account);
    g_strlcpy(work.session.name, identity->name, sizeof work.session.name);
    work.session.created_at = now;
    memcpy(ret_token, token, SESSION_TOKEN_SIZE);
    *ret = work.session;
    return 0;
}

static int find_work(Store *store, void *data) {
    SessionWork *w = data;
    _rows_ StoreRows *rows = NULL;
    int64_t used_at = 0;
    int r = store_row(store, STATEMENT_SESSION_FIND, &rows, "b", w->hash, sizeof w->hash);

    w->found = false;
    if (r != 0 || !rows)
        return r;
    g_strlcpy(w->session.account, store_rows_text(rows, 0), sizeof w->session.account);
    g_strlcpy(w->session.name, store_rows_text(rows, 1), sizeof w->session.name);
    w->session.is_operator = store_rows_int(rows, 2) != 0;
    w->session.created_at = store_rows_int(rows, 3);
    used_at = store_rows_int(rows, 4);
    w->found = w->now - w->session.created_at < w->limits->absolute_usec && w->now - used_at < w->limits->idle_usec;
    w->stale = w->now - used_at >= SESSION_TOUCH_USEC;
    return 0;
}

static int touch_work(Store *store, void *data) {
    SessionWork *w = data;

    return store_change(store, STATEMENT_SESSION_TOUCH, NULL, "bi", w->hash, sizeof w->hash, w->now);
}

int session_find(Store *store, const char *token, const SessionLimits *limits, int64_t now, Session *ret) {
    SessionWork work = {.limits = limits, .now = now};
    int r = 0;

    if (!login_secret_valid(token))
        return EONAY_ERROR_NOT_FOUND;
    token_hash(token, work.hash);
    if ((r = store_read(store, find_work, &work)) != 0)
        return r;
    if (!work.found)
        return EONAY_ERROR_NOT_FOUND;
    if (work.stale && (r = store_write(store, touch_work, &work)) != 0)
        return r;
    *ret = work.session;
    return 0;
}

static int end_work(Store *store, void *data) {
    SessionWork *w = data;

    return store_change(store, STATEMENT_SESSION_END, NULL, "b", w->hash, sizeof w->hash);
}

int session_end(Store *store, const char *token) {
    SessionWork work = {0};

    token_hash(token, work.hash);
    return store_write(store, end_work, &work);
}

void session_csrf(const char *token, char ret[SESSION_TOKEN_SIZE]) {
    static const unsigned char what[] = "csrf";
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (!HMAC(EVP_sha256(), token, (int)strlen(token), what, sizeof what - 1, mac, &size))
        g_error("HMAC-SHA-256 is not to be had");
    login_base64url(mac, HASH_SIZE, ret);
}

bool session_csrf_valid(const char *token, const char *given) {
    char right[SESSION_TOKEN_SIZE];

    session_csrf(token, right);
    return given && strlen(given) == strlen(right) && CRYPTO_memcmp(given, right, strlen(right)) == 0;
}
