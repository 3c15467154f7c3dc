import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BASIC_OF_SERVICE_B,
  connectionTo,
  INTROSPECTION,
  json,
  raw,
  startScriptedRealm,
  type ScriptedServer,
} from '../testing/scripted-server.js';
import { Introspection } from './introspection.js';
import { ServerMetadata } from './metadata.js';
import { ServerConnection } from './server-connection.js';

let realm: ScriptedServer;
let introspection: Introspection;
beforeEach(async () => {
  realm = await startScriptedRealm();
  const connection = new ServerConnection(connectionTo(realm));
  introspection = new Introspection(connection, new ServerMetadata(connection));
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

  it('is not misled by a claim named __proto__', async () => {
    realm.answer(
      INTROSPECTION,
      raw(200, '{"active":false,"__proto__":{"iss":"x","polluted":1}}', { 'Content-Type': 'application/json' }),
    );
    const answer = await introspection.introspect('t');
    expect(answer['iss']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
