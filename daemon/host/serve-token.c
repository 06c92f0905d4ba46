/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing and signing for one module. A PIN lives here from Login to Sign of the same request, in one locked page, and
 * every way out of either leads through session_end().
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "host-protocol.h"
#include "listing.h"
#include "serve.h"
#include "text.h"
#include "util.h"

#define SIGNATURE_MAX 2048u

static const EonayTokenOps *token_ops(const Host *host) {
    return host->plugin->token;
}

/* --------------------------------------------------------------------------------------------------- secrets -- */

static void secret_freep(Secret **s) {
    *s = secret_free(*s);
}

/* The descriptors of an array that holds none or one pipe. Negative errno for more: the daemon is not right. */
static int read_pipes(sd_bus_message *m, int *ret_fd) {
    int fd = -1, n = 0;
    int r = sd_bus_message_enter_container(m, 'a', "h");
    while (r >= 0 && (r = sd_bus_message_read_basic(m, 'h', &fd)) > 0)
        n++;
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0)
        return r;
    if (n > 1)
        return -EINVAL;
    *ret_fd = n == 1 ? fd : -1;
    return 0;
}

static EonaySecret secret_view(const Secret *s) {
    return (EonaySecret){.bytes = secret_bytes(s), .size = secret_size(s)};
}

/* The process that has the network never sees a PIN. Otherwise a condition of secret_read_pipe() becomes the outcome.
 */
static int take_secret(const Host *host, Secret *s, int fd, Call *call) {
    if (host->has_network)
        return call_fail(call, EONAY_ERROR_PIN_PAD_REQUIRED, "a process with access to the network takes no PIN");
    int r = secret_read_pipe(s, fd);
    return r > 0 ? call_fail(call, r, NULL) : r;
}

/* ------------------------------------------------------------------------------------------------------ list -- */

static int list_call(Host *host, int fd, Listing *listing, Call *call) {
    _cleanup_(secret_freep) Secret *secret = NULL;
    EonaySecret view;
    call_end_void(call);
    if (fd >= 0) {
        int r = secret_new(&secret);
        if (r == 0)
            r = take_secret(host, secret, fd, call);
        if (r != 0)
            return r;
        view = secret_view(secret);
    }
    call_begin(call, host->deadlines[DEADLINE_LIST]);
    return call_end(call, token_ops(host)->list(host->context, secret ? &view : NULL, listing_visitor(listing)));
}

static int on_list(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    int fd;
    int r = read_pipes(m, &fd);
    if (r < 0)
        return r;
    Call call;
    _cleanup_(listing_freep) Listing *listing = listing_new(true);
    r = list_call(host, fd, listing, &call);
    if (r < 0)
        return host_ruined(host, r);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    r = host_reply_new(m, &call, &reply);
    if (r >= 0)
        r = listing_append(listing, call.code == 0, reply);
    return host_reply_send(host, reply, r);
}

static int reply_token(Host *host, sd_bus_message *m, const Call *call, const Listing *listing, bool seen) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = host_reply_new(m, call, &reply);
    if (r >= 0)
        r = listing_append_token(listing, seen, reply);
    return host_reply_send(host, reply, r);
}

/* Sends the outcome and the token as it is now, after something was done to its PIN. */
static int reply_with_token(Host *host, sd_bus_message *m, const char *token, const Call *call) {
    Call look;
    _cleanup_(listing_freep) Listing *listing = listing_new(false);
    call_begin(&look, host->deadlines[DEADLINE_LIST]);
    int r = call_end(&look, token_ops(host)->inspect(host->context, token, listing_visitor(listing)));
    return r < 0 ? host_ruined(host, r) : reply_token(host, m, call, listing, look.code == 0);
}

static int reply_without_token(Host *host, sd_bus_message *m, const Call *call) {
    _cleanup_(listing_freep) Listing *listing = listing_new(false);
    return reply_token(host, m, call, listing, false);
}

/* ----------------------------------------------------------------------------------------------------- login -- */

/* The PIN that the administrator keeps for this token. */
static int take_credential(const Host *host, Secret *s, Call *call) {
    if (host->credential < 0)
        return call_fail(call, EONAY_ERROR_PIN_REQUIRED, "the credential with the PIN is not there");
    int r = secret_read_file(s, host->credential);
    return r > 0 ? call_fail(call, r, "the credential is not a PIN") : r;
}

static int login_call(Host *host, const char *token, uint32_t flags, int fd, Call *call) {
    Session *s = &host->session;
    EonaySecret view;
    int r = 0;
    bool with_secret = fd >= 0 || (flags & HOST_LOGIN_CREDENTIAL);
    call_end_void(call);
    if (with_secret)
        r = fd >= 0 ? take_secret(host, s->secret, fd, call) : take_credential(host, s->secret, call);
    if (r != 0)
        return r;
    view = secret_view(s->secret);
    const EonayLogin login = {.struct_size = sizeof(login),
                              .flags = flags & ~(HOST_LOGIN_CREDENTIAL | HOST_LOGIN_QUIET),
                              .token = token,
                              .secret = with_secret ? &view : NULL};
    s->active = true; /* from here on there may be something to log out of */
    s->has_secret = with_secret;
    call_begin(call, host->deadlines[with_secret ? DEADLINE_LOGIN : DEADLINE_PINPAD]);
    return call_end(call, token_ops(host)->login(host->context, &login));
}

static int on_login(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    uint64_t request;
    const char *token;
    uint32_t flags;
    int fd;
    int r = sd_bus_message_read(m, "ts", &request, &token);
    if (r >= 0)
        r = read_pipes(m, &fd);
    if (r >= 0)
        r = sd_bus_message_read(m, "u", &flags);
    if (r < 0)
        return r;
    Call call;
    session_end(host);
    r = login_call(host, token, flags, fd, &call);
    if (r != 0)
        session_end(host);
    if (r < 0)
        return host_ruined(host, r);
    if (r == 0) {
        host->session.request = request;
        host->session.token = g_strdup(token);
    }
    return r == 0 && (flags & HOST_LOGIN_QUIET) ? reply_without_token(host, m, &call)
                                                : reply_with_token(host, m, token, &call);
}

/* ------------------------------------------------------------------------------------------------------ sign -- */

static size_t mechanism_digest_size(uint32_t mechanism) {
    switch (mechanism) {
    case EONAY_MECH_RSA_PKCS1_SHA256:
    case EONAY_MECH_RSA_PSS_SHA256:
    case EONAY_MECH_ECDSA_SHA256:
        return 32;
    case EONAY_MECH_RSA_PKCS1_SHA384:
    case EONAY_MECH_RSA_PSS_SHA384:
    case EONAY_MECH_ECDSA_SHA384:
        return 48;
    case EONAY_MECH_RSA_PKCS1_SHA512:
    case EONAY_MECH_RSA_PSS_SHA512:
    case EONAY_MECH_ECDSA_SHA512:
        return 64;
    default:
        return 0;
    }
}

typedef struct SignRequest {
    uint64_t request;
    EonaySignRequest one; /* all but digest and secret */
    const uint8_t *digests[EONAY_TEXTS_MAX];
    size_t n_digests;
    size_t digest_size;
} SignRequest;

static int read_digests(sd_bus_message *m, SignRequest *s) {
    const void *bytes;
    size_t size;
    int r = sd_bus_message_enter_container(m, 'a', "ay");
    while (r >= 0 && (r = sd_bus_message_read_array(m, 'y', &bytes, &size)) > 0) {
        if (size != s->digest_size || s->n_digests == EONAY_TEXTS_MAX)
            return -EINVAL;
        s->digests[s->n_digests++] = bytes;
    }
    if (r < 0)
        return r;
    return s->n_digests > 0 ? sd_bus_message_exit_container(m) : -EINVAL;
}

static int read_sign(sd_bus_message *m, SignRequest *s) {
    const void *certificate;
    int r = sd_bus_message_read(m, "ts", &s->request, &s->one.token);
    if (r >= 0)
        r = sd_bus_message_read_array(m, 'y', &certificate, &s->one.certificate_size);
    if (r >= 0)
        r = sd_bus_message_read(m, "u", &s->one.mechanism);
    if (r < 0)
        return r;
    s->one.struct_size = sizeof(s->one);
    s->one.certificate = certificate;
    s->digest_size = mechanism_digest_size(s->one.mechanism);
    if (s->digest_size == 0 || s->one.certificate_size == 0 || s->one.certificate_size > EONAY_CERTIFICATE_SIZE_MAX)
        return -EINVAL;
    s->one.digest_size = s->digest_size;
    return read_digests(m, s);
}

/* One signature of a sane size in a block of ours, or PLUGIN_FAILED. */
static int sign_one(Host *host, const EonaySignRequest *one, GPtrArray *signatures, Call *call) {
    uint8_t *signature = NULL;
    size_t size = 0;
    call_begin(call, host->deadlines[DEADLINE_SIGN]);
    int r = call_end(call, token_ops(host)->sign(host->context, one, &signature, &size));
    if (r == 0 && (!signature || size == 0 || size > SIGNATURE_MAX || size > block_size(signature)))
        r = call_fail(call, EONAY_ERROR_PLUGIN_FAILED, "the plugin returned a signature of an impossible size");
    if (r == 0)
        g_ptr_array_add(signatures, g_bytes_new(signature, size));
    block_release(signature);
    return r;
}

static int sign_all(Host *host, const SignRequest *s, GPtrArray *signatures, Call *call) {
    const Session *session = &host->session;
    const EonaySecret view = secret_view(session->secret);
    call_end_void(call);
    if (!session->active || session->request != s->request || strcmp(session->token, s->one.token) != 0)
        return call_fail(call, EONAY_ERROR_CANCELLED, "there is no login for this signature");
    EonaySignRequest one = s->one;
    one.secret = session->has_secret ? &view : NULL;
    int r = 0;
    for (size_t i = 0; r == 0 && i < s->n_digests; i++) {
        one.digest = s->digests[i];
        r = sign_one(host, &one, signatures, call);
    }
    return r;
}

static int append_signatures(sd_bus_message *reply, const GPtrArray *signatures, bool success) {
    int r = sd_bus_message_open_container(reply, 'a', "ay");
    for (guint i = 0; r >= 0 && success && i < signatures->len; i++) {
        gsize size;
        const void *bytes = g_bytes_get_data(signatures->pdata[i], &size);
        r = sd_bus_message_append_array(reply, 'y', bytes, size);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_signatures(Host *host, sd_bus_message *m, const Call *call, const GPtrArray *signatures) {
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = host_reply_new(m, call, &reply);
    if (r >= 0)
        r = append_signatures(reply, signatures, call->code == 0);
    return host_reply_send(host, reply, r);
}

/* The signatures are sent before the logout: a module that hangs or crashes there must not take them along. */
static int on_sign(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    SignRequest request = {0};
    Call call;
    g_autoptr(GPtrArray) signatures = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    int r = read_sign(m, &request);
    int signing = r < 0 ? 0 : sign_all(host, &request, signatures, &call);
    secret_erase(host->session.secret);
    if (r >= 0 && signing >= 0)
        r = reply_signatures(host, m, &call, signatures);
    session_end(host);
    return signing < 0 ? host_ruined(host, signing) : r;
}

static int on_abort(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    Host *host = userdata;
    Call call;
    session_end(host);
    call_end_void(&call);
    _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
    int r = host_reply_new(m, &call, &reply);
    return host_reply_send(host, reply, r);
}

/* ------------------------------------------------------------------------------------------------- PIN change -- */

typedef int (*PinOperation)(void *context, const char *token, const EonaySecret *known, const EonaySecret *new_pin);

static int change_call(Host *host, PinOperation operation, const char *token, const int fds[2], Call *call) {
    _cleanup_(secret_freep) Secret *known = NULL;
    _cleanup_(secret_freep) Secret *new_pin = NULL;
    call_end_void(call);
    if (!operation)
        return call_fail(call, EONAY_ERROR_UNSUPPORTED, NULL);
    int r = secret_new(&known);
    if (r == 0)
        r = secret_new(&new_pin);
    if (r == 0)
        r = take_secret(host, known, fds[0], call);
    if (r == 0)
        r = take_secret(host, new_pin, fds[1], call);
    if (r != 0)
        return r;
    const EonaySecret a = secret_view(known), b = secret_view(new_pin);
    call_begin(call, host->deadlines[DEADLINE_SIGN]);
    return call_end(call, operation(host->context, token, &a, &b));
}

static int change(sd_bus_message *m, Host *host, PinOperation operation) {
    const char *token;
    int fds[2];
    int r = sd_bus_message_read(m, "shh", &token, &fds[0], &fds[1]);
    if (r < 0)
        return r;
    Call call;
    session_end(host);
    r = change_call(host, operation, token, fds, &call);
    return r < 0 ? host_ruined(host, r) : reply_with_token(host, m, token, &call);
}

static int on_change_pin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    return change(m, userdata, token_ops(userdata)->change_pin);
}

static int on_unblock_pin(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    (void)error;
    return change(m, userdata, token_ops(userdata)->unblock_pin);
}

const HostMethod token_methods[] = {{HOST_METHOD_LIST, HOST_LIST_IN, on_list},
                                    {HOST_METHOD_LOGIN, HOST_LOGIN_IN, on_login},
                                    {HOST_METHOD_SIGN, HOST_SIGN_IN, on_sign},
                                    {HOST_METHOD_ABORT, HOST_ABORT_IN, on_abort},
                                    {HOST_METHOD_CHANGE_PIN, HOST_CHANGE_PIN_IN, on_change_pin},
                                    {HOST_METHOD_UNBLOCK_PIN, HOST_CHANGE_PIN_IN, on_unblock_pin},
                                    {0}};
