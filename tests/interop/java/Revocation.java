// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ocsp.BasicOCSPResponse;
import org.bouncycastle.asn1.x509.CertificateList;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Embedded OCSP responses (RFC 6960) and lists (RFC 5280 section 6.3): who signed them, and whom they cover. */
final class Revocation {
    private final List<X509CRLHolder> crls = new ArrayList<>();
    private final List<BasicOCSPResp> ocsps = new ArrayList<>();
    private final List<X509CertificateHolder> pool = new ArrayList<>();

    void add(Collection<CertificateList> lists, Collection<BasicOCSPResponse> responses) throws Exception {
        for (CertificateList list : lists)
            crls.add(new X509CRLHolder(list));
        for (BasicOCSPResponse response : responses)
            ocsps.add(new BasicOCSPResp(response));
    }

    void addCertificates(Collection<X509CertificateHolder> certificates) {
        pool.addAll(certificates);
    }

    int size() {
        return crls.size() + ocsps.size();
    }

    /** Every certificate of the chain but the anchor is covered by a value that is no older than needed and says good. */
    void chainCheck(List<X509CertificateHolder> chain, Date from, Date until) throws Exception {
        for (int i = 0; i + 1 < chain.size(); i++)
            Refused.unless(covered(chain.get(i), chain.get(i + 1), from, until),
                "revocation: nothing says that " + chain.get(i).getSubject() + " was good");
    }

    private boolean covered(X509CertificateHolder subject, X509CertificateHolder issuer, Date from, Date until)
            throws Exception {
        boolean good = false;
        for (BasicOCSPResp response : ocsps)
            for (SingleResp single : response.getResponses())
                if (concerns(single, subject, issuer) && signedFor(response, issuer)) {
                    Refused.unless(single.getCertStatus() == CertificateStatus.GOOD, "revocation: OCSP says that "
                        + subject.getSubject() + " is not good");
                    good |= fresh(single.getThisUpdate(), single.getNextUpdate(), from, until);
                }
        for (X509CRLHolder list : crls)
            if (list.getIssuer().equals(subject.getIssuer()) && list.isSignatureValid(Trust.verifier(issuer))) {
                Refused.unless(list.getRevokedCertificate(subject.getSerialNumber()) == null,
                    "revocation: a list names " + subject.getSubject());
                good |= fresh(list.getThisUpdate(), list.getNextUpdate(), from, until);
            }
        return good;
    }

    /** Issued before `until`, and still the current word at `from`. */
    private static boolean fresh(Date thisUpdate, Date nextUpdate, Date from, Date until) {
        boolean early = thisUpdate.after(until);
        boolean current = !thisUpdate.before(from) || (nextUpdate != null && !nextUpdate.before(from));
        return !early && current;
    }

    private static boolean concerns(SingleResp single, X509CertificateHolder subject, X509CertificateHolder issuer)
            throws Exception {
        return single.getCertID().getSerialNumber().equals(subject.getSerialNumber())
            && single.getCertID().matchesIssuer(issuer, new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
    }

    /** RFC 6960 section 4.2.2.2: by the issuer itself, or by one whom it delegated. */
    private boolean signedFor(BasicOCSPResp response, X509CertificateHolder issuer) throws Exception {
        List<X509CertificateHolder> candidates = new ArrayList<>(List.of(response.getCerts()));
        candidates.addAll(pool);
        candidates.add(issuer);
        for (X509CertificateHolder candidate : candidates)
            if (named(response, candidate) && (candidate.equals(issuer) || delegated(candidate, issuer, response))
                && response.isSignatureValid(Trust.verifier(candidate)))
                return true;
        return false;
    }

    private static boolean named(BasicOCSPResp response, X509CertificateHolder candidate) throws Exception {
        RespID id = response.getResponderId();
        return id.equals(new RespID(candidate.getSubject())) || id.equals(new RespID(candidate.getSubjectPublicKeyInfo(),
            new JcaDigestCalculatorProviderBuilder().setProvider("BC").build().get(RespID.HASH_SHA1)));
    }

    private static boolean delegated(X509CertificateHolder responder, X509CertificateHolder issuer, BasicOCSPResp response) {
        ExtendedKeyUsage usage = responder.getExtensions() == null ? null : ExtendedKeyUsage.fromExtensions(responder.getExtensions());
        return usage != null && usage.hasKeyPurposeId(KeyPurposeId.id_kp_OCSPSigning) && Trust.issued(issuer, responder)
            && responder.isValidOn(response.getProducedAt());
    }
}
