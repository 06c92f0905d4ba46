// SPDX-License-Identifier: Apache-2.0
import java.io.FileReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;

/**
 * A second implementation of CAdES verification, on Bouncy Castle, written from the standards.
 *
 * Usage: Verify ANCHORS.pem CONTENT|- FILE...
 *
 * Prints one line a file, "FILE LEVEL PROFILE STAMPS REVOCATIONS ok" or "FILE - - 0 0 refused: why". CONTENT is what has to be signed, "-" for
 * whatever is contained. Exit status 0 when all hold, else 1.
 */
public final class Verify {
    private final Trust trust;
    private final Message message;
    private final List<X509CertificateHolder> pool = new ArrayList<>();
    private final Revocation revocation = new Revocation();
    private int stamps;
    private String level = "B-B";

    private Verify(Trust trust, byte[] der, byte[] content) throws Exception {
        this.trust = trust;
        message = new Message(der, content);
        pool.addAll(message.certificates);
        revocation.add(message.crls, message.ocsps);
    }

    private List<Stamp> stampsOf(org.bouncycastle.asn1.ASN1ObjectIdentifier type) throws Exception {
        List<Stamp> found = new ArrayList<>();
        for (ASN1Encodable value : message.unsignedValues(type))
            found.add(new Stamp(value, pool));
        found.sort(Comparator.comparing(Stamp::time));
        return found;
    }

    private void stampChain(Stamp stamp) throws Exception {
        trust.chain(stamp.authority, stamp.certificates, stamp.time());
        stamps++;
    }

    private String run() throws Exception {
        message.baseCheck();
        message.signingCertificateCheck();
        String profile = Policy.check(message);
        List<Stamp> signature = stampsOf(Oids.SIGNATURE_TIME_STAMP);
        for (Stamp stamp : signature) {
            stamp.imprintCheck("signature-time-stamp", message.signer.getSignature());
            stampChain(stamp);
        }
        boolean extended = LongForm.present(message);
        LongForm form = extended ? new LongForm(message) : null;
        if (extended) {
            pool.addAll(form.certificates);
            revocation.add(form.crls, form.ocsps);
        }
        revocation.addCertificates(pool);
        Date best = signature.isEmpty() ? message.signingTime() : signature.get(0).time();
        List<X509CertificateHolder> chain = trust.chain(message.certificate, pool, best);
        levelFind(signature, form, chain, best);
        archiveCheck(signature);
        return level + " " + profile + " " + stamps + " " + revocation.size();
    }

    private void levelFind(List<Stamp> signature, LongForm form, List<X509CertificateHolder> chain, Date best)
            throws Exception {
        if (!signature.isEmpty())
            level = "B-T";
        if (revocation.size() == 0)
            return;
        Refused.unless(!signature.isEmpty(), "revocation values without a signature time stamp");
        /* A value from before the time stamp serves when it was still current then; one from after serves always. */
        revocation.chainCheck(chain, best, new Date(Long.MAX_VALUE));
        if (form != null) {
            Refused.unless(message.data.getCRLs() == null, "X-L: there are revocation values in SignedData too");
            form.check(chain);
            level = "X-L";
        } else
            level = "B-LT";
    }

    private void archiveCheck(List<Stamp> signature) throws Exception {
        List<Stamp> archive = stampsOf(Oids.ARCHIVE_TIME_STAMP_V3);
        for (int i = 0; i < archive.size(); i++) {
            Stamp stamp = archive.get(i);
            HashIndex index = new HashIndex(message, stamp);
            int later = index.check(i + 1 == archive.size());
            Refused.unless(later == archive.size() - i, "ats-hash-index-v3: attributes that no time stamp covers");
            stamp.imprintCheck("archive-time-stamp-v3", index.stamped());
            stampChain(stamp);
        }
        if (archive.isEmpty())
            return;
        Refused.unless(level.equals("B-LT") || level.equals("X-L"), "archive time stamp over a message without revocation values");
        Revocation all = new Revocation();
        all.add(message.crls, message.ocsps);
        for (Stamp stamp : signature) {
            all.add(stampCrls(stamp), List.of());
            all.addCertificates(stamp.certificates);
            all.chainCheck(trust.chain(stamp.authority, stamp.certificates, stamp.time()), stamp.time(), archive.get(0).time());
        }
        level = level.equals("X-L") ? "X-L+A" : "B-LTA";
    }

    private static List<org.bouncycastle.asn1.x509.CertificateList> stampCrls(Stamp stamp) {
        List<org.bouncycastle.asn1.x509.CertificateList> lists = new ArrayList<>();
        stamp.token.getCRLs().getMatches(null).forEach(one -> lists.add(one.toASN1Structure()));
        return lists;
    }

    private static List<X509CertificateHolder> anchorsRead(String path) throws Exception {
        List<X509CertificateHolder> anchors = new ArrayList<>();
        try (PEMParser parser = new PEMParser(new FileReader(path))) {
            for (Object one = parser.readObject(); one != null; one = parser.readObject())
                if (one instanceof X509CertificateHolder)
                    anchors.add((X509CertificateHolder) one);
        }
        return anchors;
    }

    private static boolean fileVerify(Trust trust, String path, byte[] content) {
        String answer;
        boolean good = false;
        try {
            answer = new Verify(trust, Files.readAllBytes(Path.of(path)), content).run() + " ok";
            good = true;
        } catch (Refused e) {
            answer = "- - 0 0 refused: " + e.getMessage();
        } catch (Exception | StackOverflowError e) {
            answer = "- - 0 0 refused: " + e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        System.out.println(path + " " + answer);
        return good;
    }

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        Trust trust = new Trust(anchorsRead(arguments[0]));
        byte[] content = arguments[1].equals("-") ? null : Files.readAllBytes(Path.of(arguments[1]));
        boolean good = true;
        for (int i = 2; i < arguments.length; i++)
            good &= fileVerify(trust, arguments[i], content);
        System.exit(good ? 0 : 1);
    }
}
