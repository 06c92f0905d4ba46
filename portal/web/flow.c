/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page must show the code again when it is loaded again, but the records hold no code. So they hold it covered with
 * a pad that is made of the session's cookie, which they do not hold either.
 */
#include "flow.h"
#include "../texts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#define RATE_CODE "code-page"

static const Flow flows[] = {
    {.name = "e-onay",
     .purpose = PURPOSE_NES_APPLICATION,
     .title = N_("E-Onay (2/2)"),
     .act = N_("Read the text in the program, choose your certificate, enter your PIN and sign."),
     .opened = N_("The signature program has opened the text. Waiting for your signature."),
     .back = "/nes/e-onay",
     .done = "/nes/e-onay/sonuc"},
    {.name = "pin-olustur",
     .purpose = PURPOSE_PIN_CREATE,
     .title = N_("Create a PIN"),
     .act = N_("Carry out the creation of the PIN in the program."),
     .opened = N_("The signature program has the code. Go on there."),
     .back = "/nes/pin",
     .done = "/nes/pin"},
    {.name = "pin-coz",
     .purpose = PURPOSE_PIN_UNBLOCK,
     .title = N_("Unblock the card"),
     .act = N_("Carry out the unblocking of the card in the program."),
     .opened = N_("The signature program has the code. Go on there."),
     .back = "/nes/pin",
     .done = "/nes/pin"},
};

const Flow *flow_find(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(flows); i++)
        if (strcmp(flows[i].name, name) == 0)
            return &flows[i];
    return NULL;
}

/* XOR with HMAC-SHA-256(cookie, code's id): a pad of its own for each code. */
static void cover(const char *token, int64_t id, const char *in, char *out) {
    unsigned char pad[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char message[40];

    (void)snprintf(message, sizeof message, "code|%lld", (long long)id);
    if (!HMAC(EVP_sha256(), token, (int)strlen(token), (const unsigned char *)message, strlen(message), pad, &size))
        g_error("HMAC-SHA-256 is not to be had");
    for (size_t i = 0; i < CODE_DIGITS; i++)
        out[i] = (char)(in[i] ^ (char)pad[i]);
    explicit_bzero(pad, sizeof pad);
}

typedef struct FlowWork {
    const Visit *visit;
    const Flow *flow;
    int64_t id; /* of the code; 0: there is none */
    char sealed[CODE_DIGITS];
} FlowWork;

static int accept_work(Store *store, void *data) {
    const FlowWork *w = data;
    const Portal *portal = w->visit->request->portal;

    return store_change(store, STATEMENT_ACCEPTANCE_ADD, NULL, "tttti", w->visit->session.account, w->flow->purpose,
                        portal->texts->version, portal->config->undertaking_version, w->visit->now);
}

int flow_accept(Visit *v, const char *purpose) {
    const Flow flow = {.purpose = purpose};
    FlowWork work = {.visit = v, .flow = &flow};

    return store_write(v->store, accept_work, &work);
}

static int keep_work(Store *store, void *data) {
    const FlowWork *w = data;

    return store_change(store, STATEMENT_CODE_PAGE_PUT, NULL, "ttib", w->visit->session.account, w->flow->purpose,
                        w->id, w->sealed, sizeof w->sealed);
}

int flow_begin(Visit *v, const Flow *flow) {
    FlowWork work = {.visit = v, .flow = flow};
    uint8_t account[SECRET_HASH_SIZE];
    CodeRequest request = {.purpose = flow->purpose, .subject = v->session.account, .account = account};
    IssuedCode code = {0};
    int r = visit_rate(v, RATE_CODE);

    if (r == 0 && purpose_signs(flow->purpose))
        r = flow_accept(v, flow->purpose);
    if (r != 0)
        return r;
    visit_account_key(v, account);
    if ((r = code_issue(v->request->portal, v->store, &request, v->now, &code)) != 0)
        return r;
    work.id = code.id;
    cover(v->token, code.id, code.digits, work.sealed);
    explicit_bzero(code.digits, sizeof code.digits);
    return store_write(v->store, keep_work, &work);
}

static int find_work(Store *store, void *data) {
    FlowWork *w = data;
    _rows_ StoreRows *rows = NULL;
    const void *sealed = NULL;
    size_t size = 0;
    int r = store_row(store, STATEMENT_CODE_PAGE_FIND, &rows, "tt", w->visit->session.account, w->flow->purpose);

    w->id = 0;
    if (r != 0 || !rows)
        return r;
    sealed = store_rows_bytes(rows, 1, &size);
    if (size != sizeof w->sealed)
        return 0;
    memcpy(w->sealed, sealed, size);
    w->id = store_rows_int(rows, 0);
    return 0;
}

int flow_code(Visit *v, const Flow *flow, FlowCode *ret) {
    FlowWork work = {.visit = v, .flow = flow};
    FlowCode found = {0};
    int r = store_read(v->store, find_work, &work);

    if (r == 0 && work.id == 0)
        r = EONAY_ERROR_NOT_FOUND;
    if (r != 0 || (r = code_status(v->store, work.id, v->now, &found.status)) != 0)
        return r;
    found.id = work.id;
    cover(v->token, work.id, work.sealed, found.digits);
    if (!code_valid(found.digits)) /* of another session */
        explicit_bzero(found.digits, sizeof found.digits);
    *ret = found;
    return 0;
}
