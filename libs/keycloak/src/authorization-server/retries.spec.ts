import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { Fault, RunningAuthorizationServer } from 'keycloak-test-servers';
import { connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';

let realm: RunningAuthorizationServer;

beforeAll(async () => {
  realm = await startTestRealm();
});
beforeEach(() => {
  for (const place of ['discovery', 'introspection', 'token'] as const) realm.control.fault(place, undefined);
  realm.control.calls.reset();
});
afterAll(() => realm.stop());

const says = (status: number, body: unknown = ''): Fault => ({ kind: 'answer', status, body });

/** Lists the answers after which the client does not retry, because a retry would get an equal answer. */
const ONCE: readonly [fault: string, Fault, readonly AuthorizationServerErrorReason[]][] = [
  ['more than 1 MiB', { kind: 'huge', megabytes: 2 }, ['answer_too_large']],
  ['an HTML page', { kind: 'html' }, ['answer_not_json']],
  ['plain text', { kind: 'wrong-content-type' }, ['answer_not_json']],
  ['truncated JSON', says(200, '{"active":true'), ['answer_not_strict_json']],
  ['a duplicate member', { kind: 'duplicate-keys' }, ['answer_not_strict_json']],
  ['an array', says(200, []), ['nonsense_answer']],
  [
    'a refusal',
    says(401, { error: 'invalid_client' }),
    ['answered_401_invalid_client', 'answered_401_unexpected_status'],
  ],
];

const AGAIN: readonly [fault: string, Fault, readonly AuthorizationServerErrorReason[]][] = [
  ['an incomplete answer', { kind: 'truncated' }, ['answer_broken_off']],
  ['a TCP reset', { kind: 'reset' }, ['ECONNRESET', 'UND_ERR_SOCKET']],
  ['500', says(500), ['answered_500_unexpected_status']],
  ['429', says(429), ['answered_429_unexpected_status']],
];

describe.each(['discovery', 'introspection', 'token'] as const)('a request to the %s endpoint', (place) => {
  const askUnder = async (fault: Fault): Promise<readonly [calls: number, AuthorizationServerErrorReason]> => {
    const options = { ...connectionTo(realm, 'service-a'), timeoutMs: 20_000, maxRetries: 2 };
    const { metadata, introspection, tokenEndpoint } = createAuthorizationServer(options, systemClock);
    realm.control.fault(place, fault);
    const asking = {
      discovery: () => metadata.get(),
      introspection: () => introspection.introspect('dGhlLXRva2Vu.c2ln'),
      token: () => tokenEndpoint.clientCredentials('orders.approve'),
    }[place]();
    const error: unknown = await asking.catch((thrown: unknown) => thrown);
    if (!(error instanceof AuthorizationServerError)) throw new Error('No AuthorizationServerError', { cause: error });
    const { discovery, introspection: introspections, token } = realm.control.calls;
    return [{ discovery, introspection: introspections, token: token.client_credentials }[place], error.reason];
  };

  it.each(ONCE)('is not retried if the server sends %s (RS-14, RS-15)', async (_, fault, reasons) => {
    const [calls, reason] = await askUnder(fault);
    expect(calls).toBe(1);
    expect(reasons).toContain(reason);
  });

  it.each(AGAIN)('is retried if the server sends %s, up to maxRetries times (CC-09)', async (_, fault, reasons) => {
    const [calls, reason] = await askUnder(fault);
    expect(calls).toBe(3);
    expect(reasons).toContain(reason);
  });
});
