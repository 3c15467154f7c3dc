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
    ['no known gateway', 'introspection', [], ANY_ANSWER],
    ['no known gateway, and the module verifies signatures', 'jwt', [], NO_ANSWER_NEEDED],
    ['one gateway', 'jwt', [{}], NO_ANSWER_NEEDED],
    ['one of two gateways demands introspection', 'jwt', [{}, { verification: 'introspection' }], ANY_ANSWER],
    ['one gateway sets a maximum age', 'jwt', [{}, { maxStalenessSeconds: 3 }, { verification: 'introspection' }], 3],
    [
      'one gateway verifies signatures, and one is public',
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
