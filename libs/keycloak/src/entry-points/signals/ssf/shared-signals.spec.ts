import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectedSource, type LoggedLine } from '../../../../spec-support/shared-signals-source.js';
import {
  CREDENTIAL_CHANGE,
  SESSION_REVOKED,
  SsfTransmitter,
  VERIFICATION,
} from '../../../../spec-support/ssf-transmitter.js';
import { StillClock } from '../../../../spec-support/still-clock.js';
import { AuthorizationServerError } from '../../../protocol/authorization-server-error.js';
import { SignalSourceError, type ConnectedSignalSource, type Signals } from '../signal-source.js';

const HEALTHY = { isWhole: true, isHealthy: true, healthyUntilAgoMs: 0, fault: undefined };

let clock: StillClock;
let transmitter: SsfTransmitter;
let source: ConnectedSignalSource;
let lines: LoggedLine[];

beforeEach(async () => {
  clock = new StillClock();
  lines = [];
  transmitter = await SsfTransmitter.start(clock);
  transmitter.makeStream();
  source = connectedSource(transmitter, { clock, lines });
});
afterEach(() => transmitter.stop());

const warnings = (): LoggedLine[] => lines.filter(({ level }) => level !== 'log');

const replica = (): ConnectedSignalSource => connectedSource(transmitter, { clock });

async function next(from = source, seconds = 1): Promise<Signals> {
  clock.advance(seconds);
  return from.poll(seconds * 1000);
}

async function polls(times: number, from = source): Promise<Signals[]> {
  const all: Signals[] = [];
  for (let time = 0; time < times; time += 1) all.push(await next(from));
  return all;
}

const reasonOf = async (polling: Promise<Signals>): Promise<string | undefined> =>
  polling.then(
    ({ fault }) => fault?.reason,
    (error: unknown) => {
      if (error instanceof SignalSourceError || error instanceof AuthorizationServerError) return error.reason;
      throw error;
    },
  );

describe('sharedSignals events', () => {
  it('returns one denial for each ended session or user, and one recheck for each uncertain event', async () => {
    transmitter.revoked('alice', 's1');
    transmitter.revoked('bob');
    transmitter.tell('https://schemas.openid.net/secevent/caep/event-type/token-claims-change', {
      format: 'iss_sub',
      iss: transmitter.issuer,
      sub: 'carol',
    });
    const told = transmitter.now;
    expect(await source.poll(0)).toEqual({
      denials: [{ sid: 's1' }, { sub: 'bob', issuedBefore: told + 1 }],
      rechecks: [{ sub: 'carol' }],
      occurredAtMs: told * 1000,
      ...HEALTHY,
    });
    transmitter.revoked('alice', 's2');
    expect(await next()).toMatchObject({ denials: [{ sid: 's2' }], rechecks: [], isWhole: true, isHealthy: false });
    expect(await next()).toMatchObject({ denials: [], rechecks: [], occurredAtMs: undefined });
  });

  it("denies tokens up to an event's issue time, even if the event is delivered again", async () => {
    const jti = randomUUID();
    const set = transmitter.token(
      { [SESSION_REVOKED]: { event_timestamp: transmitter.now + 900 } },
      transmitter.session('bob', 'ALL'),
      {},
      jti,
    );
    const issuedBefore = transmitter.now + 1;
    transmitter.deliver(set, jti);
    expect(await source.poll(0)).toMatchObject({ denials: [{ sub: 'bob', issuedBefore }] });
    clock.advance(3600);
    transmitter.acknowledge([jti]);
    expect(await source.poll(0)).toMatchObject({ denials: [] });
    transmitter.deliver(set, jti);
    expect(await next()).toMatchObject({ denials: [{ sub: 'bob', issuedBefore }] });
  });

  it('returns no denial for an event about a changed password', async () => {
    transmitter.tell(CREDENTIAL_CHANGE, { format: 'iss_sub', iss: transmitter.issuer, sub: 'alice' });
    expect(await source.poll(0)).toEqual({ denials: [], rechecks: [], occurredAtMs: undefined, ...HEALTHY });
    expect(warnings()).toEqual([]);
  });

  it('acknowledges an event 30 seconds after its arrival', async () => {
    const jti = transmitter.revoked('alice', 's1');
    await source.poll(0);
    await polls(29);
    expect(transmitter.pending).toContain(jti);
    await next();
    expect(transmitter.pending).not.toContain(jti);
    expect(transmitter.asked.some(({ body }) => 'setErrs' in body)).toBe(false);
  });

  it('returns every event to each of three replicas', async () => {
    const replicas = [source, replica(), replica()];
    const received = replicas.map(() => new Set<string>());
    const told: string[] = [];
    for (let second = 0; second < 90; second += 1) {
      if (second < 60) transmitter.revoked('alice', `s${second}`);
      if (second < 60) told.push(`s${second}`);
      clock.advance(1);
      for (const [which, one] of replicas.entries()) {
        if (second % (which + 1) !== 0) continue;
        const { denials, isWhole } = await one.poll(second === 0 ? 0 : (which + 1) * 1000);
        expect(isWhole).toBe(true);
        for (const denial of denials) if ('sid' in denial) received[which]?.add(denial.sid);
      }
    }
    expect(received.map((sids) => [...sids].toSorted())).toEqual([told, told, told].map((sids) => sids.toSorted()));
    expect(transmitter.pending.length).toBeLessThan(10);
  });

  it('reports a gap if it has not polled for more than 15 seconds', async () => {
    await source.poll(0);
    expect(await next(source, 15)).toMatchObject({ isWhole: true });
    expect(await next(source, 16)).toMatchObject({ isWhole: false });
  });

  it('returns every event of a flood of 10,000 events before it returns a proof', async () => {
    await source.poll(0);
    const sids = Array.from({ length: 10_000 }, (_, number) => `s${number}`);
    for (const sid of sids) transmitter.revoked('alice', sid);
    const received: string[] = [];
    const states: boolean[] = [];
    for (let poll = 0; poll < 900 && received.length < sids.length; poll += 1) {
      const { denials, isWhole, isHealthy, fault } = await next(source, 10);
      expect(fault).toBeUndefined();
      for (const denial of denials) if ('sid' in denial) received.push(denial.sid);
      states.push(isWhole || isHealthy);
    }
    expect(received).toEqual(sids);
    expect(states.slice(0, -1).some(Boolean)).toBe(false);
    const after = await polls(40);
    expect(after.some(({ isWhole, isHealthy }) => isWhole && isHealthy)).toBe(true);
  });

  it('does not acknowledge events in a trial poll of doctor', async () => {
    const jti = transmitter.revoked('alice', 's1');
    clock.advance(3600);
    const trial = connectedSource(transmitter, { clock, isTrial: true });
    expect((await trial.poll(0)).isHealthy).toBe(true);
    await polls(3, trial);
    expect(transmitter.pending).toContain(jti);
  });

  it('reports a gap until it has read a backlog of events', async () => {
    for (let number = 0; number < 3000; number += 1) transmitter.revoked('alice', `s${number}`);
    clock.advance(3600);
    const all = [await source.poll(0), ...(await polls(4))];
    expect(all.flatMap(({ denials }) => denials)).toHaveLength(3000);
    expect(all.map(({ isWhole }) => isWhole)).toEqual([false, false, false, true, true]);
  });

  it('reads the events page by page if the transmitter limits the page size', async () => {
    transmitter.maxPage = 7;
    for (let number = 0; number < 7; number += 1) transmitter.revoked('alice', `s${number}`);
    const first = await source.poll(0);
    expect([first.denials.length, first.isWhole, first.isHealthy]).toEqual([7, false, false]);
    await polls(29);
    expect(await next()).toMatchObject({ isHealthy: true });
  });

  it('returns no proof from a cut-off page, even if the page contains a verification', async () => {
    transmitter.verify();
    for (let number = 0; number < 7; number += 1) transmitter.revoked('alice', `s${number}`);
    transmitter.maxPage = 7;
    expect(await source.poll(0)).toMatchObject({ isWhole: false, isHealthy: false, fault: undefined });
  });

  it('reports a gap if another receiver acknowledges events immediately', async () => {
    await source.poll(0);
    transmitter.revoked('alice', 's1');
    await next();
    transmitter.acknowledge(transmitter.pending);
    const all = await polls(4);
    expect(all.map(({ isWhole, fault }) => [isWhole, fault?.reason])).toEqual([
      [true, undefined],
      [true, undefined],
      [true, undefined],
      [false, 'acknowledged_by_others'],
    ]);
    expect(all.some(({ isHealthy }) => isHealthy)).toBe(false);
    expect(await next()).toMatchObject({ isWhole: false, fault: undefined });
    expect((await polls(6)).some(({ isWhole, isHealthy }) => isWhole && isHealthy)).toBe(true);
  });

  it("reports no gap for events that another replica received before this replica's start", async () => {
    transmitter.revoked('alice', 's1');
    const other = replica();
    await other.poll(0);
    await polls(25, other);
    expect(await source.poll(0)).toMatchObject({ denials: [{ sid: 's1' }] });
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1);
      await other.poll(1000);
      expect(await source.poll(1000)).toMatchObject({ isWhole: true, fault: undefined });
    }
  });

  it('returns no proof while the poll of another replica holds events', async () => {
    await source.poll(0);
    await polls(8);
    transmitter.revoked('alice', 's1');
    transmitter.hold(1);
    expect(await next()).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true });
    await polls(5);
    transmitter.revoked('alice', 's2');
    transmitter.hold(3);
    expect(await next()).toMatchObject({ denials: [], isWhole: true, isHealthy: false, fault: undefined });
    expect(await next()).toMatchObject({ denials: [{ sid: 's2' }], ...HEALTHY, healthyUntilAgoMs: 1000 });
  });
});

describe('sharedSignals proofs', () => {
  it('requests a verification every five seconds, and returns a proof', async () => {
    const healthy: boolean[] = [];
    for (let second = 0; second < 11; second += 1) {
      healthy.push((await source.poll(second === 0 ? 0 : 1000)).isHealthy);
      clock.advance(1);
    }
    expect(healthy.flatMap((is, second) => (is ? second : []))).toEqual([0, 5, 10]);
    expect(transmitter.count('/feeds/check')).toBe(3);
  });

  it('proves the time before the verification request, even if the verification arrives late', async () => {
    transmitter.verifiesLate = true;
    expect(await source.poll(0)).toMatchObject({ isHealthy: false, fault: undefined });
    expect(await next()).toMatchObject({ isHealthy: false, fault: undefined });
    clock.advance(1);
    transmitter.releaseLate();
    expect(await source.poll(1000)).toMatchObject({ ...HEALTHY, healthyUntilAgoMs: 2000 });
  });

  it("accepts another replica's verification as a proof for the time before the verification", async () => {
    const other = replica();
    await other.poll(0);
    expect(await source.poll(0)).toMatchObject({ ...HEALTHY, healthyUntilAgoMs: 2000 });
    expect(transmitter.count('/feeds/check')).toBe(2);
    for (let second = 0; second < 20; second += 1) {
      await next(other);
      await source.poll(1000);
    }
    expect(transmitter.count('/feeds/check')).toBeLessThan(10);
  });

  it.each<[string, () => void]>([
    [
      'was issued long ago',
      () =>
        transmitter.tell(
          VERIFICATION,
          { format: 'opaque', id: 'f81d' },
          { claims: { iat: transmitter.now - 20 } },
          { state: 'old' },
        ),
    ],
    ['is of another stream', () => transmitter.tell(VERIFICATION, { format: 'opaque', id: 'other' }, {}, {})],
  ])('does not accept a verification that %s', async (_, tell) => {
    transmitter.verifiesLate = true;
    tell();
    expect(await source.poll(0)).toMatchObject({ isHealthy: false });
  });

  it.each<[string, () => void]>([
    ['no verification arrives', () => (transmitter.verifiesLate = true)],
    [
      'every verification request fails',
      () => (transmitter.instead = ({ path }) => (path === '/feeds/check' ? { status: 503 } : undefined)),
    ],
  ])('returns no proof if %s, but still returns events', async (_, prepare) => {
    await source.poll(0);
    prepare();
    clock.advance(4);
    const all = await polls(7);
    transmitter.revoked('alice', 's1');
    all.push(await next());
    expect(all.map(({ fault }) => fault?.reason)).toEqual([
      ...Array<undefined>(5),
      ...Array<string>(3).fill('verification_not_seen'),
    ]);
    expect(all.at(-1)).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: false });
    transmitter.verifiesLate = false;
    transmitter.instead = () => undefined;
    transmitter.releaseLate();
    expect(await next()).toMatchObject({ isWhole: false, fault: undefined });
    const later = await polls(8);
    expect(later.some(({ isHealthy, isWhole }) => isHealthy && isWhole)).toBe(true);
  });

  it('returns events even if a verification request hangs', async () => {
    source = connectedSource(transmitter, { clock, timeoutMs: 200 });
    transmitter.instead = ({ path }) => (path === '/feeds/check' ? 'hang' : undefined);
    transmitter.revoked('alice', 's1');
    expect(await source.poll(0)).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: false });
    clock.advance(0.5);
    await source.poll(500);
    expect(transmitter.count('/feeds/check')).toBe(1);
    clock.advance(0.5);
    await source.poll(500);
    expect(transmitter.count('/feeds/check')).toBe(2);
  });

  it('returns no proof while the answers to its polls are empty', async () => {
    transmitter.instead = ({ path }) => (path === '/deliveries/f81d' ? { status: 200, body: '{}' } : undefined);
    expect(await source.poll(0)).toMatchObject({ denials: [], isHealthy: false });
    await polls(5);
    expect(await reasonOf(next())).toBe('verification_not_seen');
  });

  it('requests only as many verifications as the stream allows, and warns if the limit is too low', async () => {
    transmitter.minVerificationSeconds = 30;
    transmitter.makeStream();
    await source.poll(0);
    await polls(40);
    expect(transmitter.count('/feeds/check')).toBe(2);
    expect(warnings()).toMatchObject([{ level: 'warn', fields: { seconds: 30 } }]);
  });

  it('returns no proof while the status of the stream is unknown', async () => {
    await source.poll(0);
    transmitter.instead = ({ path }) => (path.startsWith('/feeds/state') ? { status: 503 } : undefined);
    transmitter.revoked('alice', 's1');
    expect(await next(source, 5)).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: false, fault: undefined });
    transmitter.instead = () => undefined;
    expect(await next()).toMatchObject({ ...HEALTHY, healthyUntilAgoMs: 1000 });
  });

  it('reports verification_not_seen even if old verifications keep arriving', async () => {
    transmitter.verifiesLate = true;
    const all: Signals[] = [];
    for (let second = 0; second < 7; second += 1) {
      const stream = { format: 'opaque', id: 'f81d' };
      transmitter.tell(VERIFICATION, stream, { claims: { iat: transmitter.now - 20 } }, {});
      all.push(await next());
    }
    expect(all.at(-1)?.fault?.reason).toBe('verification_not_seen');
  });

  it.each([3600, -3600])('uses the time of a transmitter whose clock is %i seconds ahead', async (aheadSeconds) => {
    transmitter.aheadSeconds = aheadSeconds;
    await replica().poll(0);
    expect(await source.poll(0)).toMatchObject({ ...HEALTHY, healthyUntilAgoMs: 2000 });
  });
});

describe('sharedSignals streams', () => {
  it('finds the stream, and reads the settings of the stream every minute', async () => {
    await source.poll(0);
    await polls(59);
    const count = (): number[] => ['/tenants/7', '/feeds'].map((what) => transmitter.count(what));
    expect(count()).toEqual([1, 1]);
    await next();
    expect(count()).toEqual([2, 2]);
  });

  it('creates a stream if the client has no stream', async () => {
    transmitter.stream = undefined;
    expect(await source.poll(0)).toMatchObject(HEALTHY);
    expect(transmitter.stream).toMatchObject({ events_requested: [SESSION_REVOKED, CREDENTIAL_CHANGE] });
    expect(transmitter.scopes).toEqual(['ssf.read ssf.manage']);
  });

  it('uses the stream that another replica creates at the same time', async () => {
    transmitter.stream = undefined;
    transmitter.instead = ({ method, path }) => {
      if (method !== 'POST' || path !== '/feeds' || transmitter.stream !== undefined) return undefined;
      transmitter.makeStream();
      return undefined;
    };
    expect(await source.poll(0)).toMatchObject(HEALTHY);
  });

  it('accepts a single stream instead of a list', async () => {
    transmitter.instead = ({ method, path }) =>
      method === 'GET' && path === '/feeds' ? { status: 200, body: JSON.stringify(transmitter.stream) } : undefined;
    expect(await source.poll(0)).toMatchObject(HEALTHY);
  });

  it('requires the option streamId if the client has several streams', async () => {
    const pushed = {
      ...transmitter.stream,
      stream_id: 'p',
      delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'x' },
    };
    const second = { ...transmitter.stream, stream_id: 'second' };
    const answers = (all: readonly unknown[]): void => {
      transmitter.instead = ({ method, path }) =>
        method === 'GET' && path === '/feeds' ? { status: 200, body: JSON.stringify(all) } : undefined;
    };
    answers([pushed, transmitter.stream]);
    expect(await source.poll(0)).toMatchObject(HEALTHY);
    answers([pushed, second, transmitter.stream]);
    expect(await reasonOf(replica().poll(0))).toBe('stream_ambiguous');
    const { configurationUrl } = transmitter;
    const named = (streamId: string) => connectedSource(transmitter, { clock }, { configurationUrl, streamId });
    expect(await named('f81d').poll(0)).toMatchObject({ fault: undefined });
    expect(await reasonOf(named('third').poll(0))).toBe('stream_missing');
    answers([pushed]);
    expect(await reasonOf(replica().poll(0))).toBe('stream_missing');
  });

  it.each<[string, () => void, string]>([
    ['that is paused', () => transmitter.setStatus('paused'), 'stream_paused'],
    ['that is disabled', () => transmitter.setStatus('disabled'), 'stream_disabled'],
    ['that is disabled without an event', () => (transmitter.status = 'disabled'), 'stream_disabled'],
  ])(
    'returns no proof with a stream %s, and reports a gap when the stream is enabled again',
    async (_, change, reason) => {
      await source.poll(0);
      change();
      const seen = [...(await polls(6))].map(({ isHealthy, fault }) => [isHealthy, fault?.reason]);
      expect(seen.at(-1)).toEqual([false, reason]);
      expect(seen.some(([isHealthy]) => isHealthy)).toBe(false);
      transmitter.status = 'enabled';
      expect(await next()).toMatchObject({ isWhole: false, fault: undefined });
      expect((await polls(6)).some(({ isWhole, isHealthy }) => isWhole && isHealthy)).toBe(true);
    },
  );

  it('reports a gap if an event says that the stream was disabled', async () => {
    await source.poll(0);
    transmitter.setStatus('disabled');
    transmitter.setStatus('enabled');
    expect(await next()).toMatchObject({ isWhole: false, fault: undefined });
    transmitter.setStatus('enabled');
    expect(await next()).toMatchObject({ isWhole: true, fault: undefined });
  });

  it('creates a deleted stream again, and reports a gap', async () => {
    await source.poll(0);
    await polls(6);
    transmitter.stream = undefined;
    transmitter.acknowledge(transmitter.pending);
    clock.advance(1);
    expect(await reasonOf(source.poll(1000))).toBe('stream_missing');
    expect(await next()).toMatchObject({ isWhole: false, fault: undefined });
    const later = await polls(6);
    expect(later.every(({ isWhole, fault }) => isWhole && fault === undefined)).toBe(true);
    expect(later.some(({ isHealthy }) => isHealthy)).toBe(true);
  });

  it.each<[string, object, string]>([
    ['that has no audience', { aud: undefined }, 'audience_missing'],
    ['that does not deliver session-revoked', { events_delivered: [CREDENTIAL_CHANGE] }, 'events_not_delivered'],
    ['that reports only chosen users', { default_subjects: 'NONE' }, 'subjects_not_all'],
  ])('returns no proof with a stream %s, and recovers once the settings are fixed', async (_, members, reason) => {
    transmitter.makeStream(members as Readonly<Record<string, unknown>>);
    const first = await source.poll(0);
    expect([first.isHealthy, first.fault?.reason]).toEqual([false, reason]);
    transmitter.makeStream();
    expect(await next()).toMatchObject({ isWhole: false, fault: undefined });
  });

  it('uses the default_subjects of the transmitter if the stream has none', async () => {
    transmitter.configuration = { default_subjects: 'NONE' };
    expect(await reasonOf(source.poll(0))).toBe('subjects_not_all');
    transmitter.makeStream({ default_subjects: 'ALL' });
    expect(await reasonOf(next())).toBeUndefined();
    transmitter.configuration = { default_subjects: undefined };
    expect(await reasonOf(replica().poll(0))).toBeUndefined();
  });

  it('requires the audience that the option `audience` names', async () => {
    const { configurationUrl } = transmitter;
    const of = (audience: string) => connectedSource(transmitter, { clock }, { configurationUrl, audience });
    expect(await reasonOf(of('https://receiver.example.com/mobile').poll(0))).toBeUndefined();
    const other = await of('https://other.example.com').poll(0);
    expect([other.fault?.reason, other.isWhole, other.isHealthy]).toEqual(['audience_missing', false, false]);
  });

  it("uses Keycloak's polling address if the stream's endpoint_url is not a URL", async () => {
    const places: string[] = [];
    transmitter.instead = ({ path }) => {
      if (path.endsWith('/poll')) places.push(path);
      return path.endsWith('/ssf/transmitter/streams')
        ? { status: 200, body: JSON.stringify([transmitter.stream]) }
        : undefined;
    };
    transmitter.makeStream({ stream_id: 'my stream', delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: 'poll' } });
    transmitter.configuration = { configuration_endpoint: `${transmitter.origin}/ssf/transmitter/streams` };
    await source.poll(0).catch(() => undefined);
    expect(places).toEqual(['/ssf/transmitter/receivers/receiver/streams/my%20stream/poll']);
    transmitter.configuration = {};
    expect(await reasonOf(replica().poll(0))).toBe('answered_unexpectedly');
  });
});

describe('sharedSignals transmitters', () => {
  it.each<[string, object, string]>([
    ['of another version', { spec_version: '2_0' }, 'answered_unexpectedly'],
    ['that names no version', { spec_version: undefined }, 'answered_unexpectedly'],
    ['of another issuer', { issuer: 'https://sso.example.com/tenants/7' }, 'answered_unexpectedly'],
    ['that only pushes events', { delivery_methods_supported: ['urn:ietf:rfc:8935'] }, 'ssf_not_offered'],
    ['without keys', { jwks_uri: undefined }, 'answered_unexpectedly'],
    ['that has no verification endpoint', { verification_endpoint: undefined }, 'answered_unexpectedly'],
    [
      'whose streams are on another origin',
      { configuration_endpoint: 'https://evil.example.com/feeds' },
      'answered_unexpectedly',
    ],
    ['whose keys are on another origin', { jwks_uri: 'https://evil.example.com/keys' }, 'answered_unexpectedly'],
  ])('rejects a transmitter %s without logging in', async (_, configuration, reason) => {
    transmitter.configuration = configuration as Readonly<Record<string, unknown>>;
    expect(await reasonOf(source.poll(0))).toBe(reason);
    expect(transmitter.logins).toBe(0);
  });

  it('rejects a stream with a polling address on another origin', async () => {
    transmitter.makeStream({
      delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: 'https://evil.example.com/poll' },
    });
    expect(await reasonOf(source.poll(0))).toBe('answered_unexpectedly');
  });

  it('calls the transmitter at its internal origin if the transmitter publishes public addresses', async () => {
    transmitter.publicOrigin = 'https://sso.example.com';
    transmitter.makeStream();
    transmitter.revoked('alice', 's1');
    expect(await replica().poll(0)).toMatchObject({ denials: [{ sid: 's1' }], ...HEALTHY });
  });

  it('reads the configuration below the issuer by default', async () => {
    expect(await reasonOf(connectedSource(transmitter, { clock }, {}).poll(0))).toBe('answered_unexpectedly');
    expect(transmitter.asked[0]?.path).toBe('/tenants/7/.well-known/ssf-configuration');
    transmitter.instead = () => ({ status: 404 });
    expect(await reasonOf(connectedSource(transmitter, { clock }, {}).poll(0))).toBe('ssf_not_offered');
  });

  it('rejects a disabled transmitter at the next read of its configuration', async () => {
    await source.poll(0);
    transmitter.instead = () => ({ status: 404 });
    clock.advance(60);
    expect(await reasonOf(source.poll(0))).toBe('ssf_not_offered');
  });

  it('does not request another token if a new token is refused', async () => {
    transmitter.instead = ({ path }) => (path === '/feeds' ? { status: 401 } : undefined);
    expect(await reasonOf(source.poll(0))).toBe('forbidden');
    expect(transmitter.logins).toBe(1);
  });

  it.each([401, 403])(
    'rejects the poll with forbidden if the transmitter answers %i, even after a new login',
    async (status) => {
      await source.poll(0);
      const before = transmitter.logins;
      transmitter.instead = () => ({ status });
      clock.advance(1);
      expect(await reasonOf(source.poll(1000))).toBe('forbidden');
      expect(transmitter.logins).toBe(before + 1);
      transmitter.instead = () => undefined;
      transmitter.revoked('alice', 's1');
      expect(await next()).toMatchObject({ denials: [{ sid: 's1' }], isWhole: false });
    },
  );

  it('repeats the request immediately with a new token if the old token was revoked', async () => {
    await source.poll(0);
    transmitter.endTokens();
    transmitter.revoked('alice', 's1');
    expect(await next()).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true });
    expect(transmitter.logins).toBe(2);
  });

  it('returns events even if the transmitter forbids this client to request verifications', async () => {
    transmitter.instead = ({ path }) => (path === '/feeds/check' ? { status: 401 } : undefined);
    transmitter.revoked('alice', 's1');
    const signals = await source.poll(0);
    expect([signals.denials, signals.isHealthy, signals.fault?.reason]).toEqual([[{ sid: 's1' }], false, 'forbidden']);
  });

  it('renews its token before the token expires', async () => {
    transmitter.tokenSeconds = 10;
    await source.poll(0);
    await polls(7);
    expect(transmitter.logins).toBe(1);
    await next();
    expect(transmitter.logins).toBe(2);
    expect(
      transmitter.asked
        .filter(({ path }) => path === '/keys')
        .every(({ authorization }) => authorization === undefined),
    ).toBe(true);
  });

  it('loses no event if the transmitter hangs for a while', async () => {
    source = connectedSource(transmitter, { clock, timeoutMs: 200 });
    await source.poll(0);
    transmitter.revoked('alice', 's1');
    transmitter.instead = ({ path }) => (path === '/deliveries/f81d' ? 'hang' : undefined);
    clock.advance(1);
    expect(await reasonOf(source.poll(1000))).toBe('timeout');
    transmitter.instead = () => undefined;
    expect(await next()).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true });
  });

  it.each<[string, string, { status: number; body?: string; type?: string }, string]>([
    ['500 to a poll', '/deliveries/f81d', { status: 500 }, 'answered_500_unexpected_status'],
    ['400 to a poll', '/deliveries/f81d', { status: 400 }, 'answered_unexpectedly'],
    ['HTML to a poll', '/deliveries/f81d', { status: 200, body: '<html>', type: 'text/html' }, 'answered_unexpectedly'],
    ['a list to a poll', '/deliveries/f81d', { status: 200, body: '[]' }, 'answered_unexpectedly'],
    ['a poll with a list of tokens', '/deliveries/f81d', { status: 200, body: '{"sets":[]}' }, 'answered_unexpectedly'],
    [
      'a poll with a too long jti',
      '/deliveries/f81d',
      { status: 200, body: JSON.stringify({ sets: { ['x'.repeat(1025)]: 'x' } }) },
      'answered_unexpectedly',
    ],
    [
      'a poll with one jti twice',
      '/deliveries/f81d',
      { status: 200, body: '{"sets":{"a":"1","a":"2"}}' },
      'answer_not_strict_json',
    ],
  ])('recovers from a transmitter that answers %s', async (_, path, instead, reason) => {
    await source.poll(0);
    transmitter.revoked('alice', 's1');
    transmitter.instead = (asked) => (asked.path === path ? instead : undefined);
    clock.advance(1);
    expect(await reasonOf(source.poll(1000))).toBe(reason);
    transmitter.instead = () => undefined;
    expect(await next()).toMatchObject({ denials: [{ sid: 's1' }] });
  });

  it('reports answered_unexpectedly if the transmitter has no status for the stream', async () => {
    transmitter.instead = ({ path }) => (path.startsWith('/feeds/state') ? { status: 500 } : undefined);
    expect(await reasonOf(source.poll(0))).toBe('answered_unexpectedly');
  });

  it('returns events but no proof while the configuration cannot be read', async () => {
    await source.poll(0);
    transmitter.instead = ({ path }) => (path.includes('ssf-configuration') ? { status: 503 } : undefined);
    transmitter.revoked('alice', 's1');
    clock.advance(60);
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: false, fault: undefined });
    transmitter.instead = () => undefined;
    expect(await next()).toMatchObject({ ...HEALTHY, healthyUntilAgoMs: 1000 });
  });

  it('requests smaller pages if an answer is too large', async () => {
    await source.poll(0);
    const large = 'x'.repeat(3000);
    for (let number = 0; number < 700; number += 1)
      transmitter.revoked('alice', `s${number}`, { claims: { txn: large } });
    const all = await polls(31);
    expect(all[0]).toMatchObject({ isWhole: false, isHealthy: false });
    const numbers = new Set(
      (await polls(120)).concat(all).flatMap(({ denials }) => denials.map((denial) => JSON.stringify(denial))),
    );
    expect(numbers.size).toBe(700);
  });

  it("reports a gap after an oversized answer, and returns the next answer's events", async () => {
    await source.poll(0);
    const body = JSON.stringify({ sets: { a: 'x'.repeat(1_100_000) } });
    transmitter.instead = ({ path }) => (path === '/deliveries/f81d' ? { status: 200, body } : undefined);
    expect(await next()).toMatchObject({ denials: [], isWhole: false, isHealthy: false });
    transmitter.instead = () => undefined;
    transmitter.revoked('alice', 's1');
    expect(await next()).toMatchObject({ denials: [{ sid: 's1' }] });
  });
});
