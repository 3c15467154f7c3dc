import type { ContractServer } from './server.js';

export interface ContractCase {
  readonly title: string;
  readonly ask: (server: ContractServer) => Promise<unknown>;
  readonly answer: unknown;
}

export const refused = (status: number, error: string, error_description: string) => ({
  status,
  error,
  error_description,
});

export const invalidRequest = (description: string) => refused(400, 'invalid_request', description);
export const INVALID_TOKEN = invalidRequest('Invalid token');
export const BAD_CLIENT = refused(401, 'invalid_client', 'Invalid client or Invalid client credentials');
export const BAD_SECRET = refused(401, 'unauthorized_client', 'Invalid client or Invalid client credentials');
export const INACTIVE = { status: 200, active: false };

export const ALICE = {
  sid: '<sid>',
  acr: '1',
  email_verified: true,
  name: 'Alice Manager',
  preferred_username: 'alice',
  given_name: 'Alice',
  family_name: 'Manager',
  email: 'alice@example.com',
};
export const BOB = {
  ...ALICE,
  name: 'Bob Viewer',
  preferred_username: 'bob',
  given_name: 'Bob',
  family_name: 'Viewer',
  email: 'bob@example.com',
};
export const serviceAccount = (client: string) => ({
  acr: '1',
  email_verified: false,
  preferred_username: `service-account-${client}`,
});

export type Subject = typeof ALICE | ReturnType<typeof serviceAccount>;

export interface ExpectedToken {
  readonly of: Subject;
  readonly to: string;
  readonly aud?: string | readonly string[];
  readonly roles?: readonly string[];
  /** The scopes of the token in addition to `profile` and `email`. */
  readonly scope?: readonly string[];
  readonly seconds?: number;
  readonly kind: 'trrtcc' | 'onrtro' | 'onrtac' | 'onrtrt' | 'onrtte' | 'ntrtte' | 'trrtte';
  readonly more?: object;
}

export function accessTokenClaims({ of, to, aud, roles, scope = [], seconds = 300, kind, more }: ExpectedToken) {
  return {
    lifetime: seconds,
    jti: `${kind}:<uuid>`,
    iss: '<issuer>',
    ...(aud === undefined ? {} : { aud }),
    sub: '<uuid>',
    typ: 'Bearer',
    azp: to,
    ...(roles === undefined ? {} : { realm_access: { roles } }),
    scope: ['email', 'profile', ...scope].toSorted(),
    ...of,
    ...more,
  };
}

export const idTokenClaims = ({ of, to, seconds = 300 }: Pick<ExpectedToken, 'of' | 'to' | 'seconds'>) => ({
  lifetime: seconds,
  jti: '<uuid>',
  iss: '<issuer>',
  aud: to,
  sub: '<uuid>',
  typ: 'ID',
  azp: to,
  ...of,
});

export function issued(expected: ExpectedToken, members: object = {}) {
  const claims = accessTokenClaims(expected);
  return {
    status: 200,
    token_type: 'Bearer',
    expires_in: claims.lifetime,
    refresh_expires_in: 0,
    'not-before-policy': 0,
    ...('sid' in expected.of ? { session_state: '<sid>' } : {}),
    scope: claims.scope,
    accessToken: { header: { alg: 'RS256', typ: 'at+jwt', kid: '<string>' }, claims },
    ...members,
  };
}

export const exchanged = (expected: Omit<ExpectedToken, 'kind'>, members: object = {}) =>
  issued(
    { ...expected, kind: 'sid' in expected.of ? 'ntrtte' : 'trrtte' },
    { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...members },
  );

export const loggedIn = (expected: ExpectedToken) =>
  issued(expected, {
    refresh_expires_in: 1800,
    refresh_token: '<string>',
    ...(expected.scope?.includes('openid') === true ? { idToken: withHash(expected) } : {}),
  });

export const withHash = (expected: Pick<ExpectedToken, 'of' | 'to' | 'seconds'>) => ({
  header: { alg: 'RS256', typ: 'JWT', kid: '<string>' },
  claims: { ...idTokenClaims(expected), at_hash: '<22 characters>' },
});

export const active = (expected: ExpectedToken) => ({
  status: 200,
  ...accessTokenClaims(expected),
  client_id: expected.to,
  username: expected.of.preferred_username,
  token_type: 'Bearer',
  active: true,
});

export const LOGIN_PAGE = { status: 200, isHtml: true, hasLogin: true, says: true };
export const ERROR_PAGE = { status: 400, isHtml: true, hasLogin: false, says: true };
export const PLAIN_PAGE = { status: 200, isHtml: true, hasLogin: false, says: true };
