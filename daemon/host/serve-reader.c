/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host that watches the card readers. It loads nothing but libpcsclite and touches no card; a thread waits
 * (pcsc-watch.h), this one tells the daemon.
 */
#include "serve-reader.h"

#include <errno.h>
#include <fcntl.h>

#include "confine.h"
#include "host-protocol.h"
#include "util.h"

static int append_reader(sd_bus_message *m, const PcscReader *r) {
    int n = sd_bus_message_open_container(m, 'r', "sbayb");
    if (n >= 0)
        n = sd_bus_message_append(m, "sb", r->name, r->present);
    if (n >= 0)
        n = sd_bus_message_append_array(m, 'y', r->atr, r->atr_size);
    if (n >= 0)
        n = sd_bus_message_append(m, "b", r->pinpad);
    return n < 0 ? n : sd_bus_message_close_container(m);
}

static int send_news(const Host *host, const PcscNews *news) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_signal(host->bus, &m, HOST_PATH, HOST_INTERFACE, HOST_SIGNAL_READERS);
    if (r >= 0)
        r = sd_bus_message_append(m, "s", news->state);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sbayb)");
    for (guint i = 0; r >= 0 && i < news->readers->len; i++)
        r = append_reader(m, news->readers->pdata[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_send(host->bus, m, NULL);
}

int readers_serve(Host *host) {
    int r = 0;
    for (PcscNews *news; r >= 0 && (news = pcsc_watch_take(host->watch));) {
        r = send_news(host, news);
        pcsc_news_free(host->last_news);
        host->last_news = news;
    }
    return r;
}

int readers_open(Host *host, const Confinement *c) {
    _cleanup_close_ int run = open("/run", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (run < 0)
        return -errno;
    int r = confine_process(c);
    return r < 0 ? r : pcsc_watch_new(TAKE_FD(run), &host->watch);
}

static int on_rescan(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    Call call;
    pcsc_watch_rescan(host->watch);
    call_end_void(&call);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = host_reply_new(m, &call, &reply);
    r = host_reply_send(host, reply, r);
    if (r >= 0 && host->last_news && send_news(host, host->last_news) < 0)
        return host_ruined(host, -EIO);
    return r;
}

const HostMethod reader_methods[] = {{HOST_METHOD_RESCAN, "", on_rescan}, {0}};
