import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { BASIC_OF_SERVICE_B, connectionTo } from '../../spec-support/test-realm.js';
import { startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { createAuthorizationServer } from './create-authorization-server.js';
import type { Introspection } from './introspection.js';

let realm: RunningAuthorizationServer;
let introspection: Introspection;
beforeAll(async () => {
  realm = await startTestRealm();
});
beforeEach(() => {
  realm.control.fault('introspection', undefined);
  introspection = createAuthorizationServer(connectionTo(realm), systemClock).introspection;
});
afterAll(() => realm.stop());

const answers = (body: unknown): void => realm.control.fault('introspection', { kind: 'answer', body });

describe('Introspection (RFC 7662 section 2)', () => {
  it('sends the client credentials in a header, and the token only in the form (RS-04)', async () => {
    expect(await introspection.introspect('the+token/=')).toEqual({ active: false });
    const { form, ...request } = realm.control.lastRequest('introspection') ?? {};
    expect(request).toEqual({
      method: 'POST',
      url: '/realms/microservices/protocol/openid-connect/token/introspect',
      authorization: BASIC_OF_SERVICE_B,
    });
    expect([...(form ?? [])].toSorted()).toEqual([
      ['token', 'the+token/='],
      ['token_type_hint', 'access_token'],
    ]);
  });

  it('returns the response unchanged, without validating its claims', async () => {
    const answer = { active: true, aud: ['x'], exp: 'soon', nested: { a: [1] } };
    answers(answer);
    expect(await introspection.introspect('t')).toEqual(answer);
  });

  it.each<[unknown]>([['true'], [1], [null], [[]], [{}], [undefined]])(
    'rejects a response whose member active is %j (RS-05)',
    async (active) => {
      answers({ active, sub: 's' });
      await expect(introspection.introspect('t')).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
    },
  );

  it.each([
    ['a claim named __proto__', '{"active":true,"__proto__":{"iss":"x","polluted":1}}'],
    ['a duplicate claim', '{"active":false,"active":true}'],
  ])('rejects a response with %s (RS-15)', async (_case, body) => {
    answers(body);
    await expect(introspection.introspect('t')).rejects.toMatchObject({ reason: 'answer_not_strict_json' });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(['text/plain', 'application/token-introspection+jwt', 'application/json; charset=latin1'])(
    'rejects a response with content type %s (RS-15)',
    async (type) => {
      realm.control.fault('introspection', {
        kind: 'answer',
        headers: { 'Content-Type': type },
        body: { active: true },
      });
      await expect(introspection.introspect('t')).rejects.toMatchObject({ reason: 'answer_not_json' });
    },
  );
});
