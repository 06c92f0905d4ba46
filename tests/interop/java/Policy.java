// SPDX-License-Identifier: Apache-2.0
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import org.bouncycastle.asn1.esf.SigPolicyQualifierInfo;
import org.bouncycastle.asn1.esf.SigPolicyQualifiers;
import org.bouncycastle.asn1.esf.SignaturePolicyId;
import org.bouncycastle.asn1.esf.SignaturePolicyIdentifier;

/** The Turkish usage profiles' signature policies (EN 319 122-1 section 5.2.9): identifier, hash, address. */
final class Policy {
    private static final byte[] HASH = Base64.getDecoder().decode("/zm9KUYzg/abIFKsR0OeBs58O4ZG6Ii25a4+RroIEXo=");
    private static final String SHA256 = "2.16.840.1.101.3.4.2.1";
    private static final String SPURI = "1.2.840.113549.1.9.16.5.1";
    private static final Map<String, String> PROFILES = Map.of(
        "2.16.792.1.61.0.1.5070.3.1.1", "P2", "2.16.792.1.61.0.1.5070.3.2.1", "P3", "2.16.792.1.61.0.1.5070.3.3.1", "P4");

    private Policy() {
    }

    /** "P2", "P3", "P4", or "-" when no policy is named. */
    static String check(Message message) throws Exception {
        if (!message.hasSigned(Oids.SIGNATURE_POLICY))
            return "-";
        SignaturePolicyIdentifier value = SignaturePolicyIdentifier.getInstance(message.signedValue(Oids.SIGNATURE_POLICY));
        Refused.unless(!value.isSignaturePolicyImplied(), "policy: implied");
        SignaturePolicyId id = value.getSignaturePolicyId();
        String profile = PROFILES.get(id.getSigPolicyId().getId());
        Refused.unless(profile != null, "policy: unknown identifier " + id.getSigPolicyId());
        Refused.unless(id.getSigPolicyHash().getHashAlgorithm().getAlgorithm().getId().equals(SHA256)
            && Arrays.equals(id.getSigPolicyHash().getHashValue().getOctets(), HASH), "policy: another document's hash");
        addressCheck(id.getSigPolicyQualifiers());
        return profile;
    }

    private static void addressCheck(SigPolicyQualifiers qualifiers) throws Refused {
        for (int i = 0; qualifiers != null && i < qualifiers.size(); i++) {
            SigPolicyQualifierInfo info = qualifiers.getInfoAt(i);
            if (info.getSigPolicyQualifierId().getId().equals(SPURI)) {
                Refused.unless(info.getSigQualifier().toString().startsWith("http"), "policy: its address is none");
                return;
            }
        }
        throw new Refused("policy: no address");
    }
}
