/** OpenID Connect Back-Channel Logout 1.0 §2.4. */
import { randomUUID } from 'node:crypto';
import type { RealmClient } from '../realm/realm-representation.js';
import type { ServerState } from '../state/server-state.js';
import { signWithOverrides, type TokenOverrides } from '../state/forged-token.js';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LIFETIME_SECONDS = 120;

export interface LoggedOut {
  readonly sub: string;
  readonly sid: string;
}

/** The token has a `sid` only for a client with `backchannel.logout.session.required`. */
export function logoutToken(
  { issuer, clock, keys }: ServerState,
  { clientId, logoutNeedsSid }: RealmClient,
  { sub, sid }: LoggedOut,
  overrides: TokenOverrides = {},
): Promise<string> {
  const iat = clock.now();
  const claims = {
    exp: iat + LIFETIME_SECONDS,
    iat,
    jti: randomUUID(),
    iss: issuer,
    aud: clientId,
    sub,
    typ: 'Logout',
    ...(logoutNeedsSid ? { sid } : {}),
    events: { [LOGOUT_EVENT]: {} },
  };
  return signWithOverrides(keys, claims, 'logout+jwt', overrides);
}
