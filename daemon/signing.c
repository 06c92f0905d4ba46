/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Sign(), step by step; each step ends in the next one's first line, or in signing_fail().
 *
 *   start ─▶ authorise ─▶ confirm the texts ─▶ PIN delivered          signing-ask.c: polkit and the person;
 *                                       before the texts, signing-level.c: does the certificate stand, are stamps to be
 * had ─▶ the token's turn ─▶ Login sent, record written ─▶ record on disk: Sign sent ─▶ signatures ─▶ verified ─▶
 * raised to the level                                      signing-level.c, the token is free again ─▶ recorded ─▶
 * submission                                   signing-token.c: the token
 *
 * Until Sign is sent the consent can go back to reviewing; after that the code is spent, whatever happens. Here is what
 * both parts share: the beginning, what may not begin, and the end.
 */
#include <fcntl.h>

#include "cades.h"
#include "crash-point.h"
#include "error.h"
#include "module.h"
#include "names.h"
#include "signing-private.h"
#include "util.h"

const Token *signing_token(const Signing *s) {
    return s->token;
}

bool signing_committed(const Signing *s) {
    return s->sign_sent;
}

bool signing_recorded(const Signing *s) {
    return s->recorded;
}

static void cades_destroy(gpointer c) {
    cades_free(c);
}

Signing *signing_free(Signing *s) {
    if (!s)
        return NULL;
    sd_event_source_disable_unref(s->doubt);
    fault_clear(&s->doubted);
    authorise_cancel(s->authorisation);
    agent_call_cancel(s->agent_call);
    signing_level_clear(s);
    signing_clear_try(s);
    s->pin_fd = safe_close(s->pin_fd);
    g_ptr_array_unref(s->cades);
    g_bytes_unref(s->certificate);
    g_strfreev(s->accepted);
    g_free(s->subject);
    g_free(s->fingerprint);
    g_free(s);
    return NULL;
}

void signing_fail(Signing *s, const Fault *fault) {
    if (s->sign_sent)
        consent_end(s->consent, CONSENT_FAILED, fault);
    else if (fault->code == EONAY_ERROR_CODE_EXPIRED)
        consent_end(s->consent, CONSENT_EXPIRED, fault);
    else
        consent_reopen(s->consent, fault);
}

void signing_fail_code(Signing *s, int code) {
    Fault f = FAULT(code);
    signing_fail(s, &f);
}

/* ------------------------------------------------------------------------------------------------- the beginning -- */

static bool texts_match(const Consent *c, char **accepted) {
    if (g_strv_length(accepted) != c->texts->len)
        return false;
    for (guint i = 0; i < c->texts->len; i++)
        if (g_ascii_strcasecmp(accepted[i], ((Text *)c->texts->pdata[i])->sha256) != 0)
            return false;
    return true;
}

static Fault check_certificate(const Consent *c, const SignOptions *o) {
    uint32_t reasons = certificate_reasons(o->certificate, c->subject);
    if (reasons == 0)
        return FAULT_NONE;
    GString *names = g_string_new(NULL);
    for (unsigned bit = 0; bit < 32; bit++)
        if (reasons & (1u << bit))
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", certificate_reason_name(1u << bit));
    Fault f = FAULT(certificate_reasons_error(reasons));
    f.text = g_string_free(names, FALSE);
    return f;
}

/* The administrator's PIN is for those who bring none, and not for readers with a keypad. */
static bool has_credential(const Consent *c, const SignOptions *o) {
    const Token *t = o->certificate->token;
    return o->pin_fd < 0 && !(t->flags & EONAY_TOKEN_PINPAD) && instance_config_gives_pin(t->module->instance, c->uid);
}

/* Who confirms the texts and where the PIN comes from. */
static int check_confirmation(const Consent *c, const SignOptions *o) {
    const Token *t = o->certificate->token;
    bool agent = agent_find(c->manager, c->owner, c->user);
    if (o->accepted && !texts_match(c, o->accepted))
        return EONAY_ERROR_TEXT_MISMATCH;
    if (!o->accepted && !agent)
        return o->pin_fd >= 0 ? EONAY_ERROR_TEXT_MISMATCH : EONAY_ERROR_NO_AGENT;
    if (o->pin_fd >= 0)
        return t->flags & EONAY_TOKEN_PINPAD ? EONAY_ERROR_PIN_PAD_REQUIRED : pinpipe_check(o->pin_fd);
    return agent || t->flags & EONAY_TOKEN_PINPAD || has_credential(c, o) ? 0 : EONAY_ERROR_NO_AGENT;
}

Fault signing_check(const Consent *c, const SignOptions *o) {
    if (c->state != CONSENT_REVIEWING) {
        int code = c->state == CONSENT_EXPIRED        ? EONAY_ERROR_CODE_EXPIRED
                   : consent_state_is_final(c->state) ? EONAY_ERROR_CODE_USED
                                                      : EONAY_ERROR_BUSY;
        return FAULT(code);
    }
    if (consent_remaining(c) < EONAY_LIFE_MARGIN_USEC)
        return FAULT(EONAY_ERROR_CODE_EXPIRED);
    Fault f = check_certificate(c, o);
    if (f.code != 0)
        return f;
    int r = check_confirmation(c, o);
    if (r == 0 && has_credential(c, o) && o->certificate->token->credential_wrong)
        r = EONAY_ERROR_PIN_FEW_TRIES_LEFT;
    if (r == 0)
        r = token_may_try(o->certificate->token, c->user, o->certificate->profile->fingerprint, o->allow_final_try);
    return FAULT(r);
}

static Signing *signing_new(Consent *c, const SignOptions *o) {
    Signing *s = g_new0(Signing, 1);
    const CertificateProfile *p = o->certificate->profile;
    s->consent = c;
    cades_level_find(c->level, &s->level);
    s->token = o->certificate->token;
    s->certificate = g_bytes_new(p->der, p->der_size);
    s->subject = g_strdup(p->subject);
    s->fingerprint = g_strdup(p->fingerprint);
    s->mechanism = certificate_mechanism(o->certificate);
    s->accepted = g_strdupv(o->accepted);
    if (o->accepted) { /* it says that he has */
        s->confirmed_at = (uint64_t)g_get_real_time();
        s->confirmed_by = AGENT_KIND_CALLER;
    }
    s->allow_final_try = o->allow_final_try;
    s->interactive = o->interactive;
    s->by_credential = has_credential(c, o);
    s->tries_left = -1;
    s->pin_fd = o->pin_fd >= 0 ? fcntl(o->pin_fd, F_DUPFD_CLOEXEC, 3) : -1;
    s->cades = g_ptr_array_new_with_free_func(cades_destroy);
    return s;
}

void signing_start(Consent *c, const SignOptions *o) {
    c->signing = signing_new(c, o);
    crash_point("sign-accepted");
    consent_set_state(c, CONSENT_AUTHORISING);
    signing_authorise(c->signing);
}
