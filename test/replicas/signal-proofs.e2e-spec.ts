import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChannelRefusal } from 'nestjs-keycloak-s2s/extension';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { SealingKeys, valkeyRevocations, type ProofKeyOptions } from 'nestjs-keycloak-s2s/valkey';
import { proofKeyPair } from '../../libs/keycloak/spec-support/proof-keys.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { ProofKeys } from '../../libs/keycloak/src/entry-points/valkey/proof-keys.js';
import { ProofTexts } from '../../libs/keycloak/src/entry-points/valkey/proof-text.js';
import { RevocationEntries } from '../../libs/keycloak/src/entry-points/valkey/revocation-entries.js';
import { RevocationStream } from '../../libs/keycloak/src/entry-points/valkey/revocation-stream.js';
import { ValkeyConnection } from '../../libs/keycloak/src/entry-points/valkey/valkey-connection.js';
import { revocationKeys } from '../../libs/keycloak/src/entry-points/valkey/revocation-keys.js';
import { composeKeycloak, type ComposedKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { SignalFeed } from '../../libs/keycloak/src/entry-points/signals/signal-feed.js';
import type { Signals, SignalSource } from '../../libs/keycloak/src/entry-points/signals/signal-source.js';
import { until } from '../support/until.js';

const KEY = randomBytes(32).toString('base64');
const { privateKey, publicKeys } = proofKeyPair();
const QUIET: Signals = { denials: [], rechecks: [], isWhole: true, isHealthy: true };
const POLL_MS = 50;

interface Replica {
  readonly keycloak: ComposedKeycloak;
  readonly lines: string[];
  readonly feed: SignalFeed | undefined;
  readonly isHealthy: () => boolean;
  readonly refuses: (sid: string) => boolean;
  readonly end: (isKilled?: boolean) => Promise<void>;
}

let valkey: Valkey;
let replicas: Replica[];

let says: () => Promise<Signals> | Signals;
let asked: { readonly by: string; readonly sinceMs: number }[];

async function replica(
  name: string,
  isListening: boolean,
  {
    keys = [KEY],
    url = valkey.urlOf(isListening ? 'signal-poller' : 'service-b'),
    proofs = isListening ? { privateKey } : { publicKeys },
  }: { keys?: string[]; url?: string; proofs?: ProofKeyOptions } = {},
): Promise<Replica> {
  const lines: string[] = [];
  const say = (message: string): void => void lines.push(message);
  const keycloak = composeKeycloak(
    {
      issuer: 'https://sso.example.com/realms/shop',
      clientId: name,
      clientSecret: 'hush',
      allowInsecureRequests: true,
      introspectionTtlWithEventsSeconds: 300,
      revocationChannel: valkeyRevocations({ url, keys, proofs }),
    },
    { loggers: () => ({ log: say, warn: say, error: say }) },
  );
  const [sharing] = keycloak.sharing;
  await sharing?.start(10_000);
  const source: SignalSource = {
    name: 'events',
    connect: () => ({
      poll: async (sinceMs) => {
        asked.push({ by: name, sinceMs });
        return says();
      },
    }),
  };
  const feed = isListening
    ? new SignalFeed(keycloak.issuers[0], keycloak.revocations, { sources: [source], pollMs: POLL_MS })
    : undefined;
  feed?.start();
  let hasEnded = false;
  const made: Replica = {
    keycloak,
    lines,
    feed,
    isHealthy: () => keycloak.status.read().signals.state === 'healthy',
    refuses: (sid) => keycloak.revocations.denies(testAccessToken({ claims: { sid } })),
    end: async (isKilled = false) => {
      if (hasEnded) return;
      hasEnded = true;
      if (isKilled) keycloak.issuers[0].feed.release = async () => undefined;
      await feed?.stop();
      await sharing?.stop();
    },
  };
  replicas.push(made);
  return made;
}

const latest = ({ keycloak }: Replica): number => keycloak.issuers[0].signals.latestMs;
async function untilNextProof(one: Replica): Promise<void> {
  const nowMs = performance.now();
  await until(() => latest(one) > nowMs, 'there is a new proof');
}

const command = (...args: readonly string[]): Promise<unknown> => valkey.command(args);
const nameOf = async (ending: string): Promise<string> =>
  ((await command('KEYS', '*')) as string[]).find((name) => name.endsWith(ending)) ?? '';

const REPLACE_SEALED = `
local entry = redis.call('XRANGE', KEYS[1], '-', '+')[1]
local fields = entry[2]
fields[2] = 'AAAA'
redis.call('DEL', KEYS[1])
return redis.call('XADD', KEYS[1], entry[1], unpack(fields))`;

const MAKE_OLDER = `
local entry = redis.call('XRANGE', KEYS[1], '-', '+')[1]
local fields = entry[2]
fields[4] = string.format('%d', tonumber(fields[4]) - 400000)
redis.call('DEL', KEYS[1])
return redis.call('XADD', KEYS[1], entry[1], unpack(fields))`;

/** Replaces the first entry by an entry that a service with the denial keys could forge. */
const REPLACE_BY_OWN = `
local entry = redis.call('XRANGE', KEYS[1], '-', '+')[1]
local fields = entry[2]
fields[2] = ARGV[1]
redis.call('DEL', KEYS[1])
return redis.call('XADD', KEYS[1], entry[1], unpack(fields))`;

const INSERT_BEFORE = `
local all = redis.call('XRANGE', KEYS[1], '-', '+')
local last = tonumber(redis.call('HGET', KEYS[2], 'last'))
local newest = all[#all]
if not newest or newest[1] ~= string.format('%d-0', last) or newest[2][2] ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
for at = 1, #all - 1 do redis.call('XADD', KEYS[1], all[at][1], unpack(all[at][2])) end
local f = newest[2]
redis.call('XADD', KEYS[1], newest[1], 'e', ARGV[2], 't', f[4], 'm', f[6], 'i', 'inserted', 'p', f[10])
redis.call('XADD', KEYS[1], string.format('%d-0', last + 1), 'e', f[2], 't', f[4], 'm', f[6], 'i', f[8], 'p', 'inserted')
redis.call('HSET', KEYS[2], 'last', last + 1)
return 1`;

const STREAM_OF = 'https://sso.example.com/realms/shop';

function forger(signing = proofKeyPair()): ProofTexts {
  const identity = { issuer: STREAM_OF, stream: revocationKeys(STREAM_OF).stream };
  return new ProofTexts(new SealingKeys([KEY]), new ProofKeys('spec', signing), identity);
}

interface HeldWay {
  readonly url: string;
  hold(): void;
  sendOnly(): void;
  release(): void;
  end(): Promise<void>;
}

async function heldWay(): Promise<HeldWay> {
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const server = createServer((from) => {
    clients.add(from);
    const to = connect(Number(new URL(valkey.url).port), '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    hold: () => sockets.forEach((one) => one.pause()),
    sendOnly: () => sockets.forEach((one) => clients.has(one) && one.resume()),
    release: () => sockets.forEach((one) => one.resume()),
    end: async () => {
      sockets.forEach((one) => one.destroy());
      server.close();
    },
  };
}

(valkeyPath === undefined ? describe.skip : describe)('the replica that polls for all replicas', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(() => valkey.remove());
  beforeEach(async () => {
    [replicas, asked, says] = [[], [], () => QUIET];
    await command('FLUSHALL');
  });
  afterEach(async () => {
    valkey.thaw();
    await Promise.all(replicas.map((one) => one.end()));
  });

  it('sends proofs to a replica that does not poll', async () => {
    const reader = await replica('shop', false);
    expect(reader.keycloak.status.read().signals.state).toBe('none');
    await replica('poller', true);
    await until(reader.isHealthy);
  });

  it('leaves no gap if it is killed and another poller follows', async () => {
    const reader = await replica('shop', false);
    const [one, other] = [await replica('one', true), await replica('other', true)];
    await until(reader.isHealthy);
    const [first] = asked;
    const [leads, waits] = first?.by === 'one' ? [one, other] : [other, one];
    await until(() => waits.isHealthy());
    expect(new Set(asked.map(({ by }) => by)).size).toBe(1);
    let gaps = 0;
    reader.keycloak.issuers[0].signals.onGap(() => void (gaps += 1));
    const endedMs = performance.now();
    await leads.end(true);
    await until(() => asked.some(({ by }) => by !== first?.by), 'the other listens');
    const tookOver = asked.find(({ by }) => by !== first?.by);
    // The first poll of the new poller begins before the last proof of the old poller.
    expect(tookOver?.sinceMs).toBeGreaterThan(performance.now() - endedMs - 100);
    await untilNextProof(reader);
    expect(waits.lines).toContain('This replica polls for revocations');
    expect(gaps).toBe(0);
  });

  it('lets another replica poll immediately after a shutdown', async () => {
    const [one, other] = [await replica('one', true), await replica('other', true)];
    await until(one.isHealthy);
    const lease = await nameOf(':lease');
    await one.end();
    expect(String(await command('GET', lease))).not.toBe('');
    await until(() => asked.some(({ by }) => by === 'other'));
    await untilNextProof(other);
  });

  it('sends a proof only after the other replicas can read the received denials', async () => {
    const [reader, poller] = [await replica('shop', false), await replica('poller', true)];
    await until(reader.isHealthy);
    let count = 0;
    says = () => ({ ...QUIET, denials: [{ sid: `s${(count += 1)}` }] });
    const missing: string[] = [];
    const { signals } = reader.keycloak.issuers[0];
    const prove = signals.prove.bind(signals);
    signals.prove = (period) => {
      // Expects only the denial of the previous poll, because the newest poll may be incomplete.
      const said = `s${Math.max(0, count - 1)}`;
      if (said !== 's0' && !reader.refuses(said)) missing.push(said);
      prove(period);
    };
    await until(() => count > 40);
    says = () => QUIET;
    await until(() => reader.refuses(`s${count}`));
    expect(missing).toEqual([]);
    expect(poller.refuses('s1')).toBe(true);
  });

  it('notifies the other replicas of a gap between its polls', async () => {
    const reader = await replica('shop', false);
    await replica('poller', true);
    await until(reader.isHealthy);
    let gaps = 0;
    reader.keycloak.issuers[0].signals.onGap(() => void (gaps += 1));
    await untilNextProof(reader);
    expect(gaps).toBe(0);
    let polls = 0;
    says = () => ({ ...QUIET, isWhole: (polls += 1) !== 1, isHealthy: polls !== 1 });
    await until(() => gaps === 1, 'it is notified of the gap');
    await untilNextProof(reader);
    expect(gaps).toBe(1);
  });

  it('cannot send a late proof after another replica has become the poller', async () => {
    const [reader, poller] = [await replica('shop', false), await replica('slow', true)];
    await until(reader.isHealthy);
    let release: (signals: Signals) => void = () => undefined;
    says = () => new Promise((resolve) => (release = resolve));
    const before = asked.length;
    await until(() => asked.length > before);
    const { proofs } = poller.keycloak.sharing[0] ?? {};
    if (typeof proofs !== 'object') throw new Error('There is no channel');
    const lease = await proofs.lease(3000);
    if (lease === undefined) throw new Error('It has no lease');
    const key = await nameOf(':lease');
    await command('SET', key, `${lease.fencing + 1}:another`, 'PX', '60000');
    const outcome = await proofs.prove(lease, { sinceMs: lease.grantedAtMs, untilMs: lease.grantedAtMs });
    expect(outcome).toBe('lease_lost');
    await sleep(1500);
    const latestMs = latest(reader);
    release(QUIET);
    await sleep(1500);
    // The reader recomputes a proof's time at each read, so the time varies slightly.
    expect(latest(reader)).toBeLessThan(latestMs + 50);
    expect(await proofs.lease(3000)).toBeUndefined();
  });

  it.each<[string, string, (poller: Replica) => void]>([
    [
      'the content of the entry was replaced',
      REPLACE_SEALED,
      ({ keycloak }) => keycloak.revocations.deny({ sid: 'bent' }),
    ],
    [
      'the time of the entry was changed to an earlier time',
      MAKE_OLDER,
      ({ keycloak }) => keycloak.revocations.recheck({ sub: 'alice' }),
    ],
  ])('sends proofs that a reader of a changed entry refuses until the entry is restored: %s', async (_, bend, say) => {
    const way = await heldWay();
    const [reader, poller] = [await replica('shop', false, { url: way.url }), await replica('poller', true)];
    await until(reader.isHealthy);
    let gaps = 0;
    reader.keycloak.issuers[0].signals.onGap(() => void (gaps += 1));
    const stream = (await nameOf(':revocations:state')).replace(/:state$/, '');
    way.hold();
    say(poller);
    await until(async () => Number(await command('XLEN', stream)) === 1);
    await command('EVAL', bend, '1', stream);
    way.release();
    await until(() => gaps > 0, 'it finds out');
    await until(() => reader.lines.some((line) => line.includes('has a gap')), 'it ends the epoch');
    await until(() => reader.refuses('bent') === poller.refuses('bent'), 'it has what was replaced');
    expect(poller.refuses('bent')).toBe(bend === REPLACE_SEALED);
    await untilNextProof(reader);
    await way.end();
  });

  it('sends a proof only after it has read all its own entries', async () => {
    const [reader, poller] = [await replica('shop', false), await replica('poller', true)];
    await until(reader.isHealthy);
    // Simulates a server that loses accepted entries before the poller reads them.
    const [sharing] = poller.keycloak.sharing;
    if (sharing === undefined) throw new Error('It shares nothing');
    const received = sharing.received.bind(sharing);
    sharing.received = () => undefined;
    poller.keycloak.revocations.deny({ sid: 'not-read' });
    await until(() => reader.refuses('not-read'));
    await sleep(1500);
    const latestMs = latest(reader);
    await sleep(1500);
    expect(latest(reader)).toBeLessThan(latestMs + 50);
    sharing.received = received;
    await command('FLUSHALL');
    await untilNextProof(reader);
  });

  it('sends proofs that are unreadable for a replica with other denial keys (OP-01)', async () => {
    const [stranger, reader] = [
      await replica('stranger', false, { keys: [randomBytes(32).toString('base64')] }),
      await replica('shop', false),
    ];
    const poller = await replica('poller', true);
    await until(reader.isHealthy);
    await poller.end();
    const key = await nameOf(':revocations:proof');
    const proof = String(await command('GET', key));
    expect(stranger.keycloak.status.read().signals).toEqual({ state: 'silent', reason: 'proof_unreadable' });
    expect(stranger.keycloak.status.read().revocationChannel).toMatchObject({ isReady: true, unreadable: 1 });
    const later = await replica('later stranger', false, { keys: [randomBytes(32).toString('base64')] });
    expect(later.keycloak.status.read().revocationChannel).toMatchObject({ isReady: false, unreadable: 1 });
    for (const bent of ['', 'x'.repeat(2000), 'AAAA', proof.slice(0, -8) + proof.slice(0, 8)]) {
      await command('SET', key, bent);
      const latestMs = latest(reader);
      await sleep(1200);
      expect(latest(reader)).toBeLessThan(latestMs + 50);
    }
  });

  it('cannot be imitated by a service that sends forged, replayed or changed proofs (RS-30)', async () => {
    const [reader, poller] = [await replica('shop', false), await replica('poller', true)];
    await until(reader.isHealthy);
    const key = revocationKeys(STREAM_OF).proof;
    const honest = new ProofTexts(new SealingKeys([KEY]), new ProofKeys('spec', { publicKeys }), {
      issuer: STREAM_OF,
      stream: revocationKeys(STREAM_OF).stream,
    });
    const old = String(await command('GET', key));
    await untilNextProof(reader);
    await poller.end();
    const sealed = String(await command('GET', key));
    const proof = honest.read(sealed);
    if (typeof proof === 'string') throw new Error(proof);
    const before = reader.keycloak.status.read().revocationChannel.refused;
    await sleep(1500);
    const latestMs = latest(reader);
    const later = { ...proof, period: { ...proof.period, untilMs: Date.now() } };
    const forged = forger().write(later);
    await command('SET', key, forged);
    const refused = (reason: ChannelRefusal): number =>
      reader.keycloak.status.read().revocationChannel.refused[reason] - before[reason];
    await until(() => refused('proof_unknown_signer') === 1, 'the forged proof is refused');
    expect(reader.keycloak.status.read().signals).toMatchObject({ reason: 'proof_unknown_signer' });
    await command('SET', key, old);
    await until(() => refused('proof_replayed') === 1, 'the old proof is refused');
    const keys = new SealingKeys([KEY]);
    const signed = JSON.parse(keys.open(sealed, ['revocation proof', STREAM_OF]) ?? '') as { d: string };
    const d = signed.d.replace(String(proof.period.untilMs), String(Date.now()));
    await command('SET', key, keys.seal(JSON.stringify({ ...signed, d }), ['revocation proof', STREAM_OF]));
    await until(() => refused('proof_unknown_signer') === 2, 'the changed proof is refused');
    expect(latest(reader)).toBeLessThan(latestMs + 50);
    expect(reader.lines.filter((line) => line.startsWith('Refused content of the revocation channel')).length).toBe(2);
  });

  it('does not extend the ttl of results that were cached before an entry was replaced (RS-30)', async () => {
    const way = await heldWay();
    const [reader, poller] = [await replica('shop', false, { url: way.url }), await replica('poller', true)];
    await until(reader.isHealthy);
    const { signals } = reader.keycloak.issuers[0];
    const askedAtMs = performance.now();
    await untilNextProof(reader);
    expect(signals.healthyUntilMs(askedAtMs)).toBeGreaterThan(askedAtMs);
    const { stream } = revocationKeys(STREAM_OF);
    way.hold();
    poller.keycloak.revocations.deny({ sid: 'stolen' });
    await until(async () => Number(await command('XLEN', stream)) === 1);
    await untilNextProof(poller);
    const entries = new RevocationEntries(new SealingKeys([KEY]), STREAM_OF);
    const harmless = { kind: 'denial', denial: { kind: 'session', key: 'nobody', issuedBefore: Infinity } } as const;
    const at = Date.now() / 1000;
    const replaced = performance.now();
    await command('EVAL', REPLACE_BY_OWN, '1', stream, entries.write({ ...harmless, at }, 60_000, Date.now()));
    way.release();
    await until(() => reader.keycloak.status.read().revocationChannel.refused.entries_replaced === 1);
    await until(() => reader.refuses('stolen'), 'the poller appends it again');
    expect(reader.refuses('nobody')).toBe(true);
    // The next proof does not cover results that were cached before the entry was replaced.
    await untilNextProof(reader);
    expect(signals.healthyUntilMs(askedAtMs)).toBeLessThan(replaced);
    await way.end();
  });

  it('sends no proof for the time before a new epoch (RS-30)', async () => {
    const first = await replica('first', true);
    await until(first.isHealthy);
    first.keycloak.revocations.recheck({ sub: 'alice' });
    const second = await replica('second', true);
    await until(second.isHealthy);
    await first.end();
    await sleep(500);
    await untilNextProof(second);
    const early = await replica('early', false);
    await until(early.isHealthy);
    const beforeMs = performance.now();
    expect(early.keycloak.issuers[0].signals.receivedSinceMs).toBeLessThan(beforeMs - 400);
    await untilNextProof(second);
    const { state } = revocationKeys(STREAM_OF);
    await command('HSET', state, 'epoch', 'abc');
    await until(() => second.lines.some((line) => line.includes('has a gap')), 'the poller sees it');
    await untilNextProof(second);
    const late = await replica('late', false);
    await until(late.isHealthy);
    expect(late.keycloak.issuers[0].signals.receivedSinceMs).toBeGreaterThan(beforeMs - 100);
  });

  it('makes replicas apply a recheck despite an earlier forgery with the same id (RS-30)', async () => {
    const [way, readersWay] = [await heldWay(), await heldWay()];
    const reader = await replica('shop', false, { url: readersWay.url });
    const poller = await replica('poller', true, { url: way.url });
    await until(reader.isHealthy);
    const { stream, state } = revocationKeys(STREAM_OF);
    const keys = new SealingKeys([KEY]);
    const { signals, rechecks } = reader.keycloak.issuers[0];
    const askedAtMs = performance.now();
    await untilNextProof(reader);
    expect(signals.healthyUntilMs(askedAtMs)).toBeGreaterThan(askedAtMs);
    [way, readersWay].forEach((one) => one.hold());
    poller.keycloak.revocations.recheck({ sub: 'alice' });
    way.sendOnly();
    await until(async () => Number(await command('XLEN', stream)) === 1);
    const [[, [, sealed = '']]] = (await command('XRANGE', stream, '-', '+')) as [[string, string[]]];
    const written = JSON.parse(keys.open(sealed, ['revocation', STREAM_OF]) ?? '') as object;
    const forged = keys.seal(JSON.stringify({ ...written, k: 'sid', v: 'nobody' }), ['revocation', STREAM_OF]);
    expect(await command('EVAL', INSERT_BEFORE, '2', stream, state, sealed, forged)).toBe(1);
    [way, readersWay].forEach((one) => one.release());
    await until(() => rechecks.areDue({ sub: 'alice' }, askedAtMs), 'the recheck is carried out');
    await until(() => poller.lines.some((line) => line.includes('has a gap')), 'the poller sees it');
    await untilNextProof(reader);
    await Promise.all([way.end(), readersWay.end()]);
  });

  it('appends its entries without a gap when a full Valkey server has space again (RS-30)', async () => {
    const [reader, poller] = [await replica('shop', false), await replica('poller', true)];
    await until(reader.isHealthy);
    await command('CONFIG', 'SET', 'maxmemory', '1');
    poller.keycloak.revocations.deny({ sid: 'late' });
    await until(() => poller.lines.some((line) => line.startsWith("Denials can't be shared")), 'the server is full');
    await command('CONFIG', 'SET', 'maxmemory', '0');
    await until(() => reader.refuses('late'), 'it is appended');
    await untilNextProof(reader);
    expect(poller.lines.filter((line) => line.includes('has a gap'))).toEqual([]);
  });

  it('sends proofs that a later replica accepts after an unreadable entry was removed (RS-30)', async () => {
    const poller = await replica('poller', true);
    await until(poller.isHealthy);
    const stream = new RevocationStream(STREAM_OF, 1000);
    const connection = await ValkeyConnection.open({ url: new URL(valkey.url) });
    await stream.append(connection, [{ sealed: 'AAAA', usefulMs: 1 }]);
    connection.close();
    const refused = (): number => poller.keycloak.status.read().revocationChannel.refused.entry_unreadable;
    await until(() => refused() === 1, 'the poller reads the entry');
    await untilNextProof(poller);
    poller.keycloak.revocations.deny({ sid: 'kept' });
    const late = await replica('late', false);
    await until(late.isHealthy, 'a late replica accepts proofs');
    expect(late.refuses('kept')).toBe(true);
  });

  it('sends proofs that a service without public keys refuses and reports (RS-30)', async () => {
    const reader = await replica('shop', false, { proofs: {} });
    expect(reader.keycloak.status.read().signals).toEqual({ state: 'silent', reason: 'no_public_key' });
    const poller = await replica('poller', true);
    await until(poller.isHealthy);
    await untilNextProof(poller);
    expect(reader.keycloak.status.read().signals).toEqual({ state: 'silent', reason: 'no_public_key' });
    expect(reader.lines.filter((line) => line.startsWith('Refused content'))).toHaveLength(1);
  });

  it('sends proofs again after Valkey has lost its data or has restarted', async () => {
    const [reader, poller] = [await replica('shop', false), await replica('poller', true)];
    await until(reader.isHealthy);
    await command('FLUSHALL');
    await untilNextProof(reader);
    poller.keycloak.revocations.deny({ sid: 'kept' });
    await until(() => reader.refuses('kept'));
    await valkey.kill();
    await until(() => asked.length > 0);
    const latestMs = latest(reader);
    await sleep(500);
    expect(latest(reader)).toBeLessThan(latestMs + 50);
    await valkey.start();
    await untilNextProof(reader);
  });
});
