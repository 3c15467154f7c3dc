import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { loginTo, startTestRealm } from '../../../keycloak-test-servers/spec-support/test-realm.js';
import { optionsOf } from '../../spec-support/test-realm.js';
import { composeKeycloak } from '../module/compose-keycloak.js';
import { jwtVerification } from '../entry-points/jwt/index.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';

let server: RunningAuthorizationServer;
beforeEach(async () => {
  server = await startTestRealm();
});
afterEach(() => server.stop());

function answerFor(token: string, claims: object): void {
  const body = { ...unverifiedClaims(token), active: true, ...claims };
  server.control.fault('introspection', { kind: 'answer', body });
}

const stepUp = () => ({ acr: '2', auth_time: Math.floor(Date.now() / 1000) });

describe('a token that was issued before a step-up', () => {
  it('keeps its own acr value in new and in cached introspection results (RS-27)', async () => {
    const { verifier } = composeKeycloak(optionsOf(server, 'service-a'));
    const token = await loginTo(server, 'alice');
    expect(unverifiedClaims(token)).toMatchObject({ acr: '1' });
    answerFor(token, stepUp());
    const before = server.control.calls.introspection;
    for (let time = 0; time < 3; time += 1) {
      const verified = await verifier.verify(token);
      expect(verified.claims['acr']).toBe('1');
      const demand = (): void => verifier.requireStepUp(verified, { acr: '2' });
      expect(demand).toThrow(expect.objectContaining({ reason: 'authentication_too_weak' }));
    }
    expect(server.control.calls.introspection - before).toBe(1);
  });

  it('keeps its own acr after a signature check and after an introspection (RS-27)', async () => {
    const options = { ...optionsOf(server, 'service-a'), verification: 'jwt', jwt: jwtVerification() } as const;
    const { verifier } = composeKeycloak(options);
    const token = await loginTo(server, 'alice');
    answerFor(token, stepUp());
    const signed = await verifier.verify(token);
    const introspected = await verifier.verify(token, { maxStalenessSeconds: 0 });
    expect([signed.claims['acr'], introspected.claims['acr']]).toEqual(['1', '1']);
  });

  it('has all claims except acr and auth_time from the introspection result (RS-27)', async () => {
    const { verifier } = composeKeycloak(optionsOf(server, 'service-a'));
    const token = await loginTo(server, 'alice');
    answerFor(token, { ...stepUp(), scope: 'profile', realm_access: { roles: ['clerk'] } });
    const { permissions, realmRoles } = await verifier.verify(token);
    expect({ permissions, realmRoles }).toEqual({ permissions: ['profile'], realmRoles: ['clerk'] });
    for (const bend of [{ aud: 'service-c' }, { exp: 1 }, { typ: 'ID' }, { iss: 'https://other.example.com' }]) {
      answerFor(token, bend);
      await expect(verifier.verify(token, { maxStalenessSeconds: 0 })).rejects.toMatchObject({ code: 'invalid_token' });
    }
  });
});
