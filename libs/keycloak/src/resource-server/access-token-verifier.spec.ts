import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { KeycloakModule } from '../module/keycloak.module.js';
import { TOKEN_PROFILES } from '../protocol/token-profile.js';
import { tokenHash } from '../protocol/token-hash.js';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { composeKeycloak } from '../module/compose-keycloak.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { respellingsOf } from '../../spec-support/respellings.js';
import { optionsOf } from '../../spec-support/test-realm.js';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { tokenText } from '../testing/token-text.js';
import { AccessTokenVerifier, makeAccessTokenVerifier } from './access-token-verifier.js';
import { IssuerVerifier } from './issuer-verifier.js';

let realm: RunningAuthorizationServer;

async function verifierOf(clientId: string): Promise<AccessTokenVerifier> {
  const { issuer, clientSecret } = optionsOf(realm);
  const options = { issuer, clientId, clientSecret, allowInsecureRequests: true, introspectionTtlSeconds: 10 };
  @Module({ imports: [KeycloakModule.forRoot(options)] })
  class Service {}
  const service = await Test.createTestingModule({ imports: [Service] }).compile();
  return service.get(AccessTokenVerifier);
}

beforeAll(async () => {
  realm = await startTestRealm();
});
afterAll(() => realm.stop());

describe('AccessTokenVerifier', () => {
  it('verifies a token for this service, with one introspection for many calls (RS-12)', async () => {
    const verifier = await verifierOf('service-a');
    const text = await loginTo(realm, 'alice');
    const before = realm.control.calls.introspection;
    const tokens = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(text)));
    expect(new Set(tokens.map(({ username }) => username))).toEqual(new Set(['alice']));
    expect(tokens[0]?.hasPermission('orders.read')).toBe(true);
    await verifier.verify(text);
    expect(realm.control.calls.introspection).toBe(before + 1);
    await verifier.verify(text, { maxStalenessSeconds: 0 });
    expect(realm.control.calls.introspection).toBe(before + 2);
  });

  it('refuses a token for another service (RS-06) or of an ended session', async () => {
    const text = await loginTo(realm, 'alice');
    await expect((await verifierOf('service-b')).verify(text)).rejects.toMatchObject({ code: 'invalid_token' });
    const verifier = await verifierOf('service-a');
    await verifier.verify(text);
    realm.control.endSessionsOf('alice');
    await expect(verifier.verify(text, { maxStalenessSeconds: 0 })).rejects.toMatchObject({ reason: 'inactive' });
  });

  it('checks the login again at each use of a cached result (RS-11)', async () => {
    const clock = new StillClock();
    const verifier = composeKeycloak(optionsOf(realm), { clock }).verifier;
    const iss = realm.issuer;
    const claims = {
      iss,
      sub: 'alice',
      aud: 'service-b',
      azp: 'a',
      typ: 'Bearer',
      exp: clock.date + 3600,
      acr: 'gold',
    };
    const body = { active: true, ...claims, auth_time: clock.date };
    realm.control.fault('introspection', { kind: 'answer', status: 200, body });
    try {
      const before = realm.control.calls.introspection;
      const text = tokenText('a login that grows old');
      const demand = { acr: 'gold', maxAgeSeconds: 3 };
      verifier.requireStepUp(await verifier.verify(text), demand);
      clock.advance(8);
      verifier.requireStepUp(await verifier.verify(text), demand);
      clock.advance(1);
      const token = await verifier.verify(text);
      expect(() => verifier.requireStepUp(token, demand)).toThrow(
        expect.objectContaining({ code: 'insufficient_user_authentication', reason: 'authentication_too_old' }),
      );
      expect(() => verifier.requireStepUp(token, {})).toThrow(TypeError);
      expect(realm.control.calls.introspection).toBe(before + 1);
    } finally {
      realm.control.fault('introspection', undefined);
    }
  });

  it('drops cached results, but keeps denials, after the machine was suspended (RS-12, RS-13)', async () => {
    const clock = new StillClock();
    const { verifier, revocations } = composeKeycloak(optionsOf(realm), { clock });
    const exp = clock.date + 1e6;
    const answerFor = (sid: string) => {
      const claims = { iss: realm.issuer, sub: 'alice', aud: 'service-b', azp: 'a', typ: 'Bearer', exp, sid };
      realm.control.fault('introspection', { kind: 'answer', status: 200, body: { active: true, ...claims } });
    };
    try {
      answerFor('denied');
      await verifier.verify(tokenText('denied'));
      revocations.deny({ sid: 'denied' });
      answerFor('good');
      await verifier.verify(tokenText('good'));
      // The monotonic clock of Linux stops while the machine is suspended.
      clock.date += 12 * 3600;
      answerFor('denied');
      await expect(verifier.verify(tokenText('denied'))).rejects.toMatchObject({ reason: 'revoked' });
      realm.control.fault('introspection', { kind: 'answer', status: 200, body: { active: false } });
      await expect(verifier.verify(tokenText('good'))).rejects.toMatchObject({ reason: 'inactive' });
    } finally {
      realm.control.fault('introspection', undefined);
    }
  });

  it.each([
    ['an empty text', '', 'invalid_token'],
    ['a text that is not a token', 'a,b', 'invalid_token'],
    ['a text without three parts', 'abcd', 'invalid_token'],
    ['a text with a space', 'a b', 'invalid_request'],
    ['a text that is too long', 'x'.repeat(8193), 'invalid_token'],
  ])('refuses %s without a call to the server (RS-03)', async (_, text, code) => {
    const verifier = await verifierOf('service-a');
    const before = realm.control.calls.introspection;
    await expect(verifier.verify(text)).rejects.toMatchObject({ code });
    expect(realm.control.calls.introspection).toBe(before);
  });

  it('calls only the configured server, even if code overwrites the properties of the verifier', async () => {
    const verifier = await verifierOf('service-a');
    const text = tokenText('made-up');
    const { issuer: iss } = realm;
    const answer = { active: true, iss, sub: 'x', aud: 'service-a', azp: 'x', typ: 'Bearer', exp: 4e9 };
    const parts: Record<string, unknown> = { introspection: { known: () => answer, introspect: async () => answer } };
    await expect(Object.assign(verifier, parts).verify(text)).rejects.toMatchObject({ code: 'invalid_token' });
    const { tokens } = verifier as unknown as { readonly tokens: object };
    expect(() => Object.assign(tokens, parts)).toThrow(TypeError);
    await expect(verifier.verify(text)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('refuses every other spelling of a known token without a call to the server (RS-03)', async () => {
    const verifier = await verifierOf('service-a');
    const text = await loginTo(realm, 'alice');
    await verifier.verify(text);
    const before = realm.control.calls.introspection;
    for (const other of [...respellingsOf(text), `${text} `, ` ${text}`, `${text}\n`]) {
      await expect(verifier.verify(other)).rejects.toMatchObject({
        code: /\s/.test(other) ? 'invalid_request' : 'invalid_token',
      });
    }
    expect(realm.control.calls.introspection).toBe(before);
  });

  it("checks a token's spelling only at the first use, before the verifier hashes the token", async () => {
    const [forms, asked]: [string[], string[]] = [[], []];
    const text = tokenText('used-again');
    const answer = { active: true, iss: 'i', sub: 'alice', aud: 'service-a', azp: 'x', typ: 'Bearer', exp: 4e9 };
    const isToken = (form: string): boolean => {
      forms.push(form);
      return form === text;
    };
    const ofIssuer = new IssuerVerifier(
      {
        introspect: (_token, _staleness, hash) => {
          asked.push(String(hash));
          return answer;
        },
      },
      {
        issuer: 'i',
        audience: 'service-a',
        clockToleranceSeconds: 5,
        mapPermissions: undefined,
        profile: { ...TOKEN_PROFILES.keycloak, isToken },
      },
      systemClock,
      { denies: () => false, leavesOpen: () => false },
    );
    const options = { maxTokenBytes: 8192, clockToleranceSeconds: 5 };
    const verifier = makeAccessTokenVerifier([ofIssuer], options, systemClock, { denies: () => false });
    await expect(verifier.verify('junk')).rejects.toMatchObject({ reason: 'token_malformed' });
    expect(asked).toEqual([]);
    const tokens = await Promise.all([verifier.verify(text), verifier.verify(text), verifier.verify(text)]);
    expect(forms).toEqual(['junk', text]);
    expect(new Set([...asked, ...tokens.map(({ hash }) => hash)])).toEqual(new Set([tokenHash(text)]));
  });
});
