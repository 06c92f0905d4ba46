// SPDX-License-Identifier: Apache-2.0
// The base signature of CMS messages, verified by pkijs on Node's WebCrypto.
//
// Usage: node base.mjs MODULES ANCHORS.pem FILE...   (MODULES: the folder node_modules with pkijs and asn1js)
//
// Prints "FILE ok" or "FILE refused: why" for each; exit status 0 when all hold, else 1.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { resolve } from "node:path";

const [modules, anchorsPath, ...files] = process.argv.slice(2);
const load = createRequire(resolve(modules, "..") + "/");
const asn1js = load("asn1js");
const pkijs = load("pkijs");
pkijs.setEngine("node", new pkijs.CryptoEngine({ name: "node", crypto: webcrypto, subtle: webcrypto.subtle }));

function anchorsRead(path) {
  const blocks = readFileSync(path, "utf8").matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...blocks].map((block) => pkijs.Certificate.fromBER(Buffer.from(block[1], "base64")));
}

async function verify(path, anchors) {
  const parsed = asn1js.fromBER(new Uint8Array(readFileSync(path)));
  if (parsed.offset === -1) throw new Error("not ASN.1");
  const info = new pkijs.ContentInfo({ schema: parsed.result });
  const data = new pkijs.SignedData({ schema: info.content });
  if (data.signerInfos.length !== 1) throw new Error("not exactly one signer");
  if (!data.signerInfos[0].signedAttrs) throw new Error("no signed attributes");
  const result = await data.verify({
    signer: 0,
    trustedCerts: anchors,
    checkChain: true,
    extendedMode: true,
    // checkChain looks at embedded lists by itself; what they are worth is the second implementation's task.
    passedWhenNotRevValues: true,
  });
  if (!result.signatureVerified || !result.signerCertificateVerified) throw new Error(`code ${result.code} ${result.message}`);
}

let good = true;
const anchors = anchorsRead(anchorsPath);
for (const path of files) {
  try {
    await verify(path, anchors);
    console.log(`${path} ok`);
  } catch (error) {
    good = false;
    console.log(`${path} refused: ${error.message ?? error}`);
  }
}
process.exit(good ? 0 : 1);
