import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AccessTokenVerifier, RevocationList } from 'nestjs-keycloak-s2s';
import { denialOf } from 'nestjs-keycloak-s2s/extension';
import { respellingsOf } from '../../libs/keycloak/spec-support/respellings.js';
import { clientCredentials, introspect, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { isActive } from '../../libs/keycloak-test-servers/contract/observations.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { RunningServices, ttl } from '../support/running-services.js';

let keycloak: ContractServer;
let services: RunningServices;
let token: string;

beforeAll(async () => {
  keycloak = await connectToKeycloak();
  services = await RunningServices.start({ only: ['service-b'], server: keycloak, variables: ttl(300) });
  token = textOf(await clientCredentials(keycloak, 'service-a', 'orders.approve'));
});
afterAll(async () => {
  await services.stop();
  await keycloak.stop();
});

async function whoami(text: string): Promise<[status: number, reason: unknown]> {
  const { status, reason } = await services.b.whoami(text);
  return [status, reason];
}

const NO_TOKEN = [401, 'token_malformed'];

describe('a text with an incomplete JWT header', () => {
  it.each(['{}', 'null', '{"alg":null}'])(
    'is refused with 401 and token_malformed: the header %s (RS-03)',
    async (header) => {
      expect(await whoami(`${Buffer.from(header).toString('base64url')}.e30.AAAA`)).toEqual(NO_TOKEN);
    },
  );
});

describe('a token that is encoded in another way', () => {
  it('is active at the server despite a trailing dot, padding or changed unused bits', async () => {
    for (const other of [`${token}.`, `${token}=`, otherLastBits(token)]) {
      expect(isActive(await introspect(keycloak, 'service-b', other))).toBe(true);
    }
  });

  it('is refused by a service as malformed, without an introspection (RS-03, RS-12)', async () => {
    expect(await whoami(token)).toEqual([200, undefined]);
    const spellings = fc.constantFrom(...respellingsOf(token));
    const twice = spellings.chain((one) => fc.constantFrom(...respellingsOf(one).filter((other) => other !== token)));
    const { calls } = await services.keycloak.during(() =>
      fc.assert(
        fc.asyncProperty(fc.oneof(spellings, twice), async (other) => {
          expect(await whoami(other)).toEqual(NO_TOKEN);
        }),
        { numRuns: 300 },
      ),
    );
    expect(calls).toEqual([]);
    expect(await whoami(token)).toEqual([200, undefined]);
  });

  it('is refused after a denial of the original token (RS-13)', async () => {
    const verified = await services.b.app.get(AccessTokenVerifier, { strict: false }).verify(token);
    const denial = denialOf(verified);
    expect(denial).toEqual({ issuer: verified.issuer, tokenHash: verified.hash, jti: verified.claims.jti });
    services.b.app.get(RevocationList, { strict: false }).deny(denial);
    expect(await whoami(token)).toEqual([401, 'revoked']);
    for (const other of respellingsOf(token)) expect((await whoami(other))[0]).toBe(401);
    const next = textOf(await clientCredentials(keycloak, 'service-a', 'orders.approve'));
    expect(await whoami(next)).toEqual([200, undefined]);
  });
});

/** An RS256 signature has 256 octets, so its last Base64url character has four unused bits. */
function otherLastBits(text: string): string {
  const last = text.slice(-1);
  expect('AQgw').toContain(last);
  return text.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1);
}
