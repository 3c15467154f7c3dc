/** The logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), valid or with overrides. */
import { randomUUID } from 'node:crypto';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../server-state.js';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LIFETIME_SECONDS = 120;

export interface LoggedOut {
  readonly sub: string;
  readonly sid: string;
}

/** The faults of a logout token that a test forges. Default: none. */
export interface LogoutTokenOverrides {
  /** Replace the correct claims, or add to them; `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `typ` of the header. Default: `logout+jwt`. */
  readonly headerTyp?: string;
  /**
   * `otherKey`: another RSA key, with the `kid` of the server's key. `none`: `alg` is `none`, without a signature.
   * Default: `server`.
   */
  readonly signedBy?: 'server' | 'otherKey' | 'none';
}

/** As in Keycloak, only a client with `backchannel.logout.session.required` receives a `sid`. */
export function logoutToken(
  { issuer, clock, keys }: ServerState,
  { clientId, logoutNeedsSid }: RealmClient,
  { sub, sid }: LoggedOut,
  { claims = {}, headerTyp = 'logout+jwt', signedBy = 'server' }: LogoutTokenOverrides = {},
): Promise<string> {
  const iat = clock.now();
  const all = {
    exp: iat + LIFETIME_SECONDS,
    iat,
    jti: randomUUID(),
    iss: issuer,
    aud: clientId,
    sub,
    typ: 'Logout',
    ...(logoutNeedsSid ? { sid } : {}),
    events: { [LOGOUT_EVENT]: {} },
    ...claims,
  };
  if (signedBy === 'none') return Promise.resolve(unsigned(all, headerTyp));
  return signedBy === 'server' ? keys.sign(all, headerTyp) : keys.signWithOtherKey(all, headerTyp);
}

/** RFC 7519 §6. */
const unsigned = (claims: object, typ: string): string =>
  `${[{ alg: 'none', typ }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
