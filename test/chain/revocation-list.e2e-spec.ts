import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RevocationList, type Denial } from 'nestjs-keycloak-s2s';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { exchangeForB, login, logout, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { newSession, type Session } from '../support/new-session.js';
import { sha256, type RunningService } from '../support/running-service.js';
import { RunningServices, ttl } from '../support/running-services.js';

const TTL_SECONDS = 2;
const BUSY_SECONDS = 5;

let keycloak: ContractServer;
let notified: RunningService;
let unnotified: RunningService;
let asking: RunningService;
let a: RunningService;
const started: RunningServices[] = [];

beforeAll(async () => {
  keycloak = await connectToKeycloak();
  const b = async (ttlSeconds: number): Promise<RunningService> => {
    const services = await RunningServices.start({
      only: ['service-b'],
      server: keycloak,
      direct: true,
      variables: ttl(ttlSeconds),
    });
    started.push(services);
    return services.b;
  };
  // With the longest ttl, only a denial can cause an immediate refusal.
  notified = await b(300);
  unnotified = await b(TTL_SECONDS);
  asking = await b(0);
  const variables = { ...ttl(300), SERVICE_B_URL: unnotified.url };
  const services = await RunningServices.start({ only: ['service-a'], server: keycloak, direct: true, variables });
  started.push(services);
  a = services.a;
});
afterAll(async () => {
  for (const services of started.toReversed()) await services.stop();
  await keycloak.stop();
});

let session: Session;

beforeEach(async () => {
  session = await newSession(keycloak);
});

const deny = ({ app }: RunningService, denial: Denial): void => app.get(RevocationList, { strict: false }).deny(denial);

async function whoami(service: RunningService, token: string): Promise<[status: number, reason: unknown]> {
  const { status, reason } = await service.whoami(token);
  return [status, reason];
}

const REVOKED = [401, 'revoked'];

describe('a user who logs out', () => {
  it('is refused immediately by a service with the denial, and within the ttl by other services (RS-13)', async () => {
    const { atB, sid, refreshToken } = session;
    for (const service of [notified, unnotified]) expect(await whoami(service, atB)).toEqual([200, undefined]);
    const ending = logout(keycloak, refreshToken);
    deny(notified, { sid });
    expect(await whoami(notified, atB)).toEqual(REVOKED);
    expect((await ending).status).toBe(204);
    const endedMs = performance.now();
    expect(await whoami(notified, atB)).toEqual(REVOKED);
    let last = await whoami(unnotified, atB);
    while (last[0] === 200 && performance.now() - endedMs < 10_000) {
      await sleep(50);
      last = await whoami(unnotified, atB);
    }
    expect(last).toEqual([401, 'inactive']);
    expect(performance.now() - endedMs).toBeLessThan((TTL_SECONDS + BUSY_SECONDS) * 1000);
  });

  it('is refused even if Keycloak still reports the token as active (RS-13)', async () => {
    const { atB, sid } = session;
    expect(await whoami(asking, atB)).toEqual([200, undefined]);
    deny(asking, { sid });
    for (let times = 0; times < 3; times += 1) expect(await whoami(asking, atB)).toEqual(REVOKED);
    expect(await whoami(unnotified, atB)).toEqual([200, undefined]);
  });

  it('can no longer make Service A call Service B with an exchanged token (TX-06)', async () => {
    const run = (): Promise<Response> =>
      fetch(`${a.url}/run-service-b`, {
        headers: { Authorization: `Bearer ${session.atA}`, Accept: 'application/json' },
      });
    const arrivedBefore = unnotified.arrivedTokens.length;
    // Service C does not run, so the status 502 shows that the call has reached Service B.
    expect((await run()).status).toBe(502);
    const arrived = unnotified.arrivedTokens.length;
    expect(arrived).toBeGreaterThan(arrivedBefore);
    deny(a, { sid: session.sid });
    const refused = await run();
    expect([refused.status, ((await refused.json()) as { reason: unknown }).reason]).toEqual(REVOKED);
    expect(unnotified.arrivedTokens.length).toBe(arrived);
  });
});

describe('an administrator', () => {
  const DENIALS: readonly (readonly [string, () => Denial])[] = [
    ['one token', () => ({ tokenHash: sha256(session.atB) })],
    [
      'one token by its jti',
      () => ({ tokenHash: sha256('its other form'), jti: String(claimsOf(session.atB)['jti']) }),
    ],
    ['all tokens of a user until now', () => ({ sub: String(claimsOf(session.atB)['sub']), issuedBefore: later() })],
  ];
  const later = (): number => Number(claimsOf(session.atB)['iat']) + 1;

  it.each(DENIALS)(
    'denies %s, so that services refuse the token immediately, even with a cached result (RS-13)',
    async (_, denial) => {
      expect(await whoami(notified, session.atB)).toEqual([200, undefined]);
      deny(notified, denial());
      deny(asking, denial());
      expect(await whoami(notified, session.atB)).toEqual(REVOKED);
      expect(await whoami(asking, session.atB)).toEqual(REVOKED);
    },
  );

  it('denies the earlier tokens of a user, but not the tokens of a later login (RS-13)', async () => {
    const { sub, preferred_username: username } = claimsOf(session.atB);
    const issuedBefore = later();
    deny(asking, { sub: String(sub), issuedBefore });
    expect(await whoami(asking, session.atB)).toEqual(REVOKED);
    await sleep(Math.max(0, issuedBefore * 1000 - Date.now()) + 100);
    const again = await exchangeForB(keycloak, textOf(await login(keycloak, String(username))));
    expect(await whoami(asking, again)).toEqual([200, undefined]);
  });
});
