/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the signature's level asks for beyond the token: before anybody types a PIN, whether the certificate stands and
 * the time-stamp authorities can be reached; after the token has signed, the way up to the level. The token is not held
 * meanwhile.
 */
#include "crash-point.h"
#include "error.h"
#include "log.h"
#include "messages.h"
#include "signing-private.h"
#include "util.h"

/* What must remain of the code's life for the stamps and answers that come after the signature. */
#define AFTERWARDS (5u * USEC_PER_SEC)

void signing_level_clear(Signing *s) {
    s->collection = collection_cancel(s->collection);
    s->probe = stamp_cancel(s->probe);
    s->raise = raise_cancel(s->raise);
}

/* ------------------------------------------------------------------------------------------------------ before -- */

static void on_probed(const Fault *fault, GBytes *token, const Timestamp *stamp, void *userdata) {
    (void)token;
    (void)stamp;
    Signing *s = userdata;
    s->probe = NULL;
    if (fault->code != 0)
        signing_fail(s, fault);
    else
        signing_confirm(s);
}

static void signing_probe(Signing *s) {
    if (!cades_level_traits(s->level)->stamp) {
        signing_confirm(s);
        return;
    }
    int r = stamp_probe(s->consent->manager, on_probed, s, &s->probe);
    if (r != 0)
        signing_fail_code(s, r);
}

/* P2 and P3 need a list issued after the signature. It comes when the present one ends, or the grace period is over;
 * the code must live as long. Whoever cannot wait now is told when he could. */
static Fault list_comes_in_time(const Signing *s, const Material *material) {
    const Consent *c = s->consent;
    const CadesLevelTraits *t = cades_level_traits(s->level);
    int64_t now = g_get_real_time() / (int64_t)USEC_PER_SEC;
    int64_t wait = (int64_t)c->manager->config->grace_period;
    if (t->revocation != CADES_REVOCATION_CRL || wait == 0)
        return FAULT_NONE;
    int64_t next = material->step[0].answer.next_update;
    int64_t due = next == 0 ? now + wait : MIN(next, now + wait);
    if (due < now + (int64_t)((consent_remaining(c) - AFTERWARDS) / USEC_PER_SEC))
        return FAULT_NONE;
    if (due != next)
        return fault_printf(EONAY_ERROR_LEVEL_UNREACHABLE,
                            "no revocation list is due within GracePeriodSec=%lld, and the code does not live so long;"
                            " P4 needs none",
                            (long long)wait);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(due);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
    return fault_printf(EONAY_ERROR_LEVEL_UNREACHABLE,
                        "the next revocation list is due at %s, after the code's end: get a code shortly before that;"
                        " P4 needs no list",
                        text);
}

static void on_material(const Fault *fault, const Material *material, void *userdata) {
    Signing *s = userdata;
    s->collection = NULL;
    if (fault->code != 0) {
        signing_fail(s, fault);
        return;
    }
    if (consent_remaining(s->consent) < AFTERWARDS) {
        signing_fail_code(s, EONAY_ERROR_CODE_EXPIRED);
        return;
    }
    Fault f = list_comes_in_time(s, material);
    if (f.code == 0)
        signing_probe(s);
    else
        signing_fail(s, &f);
    fault_clear(&f);
}

void signing_prepare_level(Signing *s) {
    Consent *c = s->consent;
    const CadesLevelTraits *t = cades_level_traits(s->level);
    int r = raise_possible(c->manager, s->level);
    if (r == 0 && t->revocation == CADES_REVOCATION_NONE) {
        signing_confirm(s);
        return;
    }
    MaterialWish wish = {.certificate = s->certificate, .revocation = t->revocation, .deadline = c->deadline};
    if (r == 0)
        r = material_collect(c->manager, &wish, on_material, s, &s->collection);
    if (r != 0)
        signing_fail_code(s, r);
}

/* ------------------------------------------------------------------------------------------------------- after -- */

static void on_raised(const Fault *fault, GPtrArray *messages, void *userdata) {
    Signing *s = userdata;
    Consent *c = s->consent;
    s->raise = NULL;
    g_ptr_array_set_size(c->signatures, 0);
    if (fault->code != 0) {
        log_event(LOG_ERR, MESSAGE_FETCH_FAILED, NULL, "level %s was not reached: %s: %s",
                  cades_level_traits(s->level)->name, eonay_error_short_name(fault->code),
                  fault->text ? fault->text : "no detail");
        signing_fail(s, fault);
        return;
    }
    crash_point("raised");
    for (guint i = 0; i < messages->len; i++)
        g_ptr_array_add(c->signatures, g_bytes_ref(messages->pdata[i]));
    signing_record(s);
}

void signing_raise(Signing *s) {
    Consent *c = s->consent;
    if (s->level == CADES_LEVEL_B_B || s->level == CADES_LEVEL_P1) {
        signing_record(s);
        return;
    }
    int r = raise_start(c->manager, s->level, c->signatures, s->certificate, c->deadline, on_raised, s, &s->raise);
    if (r != 0) {
        g_ptr_array_set_size(c->signatures, 0);
        signing_fail_code(s, r);
    }
}
