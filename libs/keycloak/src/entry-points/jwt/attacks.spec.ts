/** RS-17: forged tokens against a service that verifies signatures (RFC 8725 §2, §3). */
import { publicEncrypt, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { jwtService, publish, type JwtService } from '../../../spec-support/jwt-services.js';
import {
  ecSigner,
  edSigner,
  encoded,
  hmacSigned,
  otherForm,
  rsaSigner,
  type Signer,
} from '../../../spec-support/signers.js';
import { BearerError } from '../../index.js';

let realm: RunningAuthorizationServer;
let service: JwtService;
let rsa: Signer;
let ec: Signer;
let stolen: Signer;
let strangersRsa: Signer;

beforeAll(async () => {
  realm = await startTestRealm();
  [rsa, ec, stolen, strangersRsa] = [rsaSigner(), ecSigner(), ecSigner(), rsaSigner()];
});
beforeEach(async () => {
  service = jwtService(realm);
  publish(realm, [rsa.jwk, ec.jwk]);
  await service.verifier.verify(rsa.sign(service.claims()));
  service.clock.advance(2);
});
afterAll(() => realm.stop());

const spki = (): string => rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('JwtVerifier', () => {
  it.each<[string, () => Signer]>([
    ['RS256', () => rsa],
    ['ES256', () => ec],
  ])('accepts a token that the realm signed with %s', async (_, signer) => {
    expect(await service.reasonOf(signer().sign(service.claims()))).toBe('accepted');
  });

  it.each<[string, () => string, string]>([
    ['without a signature', () => `${encoded({ alg: 'none' })}.${encoded(service.claims())}.`, 'token_malformed'],
    ['of alg none that has a signature', () => rsa.sign(service.claims(), { alg: 'none' }), 'token_malformed'],
    ...['None', 'NONE', 'nOnE'].map((alg): [string, () => string, string] => [
      `of alg ${alg}`,
      () => rsa.sign(service.claims(), { alg }),
      'algorithm_not_allowed',
    ]),
    ...(['HS256', 'HS384', 'HS512'] as const).flatMap((alg): [string, () => string, string][] => [
      [
        `that is signed with ${alg} and the public key (PEM) as the secret`,
        () => hmacSigned(alg, spki(), service.claims(), { kid: rsa.jwk.kid }),
        'algorithm_not_allowed',
      ],
      [
        `that is signed with ${alg} and the modulus as the secret`,
        () => hmacSigned(alg, Buffer.from(String(rsa.jwk.n), 'base64url'), service.claims(), { kid: rsa.jwk.kid }),
        'algorithm_not_allowed',
      ],
      [
        `that is signed with ${alg} and an empty secret`,
        () => hmacSigned(alg, '', service.claims(), { kid: rsa.jwk.kid }),
        'algorithm_not_allowed',
      ],
    ]),
    ['of an unknown alg', () => rsa.sign(service.claims(), { alg: 'RSA1_5' }), 'algorithm_not_allowed'],
    ['whose alg is a list', () => rsa.sign(service.claims(), { alg: ['RS256'] }), 'token_malformed'],
    [
      'that names RS256 but is signed with a key for ES256',
      () => ec.sign(service.claims(), { alg: 'RS256' }),
      'algorithm_not_allowed',
    ],
    [
      'that names ES256 but is signed with a key for RS256',
      () => rsa.sign(service.claims(), { alg: 'ES256' }),
      'algorithm_not_allowed',
    ],
    [
      'that names PS256 but is signed with a key for RS256',
      () => rsa.sign(service.claims(), { alg: 'PS256' }),
      'algorithm_not_allowed',
    ],
    [
      'that an attacker signed with the key id of the realm',
      () => strangersRsa.sign(service.claims(), { kid: rsa.jwk.kid }),
      'signature_invalid',
    ],
    [
      'that an attacker signed with a key in the header (jwk)',
      () => strangersRsa.sign(service.claims(), { kid: rsa.jwk.kid, jwk: strangersRsa.jwk }),
      'signature_invalid',
    ],
    [
      'whose key id is a path',
      () => strangersRsa.sign(service.claims(), { kid: '../../dev/null' }),
      'signing_key_unknown',
    ],
    [
      'whose key id is a property of every object',
      () => strangersRsa.sign(service.claims(), { kid: '__proto__' }),
      'signing_key_unknown',
    ],
    [
      'whose key id is not a text',
      () => strangersRsa.sign(service.claims(), { kid: { toString: rsa.jwk.kid } }),
      'signing_key_unknown',
    ],
    ['that names no key', () => rsa.sign(service.claims(), { kid: undefined }), 'signing_key_unknown'],
    [
      'with a critical extension (crit)',
      () => rsa.sign(service.claims(), { crit: ['exp'], exp: 0 }),
      'critical_header_unknown',
    ],
    ['whose crit is empty', () => rsa.sign(service.claims(), { crit: [] }), 'critical_header_unknown'],
    ['whose crit is null', () => rsa.sign(service.claims(), { crit: null }), 'critical_header_unknown'],
    [
      'whose payload is not encoded (b64, RFC 7797)',
      () => rsa.sign(service.claims(), { crit: ['b64'], b64: false }),
      'critical_header_unknown',
    ],
    [
      'whose b64 is false although crit is missing',
      () => rsa.sign(service.claims(), { b64: false }),
      'critical_header_unknown',
    ],
    ['that is a logout token', () => rsa.sign(service.claims(), { typ: 'logout+jwt' }), 'not_an_access_token'],
    ['that is a DPoP proof', () => rsa.sign(service.claims(), { typ: 'dpop+jwt' }), 'not_an_access_token'],
    ['whose type is not a text', () => rsa.sign(service.claims(), { typ: 1 }), 'not_an_access_token'],
    [
      'whose claims were changed',
      () => bent(rsa.sign(service.claims()), 1, encoded(service.claims({ sub: 'bob' }))),
      'signature_invalid',
    ],
    [
      'whose header was changed',
      () => bent(rsa.sign(service.claims()), 0, encoded({ alg: 'RS256', kid: rsa.jwk.kid, typ: 'at+jwt' })),
      'signature_invalid',
    ],
    [
      'of ES256 with a signature of zeros',
      () => bent(ec.sign(service.claims()), 2, Buffer.alloc(64).toString('base64url')),
      'signature_invalid',
    ],
    [
      'of ES256 whose signature values r and s are the order of the curve',
      () =>
        bent(
          ec.sign(service.claims()),
          2,
          Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex').toString(
            'base64url',
          ),
        ),
      'signature_invalid',
    ],
    ['of ES256 with a signature in DER', () => derSigned(), 'signature_invalid'],
    [
      'of ES256 with half a signature',
      () => bent(ec.sign(service.claims()), 2, randomBytes(32).toString('base64url')),
      'signature_invalid',
    ],
    [
      'of RS256 with a signature of zeros',
      () => bent(rsa.sign(service.claims()), 2, Buffer.alloc(256).toString('base64url')),
      'signature_invalid',
    ],
    [
      'of RS256 whose signature is a text encrypted with the public key',
      () => bent(rsa.sign(service.claims()), 2, publicEncrypt(rsa.publicKey, Buffer.from('x')).toString('base64url')),
      'signature_invalid',
    ],
    ['that names alg twice', () => twice(), 'token_malformed'],
    ['whose claims are a list', () => rsa.sign('[1]'), 'token_malformed'],
    ['whose claims are not JSON', () => rsa.sign('{"sub":'), 'token_malformed'],
    [
      'that has two aud claims',
      () => rsa.sign(JSON.stringify(service.claims()).replace('{', '{"aud":"service-c",')),
      'token_malformed',
    ],
    [
      'that has a claim __proto__',
      () => rsa.sign(JSON.stringify(service.claims()).replace('{', '{"__proto__":{"scope":"all"},')),
      'token_malformed',
    ],
    [
      'of another realm of the server',
      () => rsa.sign(service.claims({ iss: realm.issuer.replace(/[^/]+$/, 'other') })),
      'other_issuer',
    ],
    ['that is an ID token', () => rsa.sign(service.claims({ typ: 'ID' })), 'not_an_access_token'],
    ['that is a refresh token', () => rsa.sign(service.claims({ typ: 'Refresh' })), 'not_an_access_token'],
    ['with the claims of a logout token', () => rsa.sign(service.claims({ typ: 'Logout' })), 'not_an_access_token'],
    ['for another service', () => rsa.sign(service.claims({ aud: 'service-c' })), 'other_audience'],
    ['that has expired', () => rsa.sign(service.claims({ exp: Math.floor(Date.now() / 1000) - 6 })), 'expired'],
    ['that never expires', () => rsa.sign(service.claims({ exp: undefined })), 'exp_missing'],
    ['that is lightweight', () => rsa.sign(service.claims({ sub: undefined, aud: undefined })), 'lightweight_token'],
  ])('refuses a token %s (RS-17)', async (_, token, reason) => {
    const { calls } = realm.control;
    const before = { introspection: calls.introspection, jwks: calls.jwks };
    expect(await service.reasonOf(token())).toBe(reason);
    expect(calls.introspection).toBe(before.introspection);
    expect(calls.jwks - before.jwks).toBeLessThanOrEqual(reason === 'signing_key_unknown' ? 1 : 0);
    expect(service.status.read().caches.verifiedJwts).toBeLessThanOrEqual(2);
  });

  it.each(['jku', 'x5u'])('does not fetch the key from the address in the header of a token (%s)', async (name) => {
    const visited: string[] = [];
    const { createServer } = await import('node:http');
    const server = createServer(({ url }, response) => {
      visited.push(String(url));
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [strangersRsa.jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { readonly port: number };
    const header = { [name]: `http://127.0.0.1:${port}/keys`, kid: rsa.jwk.kid };
    expect(await service.reasonOf(strangersRsa.sign(service.claims(), header))).toBe('signature_invalid');
    expect(await service.reasonOf(strangersRsa.sign(service.claims(), { ...header, kid: 'theirs' }))).toBe(
      'signing_key_unknown',
    );
    expect(await service.reasonOf(rsa.sign(service.claims(), header))).toBe('accepted');
    expect(visited).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });

  it('ignores a certificate in the header (x5c), and verifies with the published key', async () => {
    const header = { kid: rsa.jwk.kid, x5c: ['MIIB'], x5t: 'abc' };
    expect(await service.reasonOf(strangersRsa.sign(service.claims(), header))).toBe('signature_invalid');
    expect(await service.reasonOf(rsa.sign(service.claims(), header))).toBe('accepted');
  });

  it('refuses a token that is signed with a withdrawn key, even if the token was accepted before', async () => {
    const token = ec.sign(service.claims());
    expect(await service.reasonOf(token)).toBe('accepted');
    publish(realm, [rsa.jwk]);
    service.clock.advance(599);
    await service.reasonOf(stolen.sign(service.claims()));
    expect(await service.reasonOf(ec.sign(service.claims()))).toBe('signing_key_unknown');
    expect(await service.reasonOf(token)).toBe('signing_key_unknown');
  });

  it('accepts both valid forms of an ECDSA signature, and one denial revokes both forms (RS-13)', async () => {
    const token = ec.sign(service.claims({ jti: 'j1' }));
    const other = otherForm(token);
    expect(other).not.toBe(token);
    const { hash } = await service.verifier.verify(token);
    expect(await service.reasonOf(other)).toBe('accepted');
    service.revocations.deny({ tokenHash: hash, jti: 'j1' });
    expect([await service.reasonOf(token), await service.reasonOf(other)]).toEqual(['revoked', 'revoked']);
  });

  it.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT', undefined])(
    'accepts a token of type %s',
    async (typ) => {
      expect(await service.reasonOf(rsa.sign(service.claims(), { typ }))).toBe('accepted');
    },
  );
});

describe('a token with an arbitrary header', () => {
  const odd = fc.oneof(
    fc.constantFrom(undefined, null, true, 0, '', 'none', 'RS256', 'ES256', 'HS256', 'JWT', 'b64'),
    fc.json().map((text) => JSON.parse(text) as unknown),
  );
  const header = fc.record(
    { alg: odd, typ: odd, crit: odd, b64: odd, jku: odd, jwk: odd, x5c: odd, cty: odd, zip: odd },
    { requiredKeys: [] },
  );

  it('is refused without a call to Keycloak if an attacker signed the token (RS-17)', async () => {
    const { calls } = realm.control;
    const before = [calls.introspection, calls.jwks];
    await fc.assert(
      fc.asyncProperty(header, fc.constantFrom(rsa.jwk.kid, ec.jwk.kid, undefined, null, 7, []), async (given, kid) => {
        const token = stolen.sign(service.claims(), { ...given, kid });
        const error = await service.verifier.verify(token).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(BearerError);
        expect((error as BearerError).httpStatus).toBe(401);
      }),
      { numRuns: 300 },
    );
    expect([calls.introspection, calls.jwks]).toEqual(before);
  });
});

describe('the option algorithms', () => {
  const signers: [string, () => Signer][] = [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg): [string, () => Signer] => [
      alg,
      () => rsaSigner(alg),
    ]),
    ['ES256', () => ecSigner()],
    ['ES384', () => ecSigner('ES384', 'P-384')],
    ['ES512', () => ecSigner('ES512', 'P-521')],
    ['EdDSA', () => edSigner()],
    ['Ed25519', () => edSigner('Ed25519')],
  ];

  it.each(signers)('allows %s by default, and can exclude this algorithm', async (alg, make) => {
    const signer = make();
    publish(realm, [signer.jwk]);
    expect(await jwtService(realm).reasonOf(signer.sign(service.claims()))).toBe('accepted');
    expect(await jwtService(realm, { algorithms: [alg] }).reasonOf(signer.sign(service.claims()))).toBe('accepted');
    const others = signers.map(([name]) => name).filter((name) => name !== alg);
    const narrowed = jwtService(realm, { algorithms: others });
    expect(await narrowed.reasonOf(signer.sign(service.claims()))).toBe('algorithm_not_allowed');
  });

  it('does not accept a key on the curve of another algorithm', async () => {
    const signer = ecSigner('ES384', 'P-384');
    const { alg: _, ...jwk } = signer.jwk;
    publish(realm, [jwk]);
    const other = jwtService(realm);
    expect(await other.reasonOf(signer.sign(other.claims(), { alg: 'ES256' }))).toBe('algorithm_not_allowed');
    expect(await other.reasonOf(signer.sign(other.claims()))).toBe('accepted');
  });
});

function bent(token: string, part: 0 | 1 | 2, by: string): string {
  return token
    .split('.')
    .map((text, at) => (at === part ? by : text))
    .join('.');
}

function derSigned(): string {
  const token = ec.sign(service.claims());
  const bytes = Buffer.from(token.split('.')[2] ?? '', 'base64url');
  const integer = (part: Buffer): Buffer => {
    const positive = (part[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.alloc(1), part]) : part;
    return Buffer.concat([Buffer.from([2, positive.length]), positive]);
  };
  const both = Buffer.concat([integer(bytes.subarray(0, 32)), integer(bytes.subarray(32))]);
  return bent(token, 2, Buffer.concat([Buffer.from([0x30, both.length]), both]).toString('base64url'));
}

function twice(): string {
  const header = `{"alg":"none","alg":"RS256","kid":"${rsa.jwk.kid}"}`;
  const text = `${encoded(header)}.${encoded(service.claims())}`;
  return `${text}.${rsa.signText(text).toString('base64url')}`;
}
