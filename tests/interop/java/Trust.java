// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;

/** Trust anchors, and chains up to them: name, signature, validity and basic constraints (RFC 5280 section 6.1). */
final class Trust {
    private static final int DEPTH = 8;
    final List<X509CertificateHolder> anchors;

    Trust(List<X509CertificateHolder> anchors) {
        this.anchors = anchors;
    }

    static ContentVerifierProvider verifier(X509CertificateHolder certificate) throws Exception {
        return new JcaContentVerifierProviderBuilder().setProvider("BC").build(certificate);
    }

    static java.security.PublicKey key(X509CertificateHolder certificate) throws Exception {
        return new org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter().setProvider("BC").getPublicKey(certificate.getSubjectPublicKeyInfo());
    }

    static boolean issued(X509CertificateHolder issuer, X509CertificateHolder subject) {
        try {
            return issuer.getSubject().equals(subject.getIssuer()) && subject.isSignatureValid(verifier(issuer));
        } catch (Exception e) {
            return false;
        }
    }

    private static boolean authority(X509CertificateHolder certificate) {
        Extensions extensions = certificate.getExtensions();
        BasicConstraints constraints = extensions == null ? null : BasicConstraints.fromExtensions(extensions);
        return constraints != null && constraints.isCA();
    }

    /** From the certificate to the anchor, both included. */
    List<X509CertificateHolder> chain(X509CertificateHolder leaf, Collection<X509CertificateHolder> pool, Date at)
            throws Refused {
        List<X509CertificateHolder> path = new ArrayList<>();
        X509CertificateHolder current = leaf;
        while (path.size() < DEPTH) {
            Refused.unless(current.isValidOn(at), "chain: a certificate is not valid at " + at.toInstant());
            path.add(current);
            if (anchors.contains(current))
                return path;
            current = issuerOf(current, pool);
        }
        throw new Refused("chain: too long");
    }

    private X509CertificateHolder issuerOf(X509CertificateHolder subject, Collection<X509CertificateHolder> pool)
            throws Refused {
        for (X509CertificateHolder anchor : anchors)
            if (issued(anchor, subject))
                return anchor;
        for (X509CertificateHolder candidate : pool)
            if (!candidate.equals(subject) && authority(candidate) && issued(candidate, subject))
                return candidate;
        throw new Refused("chain: no issuer of " + subject.getSubject());
    }
}
