// SPDX-License-Identifier: Apache-2.0
//
// A real OpenID Connect provider (npm's oidc-provider) on loopback with TLS, and in front of it a gateway that speaks
// as e-Devlet Kapısı does (three calls; there is no public test host to be had). Whoever logs in through the gateway
// logs in at the provider, so that both ways end at the same form.
//
//   node provider.mjs PORT CERTIFICATE KEY PORTAL-ORIGIN SECRET
//
// GET /deneme?hile=NAME makes it cheat: its ID tokens are then forged in that way ("" ends it).
//
// Prints "ready" once it listens, and ends when its standard input does.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import { URL, URLSearchParams } from 'node:url';
import * as jose from 'jose';
import Provider, { errors } from 'oidc-provider';

const [port, certificateFile, keyFile, portal, secret] = process.argv.slice(2);
const issuer = `https://localhost:${port}`;
const gateway = `${issuer}/OAuth2AuthorizationServer`;
const password = 'deneme';

// Who can log in. The numbers are those of documentation: valid checksums, nobody's.
const people = {
  ayse: { tckn: '10000000146', given_name: 'AYŞE', family_name: 'YILMAZ' },
  mehmet: { tckn: '12345678950', given_name: 'MEHMET', family_name: 'DEMİR' },
  operator: { tckn: '11111111110', given_name: 'OYA', family_name: 'KAYA' },
  isaretli: { tckn: '22222222220', given_name: '<b>İŞARET"</b>', family_name: "O'LU & <script>" },
  yabanci: { given_name: 'JANE', family_name: 'DOE' },
  yanlis: { tckn: '10000000147', given_name: 'YANLIŞ', family_name: 'SAYI' },
};

const rsa = await jose.generateKeyPair('RS256', { extractable: true });
const ec = await jose.generateKeyPair('ES256', { extractable: true });
const stranger = await jose.generateKeyPair('RS256');
const published = async (pair, kid, alg) => ({ ...await jose.exportJWK(pair.privateKey), kid, alg, use: 'sig' });
const keys = [await published(rsa, 'rsa', 'RS256'), await published(ec, 'ec', 'ES256')];

const client = (id, redirect) => ({
  client_id: id, client_secret: secret, redirect_uris: [redirect], response_types: ['code'],
  grant_types: ['authorization_code'], token_endpoint_auth_method: 'client_secret_basic',
});
const provider = new Provider(issuer, {
  clients: [client('eonay-portal', `${portal}/giris/donus/oidc`), client('gateway', `${gateway}/back`)],
  jwks: { keys },
  claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name', 'tckn'] },
  findAccount: (ctx, id) => people[id] && {
    accountId: id,
    claims: () => ({ sub: id, name: `${people[id].given_name} ${people[id].family_name}`, ...people[id] }),
  },
  pkce: { methods: ['S256'], required: (ctx, c) => c.clientId === 'eonay-portal' },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
  // Consent at the provider is no part of this: every scope is granted.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});

const page = (uid, wrong) => `<!DOCTYPE html><html lang="tr"><head><meta charset="utf-8">
<title>Deneme kimlik sağlayıcısı</title><style>body{font:16px/1.5 sans-serif;max-width:26rem;margin:3rem auto}
label,input,button{display:block;width:100%;box-sizing:border-box;margin:.3rem 0;padding:.4rem;font:inherit}</style>
</head><body><h1>Deneme kimlik sağlayıcısı</h1><p>Gerçek e-Devlet Kapısı değildir.</p>
${wrong ? '<p role="alert">Kullanıcı veya şifre yanlış.</p>' : ''}
<form method="post" action="/interaction/${uid}"><label>Kullanıcı <input name="login" autofocus></label>
<label>Şifre <input name="password" type="password"></label><button name="do" value="login">Giriş yap</button>
<button name="do" value="cancel">İptal et</button></form></body></html>`;

async function body(req) {
  let text = '';
  for await (const part of req) {
    text += part;
    if (text.length > 10000) throw new Error('too long');
  }
  return new URLSearchParams(text);
}

async function interaction(req, res) {
  const { uid } = await provider.interactionDetails(req, res);
  if (req.method === 'POST') {
    const form = await body(req);
    if (form.get('do') === 'cancel')
      return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'cancelled' });
    if (Object.hasOwn(people, form.get('login')) && form.get('password') === password)
      return provider.interactionFinished(req, res, { login: { accountId: form.get('login') } });
    return html(res, page(uid, true));
  }
  return html(res, page(uid, false));
}

function html(res, text) {
  res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  res.end(text);
}

function json(res, status, value) {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(value));
}

function redirect(res, to) {
  res.writeHead(302, { location: to });
  res.end();
}

// The gateway: what e-Devlet's AuthorizationController, AccessTokenController and AuthenticationController are asked.
const edevletClient = { id: '0d7d1cf2-7f70-4f0f-9f0c-0b6a1d2c3e4f', redirect: `${portal}/giris/donus/edevlet` };
const leaving = new Map(); // our state → the portal's
const codes = new Map();
const tokens = new Map();

function authorize(url, res) {
  const q = url.searchParams;
  if (q.get('client_id') !== edevletClient.id || q.get('redirect_uri') !== edevletClient.redirect ||
      q.get('response_type') !== 'code' || q.get('scope') !== 'Kimlik-Dogrula;Ad-Soyad')
    return json(res, 400, { error: 'invalid_request' });
  const state = crypto.randomUUID();
  leaving.set(state, q.get('state'));
  return redirect(res, `${issuer}/auth?${new URLSearchParams({
    response_type: 'code', client_id: 'gateway', redirect_uri: `${gateway}/back`, scope: 'openid profile', state,
  })}`);
}

async function ask(path, options) {
  return new Promise((resolve, reject) => {
    const req = https.request(`${issuer}${path}`, { ca: fs.readFileSync(certificateFile), ...options }, (res) => {
      let text = '';
      res.on('data', (part) => { text += part; });
      res.on('end', () => resolve(JSON.parse(text)));
    });
    req.on('error', reject);
    req.end(options.body);
  });
}

async function back(url, res) {
  const state = leaving.get(url.searchParams.get('state'));
  leaving.delete(url.searchParams.get('state'));
  if (!state) return json(res, 400, { error: 'invalid_request' });
  if (!url.searchParams.get('code'))
    return redirect(res, `${edevletClient.redirect}?${new URLSearchParams({ error: 'access_denied', state })}`);
  const token = await ask('/token', {
    method: 'POST', auth: `gateway:${secret}`, headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code', code: url.searchParams.get('code'), redirect_uri: `${gateway}/back`,
    }).toString(),
  });
  const who = await ask('/me', { headers: { authorization: `Bearer ${token.access_token}` } });
  const code = crypto.randomBytes(24).toString('base64url');
  codes.set(code, who);
  return redirect(res, `${edevletClient.redirect}?${new URLSearchParams({ code, state })}`);
}

async function accessToken(req, res) {
  const form = await body(req);
  const who = codes.get(form.get('code'));
  codes.delete(form.get('code'));
  if (form.get('client_id') !== edevletClient.id || form.get('client_secret') !== secret)
    return json(res, 400, { error: 'invalid_client', error_description: 'client' });
  if (!who || form.get('grant_type') !== 'authorization_code' || form.get('redirect_uri') !== edevletClient.redirect)
    return json(res, 400, { error: 'invalid_grant', error_description: 'code' });
  const token = crypto.randomBytes(24).toString('base64url');
  tokens.set(token, who);
  return json(res, 200, { access_token: token });
}

async function authentication(req, res) {
  const form = await body(req);
  const who = tokens.get(form.get('accessToken'));
  if (!who || form.get('clientId') !== edevletClient.id || form.get('resourceId') !== '1' ||
      form.get('kapsam') !== 'Ad-Soyad')
    return json(res, 200, { sonucKodu: 'EDV09.001', sonucAciklamasi: 'Yetkisiz' });
  return json(res, 200, {
    sonucKodu: 'EDV09.000', sonucAciklamasi: 'İşlem başarılı',
    kullaniciBilgileri: { kimlikNo: who.tckn, ad: who.given_name, soyad: who.family_name },
  });
}

// What a provider that is not honest, or not ours, could send. Each changes one thing; "es256" is right as it is.
let cheat = '';
const now = () => Math.floor(Date.now() / 1000);
const sign = (claims, key, header) => new jose.SignJWT(claims).setProtectedHeader(header).sign(key);
const good = { alg: 'RS256', kid: 'rsa' };
const forgeries = {
  'alg-none': (c) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(c)).toString('base64url')}.`,
  hs256: (c) => sign(c, new TextEncoder().encode(secret), { alg: 'HS256', kid: 'rsa' }),
  'strange-key': (c) => sign(c, stranger.privateKey, good),
  'unknown-key': (c) => sign(c, stranger.privateKey, { alg: 'RS256', kid: 'yok' }),
  'key-of-another-algorithm': async (c) => sign(c, await jose.importJWK(keys[0], 'PS256'), { alg: 'PS256', kid: 'rsa' }),
  critical: (c) => sign(c, rsa.privateKey, { ...good, crit: ['b64'], b64: true }),
  claims: async (c) => {
    const [head, , tail] = (await sign(c, rsa.privateKey, good)).split('.');
    return `${head}.${Buffer.from(JSON.stringify({ ...c, sub: 'mehmet' })).toString('base64url')}.${tail}`;
  },
  audience: (c) => sign({ ...c, aud: 'gateway' }, rsa.privateKey, good),
  audiences: (c) => sign({ ...c, aud: [c.aud, 'gateway'] }, rsa.privateKey, good),
  party: (c) => sign({ ...c, azp: 'gateway' }, rsa.privateKey, good),
  issuer: (c) => sign({ ...c, iss: 'https://example.org' }, rsa.privateKey, good),
  nonce: (c) => sign({ ...c, nonce: 'x'.repeat(43) }, rsa.privateKey, good),
  'no-nonce': (c) => sign({ ...c, nonce: undefined }, rsa.privateKey, good),
  expired: (c) => sign({ ...c, exp: now() - 120 }, rsa.privateKey, good),
  'no-end': (c) => sign({ ...c, exp: undefined }, rsa.privateKey, good),
  old: (c) => sign({ ...c, iat: now() - 3600 }, rsa.privateKey, good),
  future: (c) => sign({ ...c, iat: now() + 3600 }, rsa.privateKey, good),
  'somebody-else': (c) => sign({ ...c, sub: 'mehmet' }, rsa.privateKey, good),
  'no-token': () => undefined,
  es256: (c) => sign(c, ec.privateKey, { alg: 'ES256', kid: 'ec' }),
};

// Takes the provider's own answer and puts the forged ID token in.
async function forge(req, res) {
  const parts = [];
  const end = res.end.bind(res);
  res.write = (part) => parts.push(Buffer.from(part));
  const whole = new Promise((resolve) => { res.end = (part) => { if (part) parts.push(Buffer.from(part)); resolve(); }; });
  provider.callback()(req, res);
  await whole;
  let text = Buffer.concat(parts).toString();
  const answer = JSON.parse(text);
  if (answer.id_token && forgeries[cheat]) {
    answer.id_token = await forgeries[cheat](jose.decodeJwt(answer.id_token));
    text = JSON.stringify(answer);
    res.setHeader('content-length', Buffer.byteLength(text));
  }
  end(text);
}

async function serve(req, res) {
  const url = new URL(req.url, issuer);
  if (url.pathname === '/deneme') {
    cheat = url.searchParams.get('hile');
    return json(res, 200, { cheats: Object.keys(forgeries) });
  }
  if (url.pathname === '/token' && cheat) return forge(req, res);
  if (url.pathname.startsWith('/interaction/')) return interaction(req, res);
  if (url.pathname === '/OAuth2AuthorizationServer/AuthorizationController') return authorize(url, res);
  if (url.pathname === '/OAuth2AuthorizationServer/back') return back(url, res);
  if (url.pathname === '/OAuth2AuthorizationServer/AccessTokenController') return accessToken(req, res);
  if (url.pathname === '/OAuth2AuthorizationServer/AuthenticationController') return authentication(req, res);
  return provider.callback()(req, res);
}

https.createServer({ cert: fs.readFileSync(certificateFile), key: fs.readFileSync(keyFile) }, (req, res) => {
  serve(req, res).catch((error) => {
    if (!(error instanceof errors.OIDCProviderError)) console.error(error);
    if (!res.headersSent) json(res, 400, { error: 'invalid_request' });
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.stdin.on('end', () => process.exit(0)).resume();
