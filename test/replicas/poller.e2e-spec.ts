import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { chainOf, logout, textOf, type Chain } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { freeze } from '../../libs/keycloak/spec-support/frozen-process.js';
import type { BuiltService } from '../support/built-service.js';
import { ServicesWithPoller, type Verdict } from '../support/services-with-poller.js';
import { startSignalsRealm } from '../support/signals-realm.js';
import { until } from '../support/until.js';

/** Within the short ttl, another poller must replace a killed poller without a gap. */
const SHORT_SECONDS = 10;

const RECEIVES = 'Revocations are received';
const LISTENS = 'This replica polls for revocations';
const WAITS = 'Another replica polls for revocations';

let server: ContractServer;
let services: ServicesWithPoller;
let listener: BuiltService;

interface Subject extends Chain {
  readonly username: string;
}

async function known(): Promise<Subject> {
  const username = await server.newUser('order-manager');
  const subject = { username, ...(await chainOf(server, username)) };
  expect((await services.ask(subject)).map(({ status }) => status)).toEqual([200, 200, 200]);
  return subject;
}

const end = async ({ login }: Subject): Promise<void> =>
  expect((await logout(server, textOf(login, 'refresh_token'))).status).toBe(204);

const isRefused = ({ status }: Verdict): boolean => status === 401;
const isDenied = ({ status, reason }: Verdict): boolean => status === 401 && reason === 'revoked';

const expectSoon = (subject: Subject, is: (verdict: Verdict) => boolean, what: string): Promise<void> =>
  until(async () => (await services.ask(subject)).every(is), what);

async function saidInAll(): Promise<number> {
  const [stream = ''] = (await services.valkey.command(['KEYS', '*:revocations'])) as string[];
  return Number(await services.valkey.command(['XLEN', stream]));
}

const timesIn = ({ printed }: BuiltService, words: string): number => printed().split(words).length - 1;

async function untilSays(one: BuiltService, words: string, times = timesIn(one, words) + 1): Promise<void> {
  await until(() => timesIn(one, words) >= times, words);
}

(valkeyPath === undefined ? describe.skip : describe)('a process that polls for all services', () => {
  beforeAll(async () => {
    server = await startSignalsRealm();
    services = await ServicesWithPoller.start(server, {
      INTROSPECTION_TTL_SECONDS: String(SHORT_SECONDS),
      INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300',
      SIGNALS_POLL_SECONDS: '0.5',
      SHUTDOWN_DELAY_SECONDS: '0',
    });
    listener = await services.startPoller();
    await untilSays(listener, RECEIVES, 1);
  });
  afterAll(async () => {
    await services.stop();
    await server.stop();
  });

  it('lets the services use cached results for longer than the short ttl', async () => {
    const subject = await known();
    let [questions, sinceMs] = [services.questions(subject), performance.now()];
    // Because of the new user, each cached result expires once after the short ttl.
    await until(async () => {
      expect((await services.ask(subject)).map(({ status }) => status)).toEqual([200, 200, 200]);
      const asked = services.questions(subject);
      if (asked !== questions) [questions, sinceMs] = [asked, performance.now()];
      return performance.now() > sinceMs + (SHORT_SECONDS + 2) * 1000;
    }, 'nobody asks for longer than answers serve by themselves');
  });

  it.each<[string, (subject: Subject) => Promise<unknown>, (verdict: Verdict) => boolean]>([
    ['a logout', end, isDenied],
    ['a logout by an administrator', ({ username }) => server.logOutUser(username), isDenied],
    ['a disabled user', ({ username }) => server.disableUser(username), isRefused],
  ])('makes all services refuse the token soon after the event: %s', async (_, act, is) => {
    const subject = await known();
    await act(subject);
    await expectSoon(subject, is, 'it is refused');
  });

  it('is replaced by another poller after a kill, so that the services apply the missed revocations', async () => {
    const next = await services.startPoller();
    const subject = await known();
    listener.process.kill('SIGKILL');
    await listener.exited;
    await end(subject);
    // Sends no request until the next poller receives events, so the refusal comes from a missed event.
    await untilSays(next, LISTENS, 1);
    await untilSays(next, RECEIVES, 1);
    await expectSoon(subject, isDenied, 'it is refused');
    listener = next;
  });

  it('is replaced by another poller if it freezes, so that the services miss no revocation', async () => {
    const other = await services.startPoller();
    const [first, second] = [await known(), await known()];
    freeze(listener.process);
    await end(first);
    await untilSays(other, LISTENS, 1);
    await untilSays(other, RECEIVES, 1);
    await expectSoon(first, isDenied, 'the first is refused');
    freeze(other.process);
    await end(second);
    const [waited, listened, said] = [timesIn(listener, WAITS), timesIn(listener, LISTENS), await saidInAll()];
    listener.process.kill('SIGCONT');
    await untilSays(listener, WAITS, waited + 1);
    await untilSays(listener, LISTENS, listened + 1);
    await until(async () => (await saidInAll()) > said, 'it says what it has received');
    await expectSoon(second, isRefused, 'the second is refused');
    other.process.kill('SIGCONT');
    await untilSays(other, WAITS, 1);
    const third = await known();
    await end(third);
    await expectSoon(third, isDenied, 'the third is refused');
    other.process.kill('SIGTERM');
    expect(await other.exited).toBe(0);
  });

  it('makes the services use the short ttl after the poller has stopped', async () => {
    const [kept, ended] = [await known(), await known()];
    const questions = services.questions(kept);
    listener.process.kill('SIGTERM');
    expect(await listener.exited).toBe(0);
    await end(ended);
    await expectSoon(ended, isRefused, 'Keycloak is asked');
    await until(async () => {
      expect((await services.ask(kept)).map(({ status }) => status)).toEqual([200, 200, 200]);
      return services.questions(kept) >= questions + 3;
    }, 'it is asked again');
    const names = (await services.valkey.command(['KEYS', '*:lease'])) as string[];
    const held = await Promise.all(names.map((name) => services.valkey.command(['GET', name])));
    expect(held.filter((value) => value !== null && value !== '')).toEqual([]);
  });
});
