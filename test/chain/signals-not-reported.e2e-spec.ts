import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { keycloakEvents } from '../../libs/keycloak/src/entry-points/signals/index.js';
import { CONSOLE_ACTS, hasAccounts } from '../support/account-acts.js';
import { FollowedService } from '../support/followed-service.js';
import { savesEventsOfConsole } from '../support/keycloak-version.js';
import { MovedClock } from '../support/moved-clock.js';
import { isActiveAtKeycloak, newSubject, refreshTwice, type Act } from '../support/session-subject.js';
import { READER, startSignalsRealm } from '../support/signals-realm.js';

const SHORT_SECONDS = 10;
const LONG_SECONDS = 90;
/** Each step of the clock is shorter than the short ttl, so no proof becomes too old. */
const STEP_SECONDS = 9;
/** The idle timeout of a session is longer than a login and an introspection together. */
const IDLE_SECONDS = 6;

/** Contains the outcomes at the start, middle and end of the long ttl. */
const GOES_ON = ['accepted', 'accepted', 'inactive'];

let server: ContractServer;

beforeAll(async () => {
  server = await startSignalsRealm((realm) => {
    realm.ssoSessionIdleTimeout = IDLE_SECONDS;
  });
});
afterAll(() => server.stop());

/** Does not introspect, because an introspection would prolong the session at the embedded server. */
const leaveIdle: Act = () => sleep((IDLE_SECONDS + 1) * 1000);

const OF_CONSOLE = hasAccounts() && !savesEventsOfConsole() ? CONSOLE_ACTS : [];

async function outcomesInTime(act: Act): Promise<readonly string[]> {
  const clock = new MovedClock();
  const service = await FollowedService.start(server, {
    clientId: READER,
    source: keycloakEvents(),
    shortSeconds: SHORT_SECONDS,
    longSeconds: LONG_SECONDS,
    clock,
  });
  try {
    const { access, ...subject } = await newSubject(server);
    const outcomes = [await service.outcomeOf(access)];
    await act({ access, ...subject }, server);
    expect(await isActiveAtKeycloak(server, access)).toBe(false);
    await service.receiveLogout(server);
    for (const seconds of [LONG_SECONDS / 2, LONG_SECONDS / 2]) {
      for (let passed = 0; passed < seconds; passed += STEP_SECONDS) {
        clock.advance(STEP_SECONDS);
        await service.untilNextProof();
      }
      outcomes.push(await service.outcomeOf(access));
    }
    return outcomes;
  } finally {
    await service.stop();
  }
}

describe('a service that receives no event about a revocation', () => {
  it.each<[string, Act]>([
    ['a session whose refresh token was used twice', refreshTwice],
    ['a session that was idle for too long', leaveIdle],
    ...OF_CONSOLE,
  ])('accepts the token of %s until the long ttl is over (RS-13)', async (_, act) => {
    expect(await outcomesInTime(act)).toEqual(GOES_ON);
  });
});
