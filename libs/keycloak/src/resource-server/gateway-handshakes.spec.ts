import { describe, expect, it } from '@jest/globals';
import { testAccessToken } from '../testing/test-access-token.js';
import { GatewayHandshakes, type GuardedGateway } from './gateway-handshakes.discovery.js';
import type { LongLivedConnection } from './request.adapter.js';
import type { RouteAccess } from './route-access.js';
import { ANY_ANSWER, NO_ANSWER_NEEDED, type VerificationMethod } from './verification.js';

const OPEN: RouteAccess = {
  opening: 'authenticated',
  permissions: [],
  anyOf: [],
  clients: [],
  authentication: undefined,
  maxStalenessSeconds: undefined,
  verification: undefined,
  fault: undefined,
};
const gateway = (access: Partial<RouteAccess>): GuardedGateway => ({
  name: 'G',
  namespace: undefined,
  access: { ...OPEN, ...access },
});

const REQUEST = { headers: { authorization: 'Bearer a.b.c' }, url: '/' };
const CONNECTION: LongLivedConnection = { key: {}, isOpen: () => true, close: () => undefined };

async function demandedOf(verification: VerificationMethod, accesses: readonly Partial<RouteAccess>[]) {
  const seen: unknown[] = [];
  const token = testAccessToken();
  const verifier = { tokens: { verify: async (_: string, demanded: number) => (seen.push(demanded), token) } };
  const connections = { hold: (...[, , , demanded]: unknown[]) => void seen.push(demanded) };
  const handshakes = new GatewayHandshakes(
    undefined as never,
    verifier as never,
    { maxTokenBytes: 8192, verification },
    undefined as never,
    connections,
    {},
  );
  const authorized = await handshakes.authorize(REQUEST, accesses.map(gateway));
  handshakes.hold(CONNECTION, authorized ?? token, REQUEST);
  return seen;
}

describe('GatewayHandshakes', () => {
  it.each<[string, VerificationMethod, readonly Partial<RouteAccess>[], number]>([
    ['none that is known', 'introspection', [], ANY_ANSWER],
    ['none that is known, by signatures', 'jwt', [], NO_ANSWER_NEEDED],
    ['one', 'jwt', [{}], NO_ANSWER_NEEDED],
    ['one that introspects beside one that does not', 'jwt', [{}, { verification: 'introspection' }], ANY_ANSWER],
    ['one that wants a fresh word', 'jwt', [{}, { maxStalenessSeconds: 3 }, { verification: 'introspection' }], 3],
    [
      'one by signatures beside a public one',
      'introspection',
      [{ verification: 'jwt' }, { opening: 'public' }],
      NO_ANSWER_NEEDED,
    ],
  ])(
    'verifies and tracks a connection by the strictest demand of the gateways: %s',
    async (_, verification, accesses, demanded) => {
      expect(await demandedOf(verification, accesses)).toEqual([demanded, demanded]);
    },
  );
});
