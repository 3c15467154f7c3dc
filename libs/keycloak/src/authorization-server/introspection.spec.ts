import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import {
  BASIC_OF_SERVICE_B,
  connectionTo,
  INTROSPECTION,
  json,
  raw,
  startScriptedRealm,
  type ScriptedServer,
} from '../testing/scripted-server.js';
import { connectToAuthorizationServer } from './connect.js';
import type { Introspection } from './introspection.js';

let realm: ScriptedServer;
let introspection: Introspection;
beforeEach(async () => {
  realm = await startScriptedRealm();
  introspection = connectToAuthorizationServer(connectionTo(realm), systemClock).introspection;
});
afterEach(() => realm.stop());

describe('Introspection (RFC 7662 section 2)', () => {
  it('is a POST with our credentials, the token in its form and in no URL (RS-04)', async () => {
    await introspection.introspect('the+token/=');
    const [request] = realm.to(INTROSPECTION);
    expect(request).toMatchObject({
      method: 'POST',
      url: INTROSPECTION,
      headers: { authorization: BASIC_OF_SERVICE_B },
    });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      token: 'the+token/=',
      token_type_hint: 'access_token',
    });
  });

  it('gives the answer as it came, judged by nobody yet', async () => {
    const answer = { active: true, aud: ['x'], exp: 'soon', nested: { a: [1] } };
    realm.answer(INTROSPECTION, json(answer));
    expect(await introspection.introspect('t')).toEqual(answer);
  });

  it.each<[unknown]>([['true'], [1], [null], [[]], [{}], [undefined]])(
    'takes an answer whose active is %j for nonsense (RS-05)',
    async (active) => {
      realm.answer(INTROSPECTION, json({ active, sub: 's' }));
      await expect(introspection.introspect('t')).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
    },
  );

  it.each([
    ['a claim named __proto__', '{"active":true,"__proto__":{"iss":"x","polluted":1}}'],
    ['a claim that is there twice', '{"active":false,"active":true}'],
  ])('takes an answer with %s for nonsense (RS-15)', async (_case, body) => {
    realm.answer(INTROSPECTION, raw(200, body, { 'Content-Type': 'application/json' }));
    await expect(introspection.introspect('t')).rejects.toMatchObject({ reason: 'answer_not_strict_json' });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(['text/plain', 'application/token-introspection+jwt', 'application/json; charset=latin1'])(
    'takes an answer of the type %s for nonsense (RS-15)',
    async (type) => {
      realm.answer(INTROSPECTION, raw(200, '{"active":true}', { 'Content-Type': type }));
      await expect(introspection.introspect('t')).rejects.toMatchObject({ reason: 'answer_not_json' });
    },
  );
});
