/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rounds: without pcscd, wait for its socket; with it, list the readers and wait until one of them or their number
 * changes. Each state is compared with the one told last, so that what is told is always a change.
 *
 * libpcsclite compares the number of readers with the one at the beginning of its call: a reader that comes between our
 * listing and that call would be missed. So after a change the first wait is a short one and the readers are listed
 * again; readers that come in a row (a hub) are all seen, and at rest nothing wakes us.
 *
 * A card that is changed for another so fast that both moments look alike is told by pcscd's count of events: it is
 * reported as gone first.
 */
#include "pcsc-watch.h"

#include <errno.h>
#include <PCSC/reader.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <winscard.h>

#include "pcsc-service.h"
#include "util.h"

#define NOTIFICATION "\\\\?PnP?\\Notification"
#define SETTLE_MS    700u
#define IN_A_MOMENT  200 /* ms: pcscd may just be starting, or ending */
#define STATES_IGNORED                                                                                                 \
    (SCARD_STATE_CHANGED | SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE) /* who uses a card does not concern us */

/* What is known of a reader between two calls. */
typedef struct Seat {
    char *name;
    DWORD state;
    bool pinpad, pinpad_known;
    uint8_t atr[PCSC_ATR_MAX];
    size_t atr_size;
    bool changed_card; /* present before and now, with events between */
    bool listed;
    bool known; /* asked at least once */
} Seat;

struct PcscWatch {
    PcscService service;
    SCARDCONTEXT context;
    GPtrArray *seats; /* Seat*; of the thread alone */
    PcscNews *told;   /* likewise */
    int wake;         /* eventfd, into the thread */
    int news_fd;      /* eventfd, out of it */
    pthread_mutex_t lock;
    GQueue news;      /* under the lock, as the next */
    bool has_context; /* to be cancelled */
};

/* -------------------------------------------------------------------------------------------------------- news -- */

static void reader_free(gpointer p) {
    g_free(((PcscReader *)p)->name);
    g_free(p);
}

PcscNews *pcsc_news_free(PcscNews *n) {
    if (n)
        g_ptr_array_unref(n->readers);
    g_free(n);
    return NULL;
}

static PcscNews *news_new(const char *state) {
    PcscNews *n = g_new0(PcscNews, 1);
    n->state = state;
    n->readers = g_ptr_array_new_with_free_func(reader_free);
    return n;
}

static PcscNews *news_copy(const PcscNews *from) {
    PcscNews *n = news_new(from->state);
    for (guint i = 0; i < from->readers->len; i++) {
        PcscReader *r = g_memdup2(from->readers->pdata[i], sizeof(*r));
        r->name = g_strdup(r->name);
        g_ptr_array_add(n->readers, r);
    }
    return n;
}

static bool reader_same(const PcscReader *a, const PcscReader *b) {
    return strcmp(a->name, b->name) == 0 && a->present == b->present && a->pinpad == b->pinpad &&
           a->atr_size == b->atr_size && memcmp(a->atr, b->atr, a->atr_size) == 0;
}

static bool news_same(const PcscNews *a, const PcscNews *b) {
    if (strcmp(a->state, b->state) != 0 || a->readers->len != b->readers->len)
        return false;
    for (guint i = 0; i < a->readers->len; i++)
        if (!reader_same(a->readers->pdata[i], b->readers->pdata[i]))
            return false;
    return true;
}

static void signal_fd(int fd) {
    const uint64_t one = 1;
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

/* Takes n over. */
static void tell(PcscWatch *w, PcscNews *n) {
    if (w->told && news_same(w->told, n)) {
        pcsc_news_free(n);
        return;
    }
    pthread_mutex_lock(&w->lock);
    g_queue_push_tail(&w->news, news_copy(n));
    pthread_mutex_unlock(&w->lock);
    signal_fd(w->news_fd);
    pcsc_news_free(w->told);
    w->told = n;
}

/* ----------------------------------------------------------------------------------------------------- readers -- */

static void seat_free(gpointer p) {
    g_free(((Seat *)p)->name);
    g_free(p);
}

static bool seat_present(const Seat *s) {
    return s->state & SCARD_STATE_PRESENT;
}

static void seat_listed(PcscWatch *w, const char *name) {
    for (guint i = 0; i < w->seats->len; i++)
        if (strcmp(((Seat *)w->seats->pdata[i])->name, name) == 0) {
            ((Seat *)w->seats->pdata[i])->listed = true;
            return;
        }
    Seat *s = g_new0(Seat, 1);
    s->name = g_strdup(name);
    s->listed = true;
    g_ptr_array_add(w->seats, s);
}

static LONG list_names(PcscWatch *w, char **ret) {
    DWORD size = 0;
    LONG rv = SCardListReaders(w->context, NULL, NULL, &size);
    if (rv != SCARD_S_SUCCESS || size == 0)
        return rv;
    char *names = g_malloc0(size + 2);
    rv = SCardListReaders(w->context, NULL, names, &size);
    if (rv == SCARD_S_SUCCESS)
        *ret = g_steal_pointer(&names);
    g_free(names);
    return rv;
}

static LONG list_readers(PcscWatch *w) {
    g_autofree char *names = NULL;
    LONG rv;
    do
        rv = list_names(w, &names);
    while (rv == SCARD_E_INSUFFICIENT_BUFFER); /* one more came in between */
    if (rv != SCARD_S_SUCCESS && rv != SCARD_E_NO_READERS_AVAILABLE)
        return rv;
    for (guint i = 0; i < w->seats->len; i++)
        ((Seat *)w->seats->pdata[i])->listed = false;
    for (const char *name = names; name && *name; name += strlen(name) + 1)
        seat_listed(w, name);
    for (guint i = w->seats->len; i > 0; i--)
        if (!((Seat *)w->seats->pdata[i - 1])->listed)
            g_ptr_array_remove_index(w->seats, i - 1);
    return SCARD_S_SUCCESS;
}

static bool features_name_pin_entry(const uint8_t *bytes, DWORD size) {
    for (DWORD at = 0; at + 2 <= size; at += 2u + bytes[at + 1])
        if (bytes[at] == FEATURE_VERIFY_PIN_DIRECT)
            return true;
    return false;
}

/* Only of an empty reader: with a card in it, vendors' modules may be talking, and want no company. */
static void ask_for_pinpad(PcscWatch *w, Seat *s) {
    SCARDHANDLE handle;
    DWORD protocol, size = 0;
    uint8_t features[256];
    s->pinpad_known = true;
    if (SCardConnect(w->context, s->name, SCARD_SHARE_DIRECT, 0, &handle, &protocol) != SCARD_S_SUCCESS)
        return;
    if (SCardControl(handle, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, features, sizeof(features), &size) ==
        SCARD_S_SUCCESS)
        s->pinpad = features_name_pin_entry(features, MIN(size, sizeof(features)));
    SCardDisconnect(handle, SCARD_LEAVE_CARD);
}

static void seat_update(PcscWatch *w, Seat *s, const SCARD_READERSTATE *from) {
    bool was = seat_present(s);
    s->known = true;
    DWORD events = (from->dwEventState >> 16) - (s->state >> 16);
    s->state = from->dwEventState & ~(DWORD)STATES_IGNORED;
    s->changed_card = was && seat_present(s) && (events & 0xffff) >= 2;
    s->atr_size = seat_present(s) ? MIN(from->cbAtr, PCSC_ATR_MAX) : 0;
    memcpy(s->atr, from->rgbAtr, s->atr_size);
    if (!seat_present(s) && !(s->state & (SCARD_STATE_UNAVAILABLE | SCARD_STATE_UNKNOWN)) && !s->pinpad_known)
        ask_for_pinpad(w, s);
}

/* Sleeps in libpcsclite until something is other than the seats say. */
static LONG wait_for_change(PcscWatch *w, DWORD milliseconds) {
    g_autofree SCARD_READERSTATE *states = g_new0(SCARD_READERSTATE, w->seats->len + 1);
    for (guint i = 0; i < w->seats->len; i++) {
        const Seat *s = w->seats->pdata[i];
        states[i].szReader = s->name;
        states[i].dwCurrentState = s->state;
    }
    states[w->seats->len].szReader = NOTIFICATION;
    LONG rv = SCardGetStatusChange(w->context, milliseconds, states, w->seats->len + 1);
    for (guint i = 0; rv == SCARD_S_SUCCESS && i < w->seats->len; i++)
        seat_update(w, w->seats->pdata[i], &states[i]);
    return rv;
}

static PcscReader *describe_seat(const Seat *s, bool without_changed) {
    PcscReader *r = g_new0(PcscReader, 1);
    r->name = g_strdup(s->name);
    r->pinpad = s->pinpad;
    r->present = seat_present(s) && !(without_changed && s->changed_card);
    r->atr_size = r->present ? s->atr_size : 0;
    memcpy(r->atr, s->atr, r->atr_size);
    return r;
}

static PcscNews *describe(const PcscWatch *w, bool without_changed) {
    PcscNews *n = news_new("ok");
    for (guint i = 0; i < w->seats->len; i++)
        g_ptr_array_add(n->readers, describe_seat(w->seats->pdata[i], without_changed));
    return n;
}

/* Nothing as long as there is a reader that was listed but not asked yet: that takes no time. */
static void tell_readers(PcscWatch *w) {
    bool changed = false;
    for (guint i = 0; i < w->seats->len; i++) {
        const Seat *s = w->seats->pdata[i];
        if (!s->known)
            return;
        changed |= s->changed_card;
    }
    if (changed)
        tell(w, describe(w, true));
    tell(w, describe(w, false));
    for (guint i = 0; i < w->seats->len; i++)
        ((Seat *)w->seats->pdata[i])->changed_card = false;
}

/* ---------------------------------------------------------------------------------------------------- the rounds -- */

static void set_cancellable(PcscWatch *w, bool cancellable) {
    pthread_mutex_lock(&w->lock);
    w->has_context = cancellable;
    pthread_mutex_unlock(&w->lock);
}

/* Until pcscd is gone. */
static void watch_readers(PcscWatch *w) {
    DWORD wait = SETTLE_MS;
    set_cancellable(w, true);
    while (list_readers(w) == SCARD_S_SUCCESS) {
        tell_readers(w); /* one has gone, or there is none */
        LONG rv = wait_for_change(w, wait);
        if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT && rv != SCARD_E_CANCELLED && rv != SCARD_E_UNKNOWN_READER)
            break;
        wait = rv == SCARD_E_TIMEOUT ? INFINITE : SETTLE_MS;
        tell_readers(w);
    }
    set_cancellable(w, false);
    g_ptr_array_set_size(w->seats, 0);
    SCardReleaseContext(w->context);
    tell(w, news_new("no-service")); /* even if another is there already: it knows nothing of the old one's cards */
}

static void drain_wake(PcscWatch *w) {
    uint64_t count;
    if (read(w->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return;
}

/* True: pcscd is there and lets us in. */
static bool enter(PcscWatch *w) {
    return SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &w->context) == SCARD_S_SUCCESS;
}

/*
 * Until pcscd lets us in. A failure is believed at the second look, for pcscd may be about to start or end; then only
 * news of its socket, or somebody who asks, make us look again.
 */
static void wait_for_service(PcscWatch *w) {
    bool again = false;
    for (;;) {
        pcsc_service_watch(&w->service);
        drain_wake(w);
        if (enter(w))
            return;
        bool there = pcsc_service_is_there(&w->service);
        if (again || !there)
            tell(w, news_new(there ? "refused" : "no-service"));
        again = !pcsc_service_wait(&w->service, w->wake, again ? -1 : IN_A_MOMENT);
    }
}

static void *run(void *userdata) {
    PcscWatch *w = userdata;
    for (;;) {
        wait_for_service(w);
        watch_readers(w);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------- for the other thread --
 */

int pcsc_watch_fd(const PcscWatch *w) {
    return w->news_fd;
}

PcscNews *pcsc_watch_take(PcscWatch *w) {
    uint64_t count;
    pthread_mutex_lock(&w->lock);
    PcscNews *n = g_queue_pop_head(&w->news);
    if (!n && read(w->news_fd, &count, sizeof(count)) < 0)
        n = NULL; /* nothing was there to be reset */
    pthread_mutex_unlock(&w->lock);
    return n;
}

void pcsc_watch_rescan(PcscWatch *w) {
    pthread_mutex_lock(&w->lock);
    if (w->has_context)
        SCardCancel(w->context);
    pthread_mutex_unlock(&w->lock);
    signal_fd(w->wake);
}

int pcsc_watch_new(int run_fd, PcscWatch **ret) {
    pthread_t thread = 0;
    PcscWatch *w = g_new0(PcscWatch, 1);
    w->seats = g_ptr_array_new_with_free_func(seat_free);
    g_queue_init(&w->news);
    pthread_mutex_init(&w->lock, NULL);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = w->wake < 0 || w->news_fd < 0 ? -errno : pcsc_service_init(&w->service, run_fd);
    if (r == 0)
        r = -pthread_create(&thread, NULL, run, w);
    if (r < 0)
        return r; /* the process ends with it */
    pthread_detach(thread);
    *ret = w;
    return 0;
}
