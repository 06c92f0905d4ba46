/* SPDX-License-Identifier: Apache-2.0 */
/* What beyond soundness is asked of a consent: its policy, the level it reaches, whose certificate it is. */
#include "cades-oids.h"
#include "cades-policy.h"
#include "cades-upgrade.h"
#include "certificate-profile.h"
#include "verify-internal.h"

void verify_policy(Verify *v) {
    DerBytes value;
    PolicyId id;
    if (!message_signed_value(&v->message.signer, OID_SIGNATURE_POLICY, &value))
        return;
    const char *why = NULL;
    VerifySub sub = VERIFY_SUB_NONE;
    if (!policy_read(value, &id) || id.policy == 0) {
        why = "the policy's identifier is not one of the profiles P2, P3, P4";
        sub = VERIFY_SIGNATURE_POLICY_NOT_AVAILABLE;
    } else if (!id.hash_right) {
        why = "the policy's hash is not that of the profiles' document";
        sub = VERIFY_POLICY_PROCESSING_ERROR;
    } else
        v->policy = id.policy;
    verify_note(v, VERIFY_CHECK_SIGNATURE_POLICY, -1, why ? VERIFY_FAILED : VERIFY_PASSED, why);
    if (why)
        verify_decide(v, VERIFY_CHECK_SIGNATURE_POLICY, sub, why);
}

static bool stamp_proves(const Verify *v, bool archive) {
    for (size_t i = 0; i < v->report->n_stamps; i++)
        if (v->report->stamp[i].archive == archive && v->report->stamp[i].proves)
            return true;
    return false;
}

/* Whether what the level is made of was found to hold, whatever the whole report says. */
static bool level_holds(const Verify *v, CadesLevel level) {
    const CadesLevelTraits *traits = cades_level_traits(level);
    if (traits->policy != v->policy)
        return false;
    if (traits->stamp && !stamp_proves(v, false))
        return false;
    if (traits->material != CADES_MATERIAL_NONE && !v->material_sound)
        return false;
    if (traits->material == CADES_MATERIAL_VALUES && !v->references_sound)
        return false;
    return !traits->archive || stamp_proves(v, true);
}

static const VerifyStamp *stamp_failed(const VerifyReport *r) {
    for (size_t i = 0; i < r->n_stamps; i++)
        if (!r->stamp[i].proves)
            return &r->stamp[i];
    return NULL;
}

/* What claims more than it holds is no clear case, even where less would do. */
static void claim_judge(Verify *v) {
    const VerifyStamp *stamp = stamp_failed(v->report);
    if (v->report->level == v->report->level_claimed)
        return;
    if (stamp)
        verify_decide(v, VERIFY_CHECK_STAMP_CHAIN, stamp->sub, "a time stamp does not hold");
    else
        verify_decide(v, VERIFY_CHECK_LEVEL, VERIFY_SIG_CONSTRAINTS_FAILURE,
                      "it claims a level that it does not reach");
}

/* The claimed level when it holds, else the best below it of the same kind. */
void verify_level(Verify *v) {
    VerifyReport *r = v->report;
    int wanted = v->request->level;
    r->level = -1;
    if (r->indication == VERIFY_TOTAL_FAILED)
        return;
    for (int level = r->level_claimed; level >= 0 && r->level < 0; level--)
        if (level_holds(v, (CadesLevel)level))
            r->level = level;
    claim_judge(v);
    if (wanted < 0)
        return;
    bool reached =
        r->level == wanted || (wanted <= CADES_LEVEL_B_LTA && r->level <= CADES_LEVEL_B_LTA && r->level > wanted);
    verify_note(v, VERIFY_CHECK_LEVEL, -1, reached ? VERIFY_PASSED : VERIFY_FAILED,
                reached ? NULL : "the signature does not reach the level");
    if (!reached)
        verify_decide(v, VERIFY_CHECK_LEVEL, VERIFY_SIG_CONSTRAINTS_FAILURE, "the signature does not reach the level");
}

void verify_qualified(Verify *v) {
    const CadesReport *base = v->report->base;
    CertificateProfile *p = NULL;
    if (!base->certificate || certificate_profile_new(base->certificate, base->certificate_size, &p) < 0)
        return;
    v->report->qualified = p->qualified && (p->reasons & CERTIFICATE_REASON_SEAL) == 0;
    certificate_profile_free(p);
    verify_note(v, VERIFY_CHECK_QUALIFIED, -1, v->report->qualified ? VERIFY_PASSED : VERIFY_UNKNOWN,
                v->report->qualified ? NULL : "the certificate is not a qualified one of a person");
    if (v->request->qualified && !v->report->qualified)
        verify_decide(v, VERIFY_CHECK_QUALIFIED, VERIFY_CHAIN_CONSTRAINTS_FAILURE,
                      "the certificate is not a qualified one of a person");
}
