/** The callers that every transport refuses at a handler for the permission `orders.read` and the client `shop`. */
import type { INestApplicationContext } from '@nestjs/common';
import { RevocationList } from '../src/index.js';
import {
  signIn,
  testAccessToken,
  type ApplicationUnderTest,
  type TestAccessTokenOptions,
} from '../src/testing/index.js';

type App = ApplicationUnderTest & Pick<INestApplicationContext, 'get'>;

export interface RefusedCaller {
  readonly name: string;
  readonly authorization: (app: App) => string | undefined;
  readonly status: number;
  readonly code: string;
  readonly permission?: string;
}

export const GOOD: TestAccessTokenOptions = { permissions: ['orders.read'], client: 'shop' };

export const bearerOf = (app: App, options: TestAccessTokenOptions = GOOD): string =>
  `Bearer ${signIn(app, testAccessToken(options))}`;

export function deny(app: App, sid: string): void {
  app.get(RevocationList, { strict: false }).deny({ sid });
}

function deniedBearer(app: App): string {
  deny(app, 'denied');
  return bearerOf(app, { ...GOOD, claims: { sid: 'denied' } });
}

const invalidToken = { status: 401, code: 'invalid_token' } as const;

export const REFUSED_CALLERS: readonly RefusedCaller[] = [
  { name: 'no token', authorization: () => undefined, status: 401, code: 'missing_token' },
  { name: 'another scheme', authorization: () => 'Basic YTpi', status: 401, code: 'missing_token' },
  { name: 'two words', authorization: () => 'Bearer a b', status: 400, code: 'invalid_request' },
  { name: 'junk', authorization: () => 'Bearer junk', ...invalidToken },
  { name: 'a token that nobody issued', authorization: () => 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln', ...invalidToken },
  { name: 'another audience', authorization: (app) => bearerOf(app, { ...GOOD, audience: 'other' }), ...invalidToken },
  {
    name: 'another issuer',
    authorization: (app) => bearerOf(app, { ...GOOD, issuer: 'https://other' }),
    ...invalidToken,
  },
  {
    name: 'an expired token',
    authorization: (app) => bearerOf(app, { ...GOOD, expiresInSeconds: -60 }),
    ...invalidToken,
  },
  { name: 'a denied token', authorization: deniedBearer, ...invalidToken },
  {
    name: 'another permission',
    authorization: (app) => bearerOf(app, { ...GOOD, permissions: ['orders.write'] }),
    status: 403,
    code: 'insufficient_scope',
    permission: 'orders.read',
  },
  {
    name: 'another client',
    authorization: (app) => bearerOf(app, { ...GOOD, client: 'till' }),
    status: 403,
    code: 'client_not_allowed',
  },
];
