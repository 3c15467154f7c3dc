import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { testAccessToken } from '../testing/index.js';
import { HeldDenials } from './held-denials.js';
import { Rechecks } from './rechecks.js';
import type { RevocationChannel, RevocationReceiver, SharedRevocation } from './revocation-channel.js';
import { RevocationSharing } from './revocation-sharing.js';
import type { ReceivedPeriod } from './signal-proof.js';

const OPTIONS = {
  issuer: 'https://keycloak.test/realms/test',
  maxRevocations: 100,
  revocationRetentionSeconds: 1000,
  clockToleranceSeconds: 5,
  introspectionTtlSeconds: 10,
  allowInsecureRequests: true,
};
const session = (key: string, at: number, issuedBefore = Infinity): SharedRevocation => ({
  kind: 'denial',
  denial: { kind: 'session', key, issuedBefore },
  at,
});

let clock: StillClock;
let held: HeldDenials;
let rechecks: Rechecks;
let doubted: number;
let proofs: ReceivedPeriod[];
let sharing: RevocationSharing;
let receiver: RevocationReceiver;
let appended: SharedRevocation[];
let failing: string | undefined;
let tries: number;
let isEchoing: boolean;
let again: number;
let busy: number;
let lines: string[];

beforeEach(() => {
  clock = new StillClock();
  appended = [];
  failing = undefined;
  tries = 0;
  isEchoing = true;
  again = 0;
  busy = 0;
  lines = [];
  const take = (revocations: readonly SharedRevocation[]): void => {
    appended.push(...revocations);
    if (isEchoing) for (const one of revocations) receiver.received(one, 0);
  };
  const say = (message: string): void => void lines.push(message);
  const revocationChannel: RevocationChannel = {
    check: () => undefined,
    connect: (_, to) => {
      receiver = to;
      return {
        append: async (revocations) => {
          tries += 1;
          if (failing !== undefined) throw new Error(failing);
          take(revocations);
        },
        appendAgain: async (revocations) => {
          again += 1;
          if (again <= busy) return false;
          take(revocations);
          return true;
        },
        close: async () => undefined,
      };
    },
  };
  held = new HeldDenials(OPTIONS, clock, { warn: () => undefined });
  rechecks = new Rechecks(10_000, clock);
  doubted = 0;
  const log = { log: say, error: say };
  const listener = {
    interrupt: () => void (doubted += 1),
    prove: (period: ReceivedPeriod) => void proofs.push(period),
  };
  proofs = [];
  sharing = new RevocationSharing(held, rechecks, { ...OPTIONS, revocationChannel }, clock, log, listener);
  void sharing.start(1000);
});

const received = (): [recheck: unknown, secondsAgo: number][] => {
  const all: [unknown, number][] = [];
  rechecks.onRequired((recheck, at) => void all.push([recheck, clock.epochSeconds() - at]));
  return all;
};

const denied = (): unknown[] => appended.flatMap((one) => (one.kind === 'denial' ? [one.denial.key] : []));
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(2);
}

describe('RevocationSharing', () => {
  it('is ready only after the whole channel has been read', async () => {
    expect(sharing.status).toMatchObject({ state: 'reading', isReady: false, unshared: 0, isTaking: true });
    receiver.lost('econnrefused');
    expect(sharing.status).toMatchObject({ state: 'lost', isReady: false });
    receiver.caughtUp();
    expect(sharing.status).toMatchObject({ state: 'caught_up', isReady: true });
    receiver.lost('econnrefused');
    expect(sharing.status).toMatchObject({ state: 'lost', isReady: true });
  });

  it('appends the denials that were made before and after the channel was ready', async () => {
    held.deny({ sid: 'before' });
    await sleep(10);
    expect(appended).toEqual([]);
    receiver.caughtUp();
    await until(() => appended.length === 1);
    held.deny({ sid: 'after' });
    await until(() => appended.length === 2);
    expect(denied()).toEqual(['before', 'after']);
    expect(sharing.status.unshared).toBe(0);
  });

  it('retries an append until the append succeeds, and logs the failure once', async () => {
    receiver.caughtUp();
    failing = 'oom';
    held.deny({ sid: 's1' });
    rechecks.require({ sub: 'alice' });
    await until(() => tries >= 3);
    expect([appended, sharing.status.unshared, sharing.status.isTaking]).toEqual([[], 1, false]);
    failing = undefined;
    await until(() => sharing.status.unshared === 0);
    expect(appended).toHaveLength(2);
    expect(lines).toEqual([expect.stringContaining("can't be shared"), 'Denials are shared again']);
  });

  it('does not append entries that it received from the channel', async () => {
    receiver.caughtUp();
    receiver.received(session('s1', clock.epochSeconds()), 0);
    receiver.received({ kind: 'recheck', recheck: { sub: 'alice' }, at: clock.epochSeconds(), id: 'r1' }, 0);
    receiver.received({ kind: 'floor', at: clock.epochSeconds() - 100 }, 0);
    await sleep(10);
    expect(appended).toEqual([]);
    expect(held.denies(testAccessToken({ claims: { sid: 's1' } }))).toBe(true);
    expect(rechecks.areDue({ sub: 'alice' }, clock.monotonicMs())).toBe(true);
  });

  it('appends its own denials again after a gap, except denials that the channel still has', async () => {
    receiver.caughtUp();
    held.deny({ sid: 's1' });
    held.deny({ sid: 's2' });
    await until(() => appended.length === 2);
    const [first] = appended;
    appended.length = 0;
    busy = 3;
    receiver.gap('another_epoch');
    if (first !== undefined) receiver.received(first, 0);
    receiver.caughtUp();
    await until(() => sharing.status.unshared === 0);
    expect(denied()).toEqual(['s2']);
    expect(again).toBe(4);
  });

  it('counts the retention time of a received denial from its creation or its arrival, whichever is earlier', () => {
    const at = clock.epochSeconds();
    receiver.received(session('young', at), 0);
    receiver.received(session('old by the channel', at), 990);
    receiver.received(session('old by our clock', at - 990), 0);
    receiver.received(session('over', at - 1001), 0);
    receiver.received(session('of the future', at + 30), 0);
    const refused = (): boolean[] =>
      ['young', 'old by the channel', 'old by our clock', 'over', 'of the future'].map((sid) =>
        held.denies(testAccessToken({ claims: { sid, iat: at - 60 } })),
      );
    expect(refused()).toEqual([true, true, true, false, true]);
    clock.advance(11);
    expect(refused()).toEqual([true, false, false, false, true]);
    clock.advance(990);
    expect(refused()).toEqual([false, false, false, false, false]);
  });

  it('keeps and appends a denial even if a weaker denial arrives later', async () => {
    held.deny({ sub: 'alice', issuedBefore: clock.epochSeconds() + 100 });
    const weaker: SharedRevocation = {
      kind: 'denial',
      denial: { kind: 'subject', key: 'alice', issuedBefore: 1 },
      at: clock.epochSeconds(),
    };
    receiver.received(weaker, 0);
    expect(held.denies(testAccessToken({ subject: 'alice', claims: { iat: clock.epochSeconds() } }))).toBe(true);
    receiver.caughtUp();
    await until(() => appended.length > 0);
    expect(appended).toMatchObject([{ denial: { key: 'alice', issuedBefore: clock.epochSeconds() + 100 } }]);
  });

  it('ignores a recheck that is older than the maximum age of a cached result', () => {
    receiver.received({ kind: 'recheck', recheck: 'everything', at: clock.epochSeconds() - 100, id: 'r1' }, 0);
    expect(rechecks.latestMs).toBe(-Infinity);
  });

  it('accepts tokens that are issued after the arrival of a floor with a future time', () => {
    receiver.received({ kind: 'floor', at: clock.epochSeconds() + 1e6 }, 0);
    const later = testAccessToken({ claims: { iat: clock.epochSeconds() + 6 } });
    expect(held.denies(later)).toBe(false);
  });

  it('appends its recent rechecks again after a gap', async () => {
    const about = (): unknown[] => appended.map((one) => one.kind === 'recheck' && one.recheck);
    receiver.caughtUp();
    rechecks.require({ sub: 'old' });
    await until(() => appended.length === 1);
    clock.advance(1000);
    rechecks.require({ sub: 'alice' });
    await until(() => appended.length === 2);
    receiver.gap('another_epoch');
    rechecks.require({ sub: 'bob' });
    receiver.caughtUp();
    await until(() => appended.length === 4);
    expect(about()).toEqual([{ sub: 'old' }, { sub: 'alice' }, { sub: 'alice' }, { sub: 'bob' }]);
    expect(appended[2]).toEqual(appended[1]);
    for (let number = 0; number < 1000; number += 1) rechecks.require({ sub: `user-${number}` });
    await until(() => appended.length >= 1003 || about().includes('everything'));
    appended = [];
    receiver.gap('another_epoch');
    receiver.caughtUp();
    await until(() => appended.length > 0);
    expect(about()).toContain('everything');
    expect(appended.length).toBeLessThan(10);
  });

  it('appends a recheck with its original time, even if this time is ahead of the local clock', async () => {
    receiver.caughtUp();
    const at = clock.epochSeconds() + 180;
    rechecks.require({ sub: 'alice' }, at);
    await until(() => appended.length > 0);
    expect(appended).toMatchObject([{ recheck: { sub: 'alice' }, at }]);
  });

  it('applies a local or received recheck only once, and appends no outdated recheck', async () => {
    let required = 0;
    rechecks.onRequired(() => {
      required += 1;
    });
    rechecks.require({ sub: 'old' });
    clock.advance(1000);
    receiver.caughtUp();
    rechecks.require({ sub: 'alice' });
    await until(() => appended.length > 0);
    const [own] = appended;
    expect(appended).toMatchObject([{ recheck: { sub: 'alice' } }]);
    if (own !== undefined) receiver.received(own, 0);
    receiver.received({ kind: 'recheck', recheck: { sub: 'bob' }, at: clock.epochSeconds(), id: 'theirs' }, 0);
    receiver.received({ kind: 'recheck', recheck: { sub: 'bob' }, at: clock.epochSeconds(), id: 'theirs' }, 0);
    expect(required).toBe(3);
  });

  it.each<[string, number, number, number]>([
    ['a new recheck', 0, 1, 1],
    ['a recheck that the channel accepted after an outage', 600, 1, 540],
    ['a recheck by a clock that is ahead', -600, 300, 300],
    ['an old recheck', 900, 900, 900],
  ])(
    'dates a recheck at its arrival in the channel, but at most a minute after its creation: %s',
    (_, madeAgo, takenAgo, at) => {
      const all = received();
      receiver.received(
        { kind: 'recheck', recheck: { sub: 'bob' }, at: clock.epochSeconds() - madeAgo, id: 'theirs' },
        takenAgo,
      );
      expect(all).toEqual([[{ sub: 'bob' }, at]]);
    },
  );

  it.each<[string, number, boolean]>([
    ['a recheck 69 s ago', 69, true],
    ['a recheck 71 s ago', 71, false],
  ])(
    'drops cached results only after a recent recheck, but doubts signed tokens after any recheck: %s',
    (_, ago, due) => {
      const all = received();
      const askedAtMs = clock.monotonicMs();
      receiver.received(
        { kind: 'recheck', recheck: { sub: 'bob' }, at: clock.epochSeconds() - ago, id: 'theirs' },
        ago,
      );
      expect([rechecks.areDue({ sub: 'bob' }, askedAtMs), all.length]).toEqual([due, 1]);
    },
  );

  it.each<[string, unknown]>([
    ['another kind', { jti: 'j1' }],
    ['more than one name', { sub: 'alice', clientId: 'shop' }],
    ['a name that is too long', { sid: 'x'.repeat(1025) }],
    ['another form', ['sid', 's1']],
  ])('treats an unknown recheck of a later version as a recheck of everything: %s', (_, recheck) => {
    for (const ago of [0, 900]) {
      const all = received();
      const theirs = {
        kind: 'recheck',
        recheck,
        at: clock.epochSeconds() - ago,
        id: `later ${ago}`,
      } as SharedRevocation;
      for (let times = 0; times < 2; times += 1) receiver.received(theirs, ago);
      expect(all).toEqual([['everything', ago]]);
    }
  });

  it('requires introspection of all signature-verified tokens after a gap, but not after an outage', () => {
    receiver.caughtUp();
    receiver.lost('away');
    receiver.caughtUp();
    expect(doubted).toBe(0);
    receiver.gap('another_epoch');
    expect(doubted).toBe(1);
  });

  it('appends a floor (a time before which all issued tokens are refused) in place of dropped denials', async () => {
    receiver.caughtUp();
    held.deny({ sid: 'first' });
    clock.advance(10);
    for (let at = 0; at < 100; at += 1) held.deny({ sid: `s${at}` });
    const floors = (): number => appended.filter(({ kind }) => kind === 'floor').length;
    await until(() => sharing.status.unshared === 0 && floors() > 0);
    receiver.gap('another_epoch');
    const before = floors();
    receiver.caughtUp();
    await until(() => floors() > before && sharing.status.unshared === 0);
    expect(appended.find(({ kind }) => kind === 'floor')).toEqual({ kind: 'floor', at: clock.epochSeconds() - 10 });
  });

  it('appends its own denial even if it has received a copy that expires earlier (RS-30)', async () => {
    held.deny({ sid: 's1' });
    receiver.received(session('s1', clock.epochSeconds()), 990);
    receiver.caughtUp();
    await until(() => sharing.status.unshared === 0);
    expect(denied()).toEqual(['s1']);
    isEchoing = false;
    receiver.gap('another_epoch');
    receiver.received(session('s1', clock.epochSeconds()), 990);
    expect(sharing.status.unshared).toBe(1);
    receiver.received(session('s1', clock.epochSeconds()), 0);
    expect(sharing.status.unshared).toBe(0);
  });

  it('appends new denials before it repeats earlier appends', async () => {
    receiver.caughtUp();
    held.deny({ sid: 'old' });
    await until(() => sharing.status.unshared === 0);
    appended.length = 0;
    receiver.gap('another_epoch');
    busy = 2;
    receiver.caughtUp();
    held.deny({ sid: 'new' });
    await until(() => sharing.status.unshared === 0);
    expect(denied()).toEqual(['new', 'old']);
  });

  it('appends a denial again if the channel is lost before the denial was read back', async () => {
    receiver.caughtUp();
    isEchoing = false;
    held.deny({ sid: 's1' });
    await until(() => appended.length === 1);
    expect(sharing.status.unshared).toBe(1);
    receiver.lost('socketclosed');
    isEchoing = true;
    receiver.caughtUp();
    await until(() => sharing.status.unshared === 0);
    expect(denied()).toEqual(['s1', 's1']);
  });

  it('does not append a denial again before the channel is lost, even if the denial was not read back', async () => {
    receiver.caughtUp();
    isEchoing = false;
    held.deny({ sid: 's1' });
    await until(() => appended.length === 1 && held.unshared.toAppendSize === 0);
    receiver.caughtUp();
    expect(held.unshared.toAppendSize).toBe(0);
    receiver.lost('socketclosed');
    receiver.caughtUp();
    await until(() => appended.length === 2);
    expect(denied()).toEqual(['s1', 's1']);
  });

  it('counts its own entry as read even if the entry arrives before the append is acknowledged', async () => {
    receiver.caughtUp();
    held.deny({ sid: 's1' });
    rechecks.require({ sub: 'alice' });
    await until(() => appended.length === 2);
    await sleep(10);
    expect(sharing.hasReadAll).toBe(true);
  });

  it("does not change a floor that it reads again, even if the sender's clock is ahead", () => {
    const at = clock.epochSeconds() + 3600;
    const read = (ageSeconds: number): void => receiver.received({ kind: 'floor', at }, ageSeconds);
    read(0);
    clock.advance(100);
    read(100);
    expect(held.denies(testAccessToken({ claims: { iat: clock.epochSeconds() - 100 - 1 } }))).toBe(true);
    expect(held.denies(testAccessToken({ claims: { iat: clock.epochSeconds() - 90 } }))).toBe(false);
  });

  it('keeps its denials and its floor if the channel returns dropped denials while the list is full', () => {
    const all = Array.from({ length: 150 }, (_, at) => session(`s${at}`, clock.epochSeconds() + at));
    const readAll = (): void => {
      for (const one of all) receiver.received(one, clock.epochSeconds() - one.at);
    };
    clock.advance(200);
    readAll();
    const before = held.denies(testAccessToken({ claims: { sid: 'nobody', iat: all[60]?.at ?? 0 } }));
    for (let times = 0; times < 3; times += 1) readAll();
    expect([before, held.denies(testAccessToken({ claims: { sid: 'nobody', iat: all[60]?.at ?? 0 } }))]).toEqual([
      false,
      false,
    ]);
    expect(held.denies(testAccessToken({ claims: { sid: 's149' } }))).toBe(true);
    expect(held.denies(testAccessToken({ claims: { sid: 'nobody', iat: all[40]?.at ?? 0 } }))).toBe(true);
  });

  it('does not connect to the channel after the application was closed during its start', async () => {
    let connected = 0;
    const revocationChannel: RevocationChannel = {
      check: () => undefined,
      connect: () => {
        connected += 1;
        throw new Error('The application is closed');
      },
    };
    const say = (): void => undefined;
    const closed = new RevocationSharing(held, rechecks, { ...OPTIONS, revocationChannel }, clock, {
      log: say,
      error: say,
    });
    await closed.stop();
    await closed.start(1000);
    expect(connected).toBe(0);
  });
});
