/** RFC 7523 §2.2. */
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { parameter, type HttpCall } from '../http/http-call.js';
import { toList, toRecord, type RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { OAuthRefusal } from './oauth-refusal.js';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SKEW_SECONDS = 15;
const DIGESTS: Readonly<Record<string, string | undefined>> = {
  RS256: 'sha256',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
};

export function subjectOf(assertion: string): string | undefined {
  const subject = part(assertion, 1)['sub'];
  return typeof subject === 'string' ? subject : undefined;
}

export function checkAssertion(server: ServerState, client: RealmClient, call: HttpCall): void {
  const type = parameter(call, 'client_assertion_type');
  if (type === undefined) throw refusal('Parameter client_assertion_type is missing');
  if (type !== ASSERTION_TYPE)
    throw refusal(`Parameter client_assertion_type has value '${type}' but expected is '${ASSERTION_TYPE}'`);
  const assertion = parameter(call, 'client_assertion');
  if (assertion === undefined) throw refusal('client_assertion parameter missing');
  const { iss, aud, jti, exp, iat } = part(assertion, 1);
  if (iss !== client.clientId) {
    throw new OAuthRefusal(401, 'invalid_client', 'Invalid client or Invalid client credentials');
  }
  checkSignature(client, assertion);
  if (aud !== server.issuer) throw refusal('Invalid token audience');
  const nowSeconds = server.clock.now();
  if (Number(exp) <= nowSeconds - SKEW_SECONDS) throw refusal('Token is not active');
  if (Number(iat) > nowSeconds + SKEW_SECONDS) throw refusal('Token was issued in the future');
  const used = server.usedAssertions;
  if (used.has(String(jti))) throw refusal('Token reuse detected');
  for (const [one, expires] of used) if (expires < nowSeconds - SKEW_SECONDS) used.delete(one);
  used.set(String(jti), Number(exp));
}

const refusal = (words: string): OAuthRefusal => new OAuthRefusal(400, 'invalid_client', words);

function checkSignature(client: RealmClient, assertion: string): void {
  const { alg, kid } = part(assertion, 0);
  const jwk = keysOf(client).find((key) => key['kid'] === kid && (key['alg'] === undefined || key['alg'] === alg));
  const digest = DIGESTS[String(alg)];
  if (jwk === undefined || (digest === undefined && alg !== 'EdDSA')) throw refusal('Unable to load public key');
  const end = assertion.lastIndexOf('.');
  const signature = Buffer.from(assertion.slice(end + 1), 'base64url');
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const isSigned = verify(digest, Buffer.from(assertion.slice(0, end)), { key, dsaEncoding: 'ieee-p1363' }, signature);
  if (!isSigned) throw new OAuthRefusal(401, 'invalid_client', 'Invalid client or Invalid client credentials');
}

function keysOf({ representation }: RealmClient): Readonly<Record<string, unknown>>[] {
  const text = toRecord(representation['attributes'])['jwks.string'];
  try {
    return toList(toRecord(JSON.parse(String(text)))['keys']).map(toRecord);
  } catch {
    return [];
  }
}

function part(assertion: string, at: number): Readonly<Record<string, unknown>> {
  try {
    return toRecord(JSON.parse(Buffer.from(assertion.split('.')[at] ?? '', 'base64url').toString()));
  } catch {
    return {};
  }
}
