/** What a service does about tokens whose end no event tells: it finds out when an answer has served for the long time. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { keycloakEvents } from '../../libs/keycloak/src/signals/index.js';
import { FollowedService } from '../support/followed-service.js';
import { MovedClock } from '../support/moved-clock.js';
import {
  isActiveAtKeycloak,
  newSubject,
  refreshTwice,
  type Act,
  type MakeSubject,
} from '../support/session-subject.js';
import { READER, startSignalsRealm } from '../support/signals-realm.js';
import { until } from '../support/until.js';

const SHORT_SECONDS = 10;
const LONG_SECONDS = 90;
/** So that each proof is younger than the short time. */
const STEP_SECONDS = 9;

/** After half of the long time, and when it is over. */
const GOES_ON = ['accepted', 'accepted', 'inactive'];

let server: ContractServer;

beforeAll(async () => {
  server = await startSignalsRealm();
});
afterAll(() => server.stop());

const IDLE_SECONDS = 5;

/** Of a session that is over for its client once it is idle for that long. */
const briefSubject: MakeSubject = async (at) => {
  const idle = { 'client.session.idle.timeout': String(IDLE_SECONDS) };
  return newSubject(at, { client: await at.newClient('login', idle) });
};

/** Keycloak says so to the second. */
const leaveIdle: Act = ({ access }, at) =>
  until(async () => !(await isActiveAtKeycloak(at, access)), 'the session is over');

/** By a clock of its own, which goes on in steps, in each of which all is heard. */
async function outcomesInTime(make: MakeSubject, act: Act): Promise<readonly string[]> {
  const clock = new MovedClock();
  const service = await FollowedService.start(server, {
    clientId: READER,
    source: keycloakEvents(),
    shortSeconds: SHORT_SECONDS,
    longSeconds: LONG_SECONDS,
    clock,
  });
  try {
    const { access, ...subject } = await make(server);
    const outcomes = [await service.outcomeOf(access)];
    await act({ access, ...subject }, server);
    expect(await isActiveAtKeycloak(server, access)).toBe(false);
    await service.hearLogout(server);
    for (const seconds of [LONG_SECONDS / 2, LONG_SECONDS / 2]) {
      for (let passed = 0; passed < seconds; passed += STEP_SECONDS) {
        clock.advance(STEP_SECONDS);
        await service.untilProvenAnew();
      }
      outcomes.push(await service.outcomeOf(access));
    }
    return outcomes;
  } finally {
    await service.stop();
  }
}

describe('a service that hears of revocations, but of no event for this one', () => {
  it('takes the token of a refresh token that was used twice until the long time is over (RS-13)', async () => {
    expect(await outcomesInTime(newSubject, refreshTwice)).toEqual(GOES_ON);
  });

  // On the embedded server only the whole realm has an idle time.
  (testServer().kind === 'embedded' ? describe.skip : describe)('where a client has an idle time', () => {
    it('takes the token of a session that was idle for too long until the long time is over (RS-13)', async () => {
      expect(await outcomesInTime(briefSubject, leaveIdle)).toEqual(GOES_ON);
    });
  });
});
