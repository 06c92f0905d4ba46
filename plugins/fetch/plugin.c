/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch: HTTP for everything that stands behind a signature. It knows nothing of what it carries: the daemon makes the
 * requests and judges the answers, and has no network. Calls come from several threads at once.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"

int fetch_fault(const Fetch *f, EonayError code, const char *format, ...) {
    char text[512];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return f->host->fault(f->host, code, -1, 0, text);
}

static void fetch_close(void *context) {
    Fetch *f = context;
    for (size_t i = 0; i < f->n_idle; i++)
        curl_easy_cleanup(f->idle[i]);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static int fetch_open(const EonayHost *host, void **ret_context) {
    const char *internal = host->config(host, "Internal"), *proxy = host->config(host, "Proxy");
    Fetch *f = calloc(1, sizeof *f);
    if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(f);
        return -ENOMEM;
    }
    f->host = host;
    f->ca_file = host->config(host, "CaFile");
    f->proxy = proxy ? proxy : "";
    f->internal = internal && strcmp(internal, "yes") == 0;
    pthread_mutex_init(&f->lock, NULL);
    *ret_context = f;
    return 0;
}

static int fetch_fetch(void *context, const EonayFetchRequest *request, EonayFetched *ret) {
    return transfer_run(context, request, ret);
}

static const EonayFetchOps ops = {
    .struct_size = sizeof ops,
    .open = fetch_open,
    .close = fetch_close,
    .fetch = fetch_fetch,
};

const EonayPlugin eonay_plugin = {
    .abi_major = EONAY_PLUGIN_ABI_MAJOR,
    .abi_minor = EONAY_PLUGIN_ABI_MINOR,
    .struct_size = sizeof(EonayPlugin),
    .kind = EONAY_PLUGIN_FETCH,
    .flags = EONAY_PLUGIN_CONCURRENT,
    .name = "fetch",
    .version = EONAY_VERSION,
    .fetch = &ops,
};
