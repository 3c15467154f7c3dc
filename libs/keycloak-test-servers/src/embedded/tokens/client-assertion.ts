/** Client assertion: a JWT that a client signs to authenticate itself (RFC 7523 §2.2), for clients of the kind `client-jwt`. */
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import type { RealmClient } from '../realm/realm-representation.js';
import { toList, toRecord } from '../realm/realm-representation.js';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Assertions that were used, until they expire: each counts once. */
export type UsedAssertions = Map<string, number>;

export interface AssertionRules {
  readonly issuer: string;
  readonly nowSeconds: number;
  readonly used: UsedAssertions;
}

const SKEW_SECONDS = 15;
const DIGESTS: Readonly<Record<string, string | undefined>> = {
  RS256: 'sha256',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
};

/** The client that an assertion names, unverified. */
export function subjectOf(assertion: string): string | undefined {
  const subject = part(assertion, 1)['sub'];
  return typeof subject === 'string' ? subject : undefined;
}

/** Whether the client has signed it with one of the keys in its attribute `jwks.string`, for this realm, a moment ago, and not used it before. */
export function isOwnAssertion(client: RealmClient, assertion: string, rules: AssertionRules): boolean {
  const { iss, sub, aud, jti, exp, iat } = part(assertion, 1);
  const isForUs = iss === client.clientId && sub === client.clientId && aud === rules.issuer;
  const isOfNow = Number(exp) > rules.nowSeconds - SKEW_SECONDS && !(Number(iat) > rules.nowSeconds + SKEW_SECONDS);
  if (!isForUs || !isOfNow || typeof jti !== 'string' || rules.used.has(jti)) return false;
  if (!isSigned(client, assertion)) return false;
  for (const [one, expires] of rules.used) if (expires < rules.nowSeconds - SKEW_SECONDS) rules.used.delete(one);
  rules.used.set(jti, Number(exp));
  return true;
}

function isSigned(client: RealmClient, assertion: string): boolean {
  const { alg, kid } = part(assertion, 0);
  const jwk = keysOf(client).find((key) => key['kid'] === kid && (key['alg'] === undefined || key['alg'] === alg));
  if (jwk === undefined) return false;
  const end = assertion.lastIndexOf('.');
  const signature = Buffer.from(assertion.slice(end + 1), 'base64url');
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  const digest = alg === 'EdDSA' ? undefined : DIGESTS[String(alg)];
  if (alg !== 'EdDSA' && digest === undefined) return false;
  return verify(digest, Buffer.from(assertion.slice(0, end)), { key, dsaEncoding: 'ieee-p1363' }, signature);
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
