import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { composeKeycloak, type ComposedKeycloak } from '../../module/compose-keycloak.js';
import { SIGNAL_CHANNEL } from '../../diagnostics/signal-channel.js';
import { AuthorizationServerError } from '../../protocol/authorization-server-error.js';
import { testAccessToken } from '../../testing/test-access-token.js';
import { SignalFeed } from './signal-feed.js';
import { SignalSourceError, type Signals, type SignalSource } from './signal-source.js';

const ISSUER = 'https://sso.example.com/realms/shop';
const QUIET: Signals = { denials: [], rechecks: [], isWhole: true, isHealthy: true };

type Poll = () => Promise<Signals> | Signals;

function sourceOf(name: string, ...polls: readonly Poll[]): SignalSource & { asked: number } {
  const source = {
    name,
    asked: 0,
    connect: () => ({
      poll: async () => {
        source.asked += 1;
        const poll = polls[Math.min(source.asked, polls.length) - 1];
        if (poll === undefined) throw new Error('nothing to say');
        return poll();
      },
    }),
  };
  return source;
}

let keycloak: ComposedKeycloak;
let feed: SignalFeed | undefined;
let lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[];

beforeEach(() => {
  lines = [];
  const at =
    (level: string) =>
    (message: string, fields: object): void =>
      void lines.push({ level, message, fields: { ...fields } });
  keycloak = composeKeycloak(
    { issuer: ISSUER, clientId: 'shop', clientSecret: 'hush', introspectionTtlWithEventsSeconds: 300 },
    { loggers: () => ({ log: at('log'), warn: at('warn'), error: at('error') }) },
  );
});
afterEach(async () => {
  await feed?.stop();
});

function follow(...sources: readonly SignalSource[]): void {
  followEvery(1, ...sources);
}

function followEvery(pollMs: number, ...sources: readonly SignalSource[]): void {
  feed = new SignalFeed(keycloak.issuers[0], keycloak.revocations, { sources, pollMs });
  feed.start();
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
};
const state = (): string => keycloak.status.read().signals.state;
const proofOf = (askedAtMs: number): number => keycloak.issuers[0].signals.healthyUntilMs(askedAtMs);

describe('SignalFeed', () => {
  it('changes the state of the feed to silent, and then to healthy', async () => {
    expect(state()).toBe('none');
    let release: () => void = () => undefined;
    const held = new Promise<Signals>((resolve) => (release = () => resolve(QUIET)));
    follow(sourceOf('events', () => held));
    expect(state()).toBe('silent');
    release();
    await until(() => state() === 'healthy');
    expect(lines.map(({ message }) => message)).toContain('Revocations are received');
  });

  it('does not poll a source again before the polling interval has passed', async () => {
    const source = sourceOf('events', () => QUIET);
    followEvery(600_000, source);
    await until(() => state() === 'healthy');
    for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(source.asked).toBe(1);
  });

  it('applies denials and rechecks before the first proof', async () => {
    const seen: string[] = [];
    keycloak.issuers[0].denials.onDenied(() => void seen.push(`denied while ${state()}`));
    keycloak.issuers[0].rechecks.onRequired((recheck) => void seen.push(`${JSON.stringify(recheck)} while ${state()}`));
    follow(
      sourceOf('events', () => ({
        ...QUIET,
        denials: [{ sid: 's1' }, { sub: 'alice', issuedBefore: 1000 }],
        rechecks: [{ sub: 'bob' }, 'everything'],
      })),
    );
    await until(() => state() === 'healthy');
    expect(seen.slice(0, 4)).toEqual([
      'denied while silent',
      'denied while silent',
      '{"sub":"bob"} while silent',
      '"everything" while silent',
    ]);
    expect(keycloak.revocations.size).toBe(2);
  });

  it('does not deny the offline tokens of an ended session (RS-13)', async () => {
    follow(sourceOf('events', () => ({ ...QUIET, denials: [{ sid: 's1' }] })));
    await until(() => state() === 'healthy');
    const denied = ['onrtac:1', 'ofrtac:1'].map((jti) =>
      keycloak.revocations.denies(testAccessToken({ claims: { sid: 's1', jti } })),
    );
    expect(denied).toEqual([true, false]);
  });

  it('publishes the number and the time of the signals after each poll that returns signals', async () => {
    const told: unknown[] = [];
    const listen = (message: unknown): void => void told.push(message);
    subscribe(SIGNAL_CHANNEL, listen);
    const occurredAtMs = 1_800_000_000_123;
    const source = sourceOf(
      'events',
      () => QUIET,
      () => ({ ...QUIET, denials: [{ sid: 's1' }], occurredAtMs }),
      () => QUIET,
    );
    follow(source);
    await until(() => source.asked > 3);
    unsubscribe(SIGNAL_CHANNEL, listen);
    expect(told).toEqual([{ issuer: ISSUER, source: 'events', denials: 1, rechecks: 0, occurredAtMs }]);
  });

  it('applies the signals of a poll without a proof, but stays in the state silent', async () => {
    const source = sourceOf('events', () => ({ ...QUIET, denials: [{ sid: 's1' }], isHealthy: false }));
    follow(source);
    await until(() => source.asked > 5);
    expect(state()).toBe('silent');
    expect(keycloak.revocations.size).toBe(1);
  });

  it('is healthy only until the end of the period for which its source has reported a proof', async () => {
    const agoMs = 50;
    const { clock, signals } = keycloak.issuers[0];
    const beganMs = clock.monotonicMs();
    follow(sourceOf('events', () => ({ ...QUIET, healthyUntilAgoMs: agoMs })));
    await until(() => state() === 'healthy');
    expect(signals.latestMs).toBeGreaterThanOrEqual(beganMs);
    expect(signals.latestMs).toBeLessThan(clock.monotonicMs() - agoMs);
  });

  it('keeps a proof if an older proof arrives later', async () => {
    const polls: Poll[] = [() => QUIET, () => ({ ...QUIET, healthyUntilAgoMs: 3_600_000 })];
    const source = sourceOf('events', ...polls);
    follow(source);
    await until(() => source.asked > 3);
    expect(state()).toBe('healthy');
  });

  it('stays healthy only while all sources are healthy', async () => {
    let isOther = false;
    const other = sourceOf('other', () => ({ ...QUIET, isHealthy: isOther }));
    follow(
      sourceOf('events', () => QUIET),
      other,
    );
    await until(() => other.asked > 5);
    expect(state()).toBe('silent');
    isOther = true;
    await until(() => state() === 'healthy');
    isOther = false;
    const asked = other.asked;
    await until(() => other.asked > asked + 1);
    const untilMs = keycloak.issuers[0].signals.latestMs;
    await until(() => other.asked > asked + 8);
    expect(keycloak.issuers[0].signals.latestMs).toBe(untilMs);
  });

  it('reports a gap after an incomplete poll, and sends a proof only for the time after the gap', async () => {
    let gaps = 0;
    keycloak.issuers[0].signals.onGap(() => void (gaps += 1));
    const source = sourceOf(
      'events',
      () => QUIET,
      () => ({ ...QUIET, isWhole: false }),
      () => QUIET,
    );
    const askedMs = keycloak.issuers[0].clock.monotonicMs();
    follow(source);
    await until(() => source.asked > 4);
    expect(gaps).toBe(1);
    const before = proofOf(keycloak.issuers[0].signals.latestMs);
    await until(() => keycloak.issuers[0].signals.latestMs > before);
    expect(proofOf(askedMs)).toBe(-Infinity);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('recovers from a single failed poll, and logs no error', async () => {
    const away = new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' });
    const source = sourceOf(
      'events',
      () => QUIET,
      () => Promise.reject(away),
      () => QUIET,
    );
    follow(source);
    await until(() => source.asked > 5);
    expect(lines.map(({ level }) => level)).toEqual(['log']);
  });

  it.each<[string, () => Error, object]>([
    [
      'does not answer',
      () => new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }),
      { reason: 'timeout', hint: expect.stringMatching(/^Keycloak does not answer in time/) as unknown },
    ],
    [
      'needs different settings',
      () => new SignalSourceError('events_disabled', 'Switch it on.'),
      { reason: 'events_disabled', hint: 'Switch it on.' },
    ],
    [
      'throws an unexpected error',
      () => new TypeError('the-secret-of-somebody'),
      { reason: 'unexpected', name: 'TypeError' },
    ],
  ])('logs one line if a source %s, and one line when the source works again', async (_, error, fields) => {
    let isAway = true;
    const source = sourceOf('events', () => (isAway ? Promise.reject(error()) : QUIET));
    follow(source);
    await until(() => source.asked > 3);
    isAway = false;
    await until(() => state() === 'healthy');
    expect(lines).toEqual([
      {
        level: 'error',
        message: 'Revocations are not received: introspection results now expire after introspectionTtlSeconds',
        fields: { source: 'events', ...fields },
      },
      { level: 'log', message: 'Revocations are received', fields: { source: 'events' } },
    ]);
    expect(JSON.stringify(lines)).not.toContain('the-secret');
  });

  it('rechecks all tokens if a denial is invalid, and continues to poll', async () => {
    const everything: unknown[] = [];
    keycloak.issuers[0].rechecks.onRequired((recheck) => void everything.push(recheck));
    const source = sourceOf(
      'events',
      () => ({ ...QUIET, denials: [{ sid: ' ' }] }),
      () => QUIET,
    );
    follow(source);
    await until(() => state() === 'healthy');
    expect(everything).toEqual(['everything']);
  });

  it('sends a proof only for the time since its lease if another replica had the previous lease', async () => {
    const { feed: leases } = keycloak.issuers[0];
    const claimed: { readonly fencing: number; readonly sinceMs: number }[] = [];
    let [fencing, nowMs] = [1, 1_000_000];
    leases.lease = async () => ({ fencing, grantedAtMs: (nowMs += 10) });
    leases.prove = async (lease, { sinceMs }) => {
      claimed.push({ fencing: lease.fencing, sinceMs });
      return 'taken';
    };
    follow(sourceOf('events', () => QUIET));
    await until(() => claimed.length > 2);
    fencing = 3;
    await until(() => claimed.at(-1)?.fencing === 3);
    const [first, second] = [claimed[0], claimed.find((one) => one.fencing === 3)];
    expect(claimed.filter((one) => one.fencing === 1).every(({ sinceMs }) => sinceMs === first?.sinceMs)).toBe(true);
    expect(second?.sinceMs).toBeGreaterThan(first?.sinceMs ?? Infinity);
  });

  it('reports no gap after a late poll, even if no result is cached', async () => {
    keycloak = composeKeycloak({ issuer: ISSUER, clientId: 'shop', clientSecret: 'hush', introspectionTtlSeconds: 0 });
    let gaps = 0;
    keycloak.issuers[0].signals.onGap(() => void (gaps += 1));
    const source = sourceOf('events', async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return QUIET;
    });
    followEvery(400, source);
    await until(() => source.asked > 3);
    expect(gaps).toBe(0);
  });

  it('sends a proof only for the time after the last gap (RS-30)', async () => {
    const { feed: leases, signals, clock } = keycloak.issuers[0];
    const claimed: number[] = [];
    leases.lease = async () => ({ fencing: 1, grantedAtMs: clock.monotonicMs() });
    leases.prove = async (_, { sinceMs }) => {
      claimed.push(sinceMs);
      return 'taken';
    };
    signals.prove({ sinceMs: clock.monotonicMs() - 3_600_000, untilMs: clock.monotonicMs() });
    const beganMs = clock.monotonicMs();
    follow(sourceOf('events', () => QUIET));
    await until(() => claimed.length > 1);
    expect(claimed.every((sinceMs) => sinceMs < beganMs - 3_000_000)).toBe(true);
    signals.interrupt();
    const before = claimed.length;
    await until(() => claimed.length > before + 1);
    expect(claimed.slice(before + 1).every((sinceMs) => sinceMs >= beganMs - 2000)).toBe(true);
  });

  it('logs which replica polls, but not while the feed is unhealthy', async () => {
    const { feed: leases } = keycloak.issuers[0];
    let [isOurs, isAway, asked, grantedAtMs] = [true, false, 0, 1_000_000];
    leases.lease = async () => {
      asked += 1;
      return isOurs ? { fencing: 1, grantedAtMs: (grantedAtMs += 10) } : undefined;
    };
    let proofs = 0;
    leases.prove = async () => {
      proofs += 1;
      return 'taken';
    };
    const turns = async (isOur: boolean): Promise<void> => {
      isOurs = isOur;
      const before = asked;
      await until(() => asked > before + 2);
    };
    const [listens, waits] = ['This replica polls for revocations', 'Another replica polls for revocations'];
    const said = (): string[] => lines.map(({ message }) => message).filter((one) => [listens, waits].includes(one));
    follow(sourceOf('events', () => (isAway ? Promise.reject(new TypeError('away')) : QUIET)));
    await until(() => proofs > 0);
    expect(said()).toEqual([]);
    isAway = true;
    for (let times = 0; times < 3; times += 1) {
      await turns(false);
      await turns(true);
    }
    expect(said()).toEqual([waits]);
    isAway = false;
    await until(() => said().length > 1);
    await turns(false);
    await turns(false);
    expect(said()).toEqual([waits, listens, waits]);
  });

  it('applies the denials of a poll that reports a fault, but stays in the state silent', async () => {
    const fault = new SignalSourceError('own_login_not_seen', 'Look for it.');
    follow(sourceOf('events', () => ({ ...QUIET, denials: [{ sid: 's1' }], isHealthy: false, fault })));
    await until(() => keycloak.revocations.size === 1);
    expect(state()).toBe('silent');
    expect(lines.map(({ fields }) => fields['reason'])).toEqual(['own_login_not_seen']);
  });

  it('accepts tokens of later logins after a denial with a future time', async () => {
    const year2100 = 4_102_444_800;
    follow(sourceOf('events', () => ({ ...QUIET, denials: [{ sub: 'alice', issuedBefore: year2100 }] })));
    await until(() => keycloak.revocations.size === 1);
    const denied = (iat: number): boolean =>
      keycloak.revocations.denies(testAccessToken({ subject: 'alice', claims: { iat } }));
    const now = Math.floor(Date.now() / 1000);
    expect([denied(now), denied(now + 120)]).toEqual([true, false]);
  });

  it('denies tokens up to the server time if the local clock is behind', async () => {
    const { clockSkew, clock } = keycloak.issuers[0];
    const serverNow = Math.floor(clock.epochSeconds()) + 180;
    clockSkew.observeIssuedAt(serverNow);
    follow(sourceOf('events', () => ({ ...QUIET, denials: [{ sub: 'alice', issuedBefore: serverNow }] })));
    await until(() => keycloak.revocations.size === 1);
    const issued = (iat: number) => testAccessToken({ subject: 'alice', claims: { iat } });
    expect(keycloak.revocations.denies(issued(serverNow - 1))).toBe(true);
  });

  it('rechecks all issued tokens, even if the local clock is behind', async () => {
    const { clockSkew, clock, rechecks } = keycloak.issuers[0];
    const serverNow = Math.floor(clock.epochSeconds()) + 180;
    clockSkew.observeIssuedAt(serverNow);
    let madeAt = 0;
    rechecks.onRequired((_, at) => void (madeAt = at));
    follow(sourceOf('events', () => ({ ...QUIET, rechecks: [{ sub: 'alice' }] })));
    await until(() => madeAt > 0);
    expect(madeAt).toBeGreaterThan(serverNow - 2);
  });

  it('logs a fault if a source returns no result, and continues to poll', async () => {
    const source = sourceOf(
      'events',
      () => undefined as unknown as Signals,
      () => ({}) as Signals,
      () => QUIET,
    );
    follow(source);
    await until(() => source.asked > 3);
    expect(lines.map(({ fields }) => fields['reason'])).toContain('unexpected');
    await until(() => state() === 'healthy');
  });

  it('stops polling at the shutdown even if a source never answers', async () => {
    follow(sourceOf('events', () => new Promise<Signals>(() => undefined)));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const beganMs = performance.now();
    await feed?.stop();
    feed = undefined;
    expect(performance.now() - beganMs).toBeLessThan(4000);
  });

  it('refuses a second feed for the same issuer', () => {
    follow(sourceOf('events', () => QUIET));
    const options = { sources: [sourceOf('others', () => QUIET)], pollMs: 1 };
    expect(() => new SignalFeed(keycloak.issuers[0], keycloak.revocations, options).start()).toThrow(/already runs/);
  });

  it('runs one poll at a time until the feed is stopped', async () => {
    let [running, most] = [0, 0];
    const source = sourceOf('events', async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return QUIET;
    });
    follow(source);
    await until(() => source.asked > 3);
    await feed?.stop();
    const { asked } = source;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([most, source.asked, running]).toEqual([1, asked, 0]);
  });
});
