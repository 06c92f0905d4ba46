/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register remembers for each certificate the state that the newest list shows; a list is due where the two
 * differ. Clocks have no part in it: a suspension that is committed while a list is being made is due for the next.
 */
#include "publication.h"

#include <pthread.h>
#include <unistd.h>

#include "clock.h"
#include "list-signer.h"
#include "log.h"

#define EXPIRED_LISTED_USEC (30 * DAY_USEC) /* an entry stays for so long after the certificate's end */
#define KEPT                100             /* of the lists made, so many newest ones */
#define ATTEMPTS            5

struct Publication {
    ListSigner *signer;
    char *file; /* NULL: none */
    int64_t life;
    pthread_mutex_t lock; /* of the file */
    int64_t written;      /* the number of the list in it */
};

int publication_new(const Config *config, Publication **ret) {
    Publication *p = NULL;
    ListSigner *signer = NULL;
    int r = 0;

    *ret = NULL;
    if (!config->crl_issuer)
        return 0;
    if ((r = list_signer_new(config->crl_issuer, config->crl_key, &signer)) != 0)
        return r;
    p = g_new0(Publication, 1);
    p->signer = signer;
    p->file = g_strdup(config->crl_file);
    p->life = (int64_t)config->crl_hours * 60 * MINUTE_USEC;
    pthread_mutex_init(&p->lock, NULL);
    *ret = p;
    return 0;
}

Publication *publication_free(Publication *p) {
    if (!p)
        return NULL;
    list_signer_free(p->signer);
    g_free(p->file);
    pthread_mutex_destroy(&p->lock);
    g_free(p);
    return NULL;
}

typedef struct Work {
    const Publication *publication;
    int64_t now;
    int64_t number; /* in: the wanted one, 0: the next; out: the one made, 0: none was due */
    int64_t wanted;
    bool only_if_due;
    bool taken;
} Work;

static int read_newest(Store *store, int64_t *ret_number, int64_t *ret_at, bool *ret_changed) {
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_LIST_STATE, &row, "");

    if (r != 0 || !row)
        return r != 0 ? r : EONAY_ERROR_STORAGE_FAILED;
    *ret_number = store_rows_int(row, 0);
    *ret_at = store_rows_int(row, 1);
    *ret_changed = store_rows_int(row, 2) > 0;
    return 0;
}

static int add_entries(Store *store, const Work *w, RevocationList *list) {
    _rows_ StoreRows *rows = NULL;
    int more = 0;
    int r = store_query(store, STATEMENT_CERTIFICATE_NOT_GOOD, &rows, "i", w->now - EXPIRED_LISTED_USEC);

    if (r != 0)
        return r;
    while ((more = store_rows_next(rows)) == 1) {
        size_t size = 0;
        const uint8_t *der = store_rows_bytes(rows, 2, &size);

        if (!revocation_list_add(list, der, size, store_rows_int(rows, 1), store_rows_int(rows, 0) == 1))
            return EONAY_ERROR_STORAGE_FAILED;
    }
    return more < 0 ? EONAY_ERROR_STORAGE_FAILED : 0;
}

static int make(Store *store, Work *w) {
    const int64_t next = w->now + w->publication->life;
    RevocationList *list = revocation_list_new(w->publication->signer, w->number, w->now, next);
    /* First what the list will show is noted, then it is read: a change in between is then due once more, not lost. */
    int r = store_change(store, STATEMENT_CERTIFICATE_LISTED, NULL, "");
    GBytes *der = NULL;
    int64_t changes = 0;

    if (r == 0)
        r = add_entries(store, w, list);
    if (r == 0 && !(der = revocation_list_sign(list))) {
        log_error("the revocation list could not be signed");
        r = EONAY_ERROR_STORAGE_FAILED;
    }
    revocation_list_free(list);
    if (r != 0)
        return r;
    gsize size = 0;
    const void *bytes = g_bytes_get_data(der, &size);
    r = store_change(store, STATEMENT_LIST_ADD, &changes, "iib", w->number, w->now, bytes, size);
    g_bytes_unref(der);
    w->taken = r == 0 && changes == 0;
    if (w->taken)
        return EONAY_ERROR_BUSY; /* undoes what was noted */
    return r != 0 ? r : store_change(store, STATEMENT_LIST_PURGE, NULL, "i", w->number - KEPT);
}

static int work(Store *store, void *data) {
    Work *w = data;
    int64_t last = 0, at = 0;
    bool changed = false;
    int r = read_newest(store, &last, &at, &changed);

    w->taken = false;
    w->number = 0;
    if (r != 0)
        return r;
    if (w->only_if_due && !changed && last > 0 && w->now < at + w->publication->life / 2)
        return 0;
    if (w->wanted != 0 && w->wanted <= last)
        return EONAY_ERROR_BUSY;
    w->number = w->wanted != 0 ? w->wanted : last + 1;
    return make(store, w);
}

static int run(Portal *portal, Store *store, Work *w) {
    int r = EONAY_ERROR_BUSY;

    w->publication = portal->publication;
    w->taken = true;
    for (int i = 0; i < ATTEMPTS && r == EONAY_ERROR_BUSY && w->taken; i++) {
        w->now = clock_now();
        r = store_write(store, work, w);
    }
    if (r == 0 && w->number != 0)
        log_info("revocation list %lld is published", (long long)w->number);
    return r;
}

typedef struct Newest {
    int64_t number;
    int64_t at;
    GBytes *der;
} Newest;

static int newest(Store *store, void *data) {
    Newest *n = data;
    _rows_ StoreRows *row = NULL;
    int r = store_row(store, STATEMENT_LIST_NEWEST, &row, "");
    size_t size = 0;

    g_clear_pointer(&n->der, g_bytes_unref);
    if (r != 0)
        return r;
    if (!row)
        return EONAY_ERROR_NOT_FOUND;
    const void *bytes = store_rows_bytes(row, 2, &size);
    n->der = g_bytes_new(bytes, size);
    n->number = store_rows_int(row, 0);
    n->at = store_rows_int(row, 1);
    return 0;
}

/* Whole or not at all (g_file_set_contents() renames), and never an older one over a newer one of ours. */
static void write_file(Publication *p, Store *store) {
    g_autoptr(GError) error = NULL;
    Newest n = {0};
    int r = store_read(store, newest, &n);
    gsize size = 0;

    if (r == 0) {
        const char *bytes = g_bytes_get_data(n.der, &size);
        pthread_mutex_lock(&p->lock);
        bool there = n.number <= p->written && access(p->file, F_OK) == 0;
        if (!there &&
            !g_file_set_contents_full(p->file, bytes, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
            log_error("CrlFile=: %s", error->message);
        else
            p->written = n.number > p->written ? n.number : p->written;
        pthread_mutex_unlock(&p->lock);
    }
    if (n.der)
        g_bytes_unref(n.der);
}

void publication_tend(Portal *portal, Store *store) {
    Publication *p = portal->publication;
    Work w = {.only_if_due = true};

    if (!p)
        return;
    if (list_signer_can_sign(p->signer) && run(portal, store, &w) != 0)
        log_error("no revocation list could be published; tried again within a minute");
    if (p->file)
        write_file(p, store);
}

int publication_make(Portal *portal, Store *store, int64_t number, int64_t *ret_number) {
    Work w = {.wanted = number};

    if (!portal->publication || !list_signer_can_sign(portal->publication->signer))
        return EONAY_ERROR_UNSUPPORTED;
    int r = run(portal, store, &w);
    if (r == 0 && portal->publication->file)
        write_file(portal->publication, store);
    *ret_number = w.number;
    return r;
}

Reply *publication_serve(Request *request) {
    Newest n = {0};
    int r = request->portal->publication ? store_read(request->store, newest, &n) : EONAY_ERROR_NOT_FOUND;
    gsize size = 0;

    if (r != 0)
        return problem_reply(request, (EonayError)r, NULL);
    const void *bytes = g_bytes_get_data(n.der, &size);
    Reply *reply = reply_new(200, "application/pkix-crl", bytes, size);
    reply_header(reply, MHD_HTTP_HEADER_CACHE_CONTROL, "public, max-age=60");
    g_bytes_unref(n.der);
    return reply;
}
