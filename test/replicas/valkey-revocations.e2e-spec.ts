import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Denial } from 'nestjs-keycloak-s2s';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { valkeyRevocations } from 'nestjs-keycloak-s2s/valkey';
import { systemClock } from '../../libs/keycloak/src/caching/clock.js';
import { tokenHash } from '../../libs/keycloak/src/protocol/token-hash.js';
import { DoubtedTokens } from '../../libs/keycloak/src/revocation/doubted-tokens.js';
import { HeldDenials } from '../../libs/keycloak/src/revocation/held-denials.js';
import { Rechecks } from '../../libs/keycloak/src/revocation/rechecks.js';
import { RevocationSharing } from '../../libs/keycloak/src/revocation/revocation-sharing.js';
import type { ReceivedPeriod } from '../../libs/keycloak/src/revocation/signal-proof.js';
import { freePort } from 'keycloak-test-servers';
import { openssl, Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { until } from '../support/until.js';

const ISSUER = 'https://keycloak.test/realms/test';
const KEY = randomBytes(32).toString('base64');
const OTHER_KEY = randomBytes(32).toString('base64url');

const OPTIONS = {
  issuer: ISSUER,
  maxRevocations: 5000,
  revocationRetentionSeconds: 600,
  clockToleranceSeconds: 5,
  introspectionTtlSeconds: 10,
  allowInsecureRequests: true,
};

interface Replica {
  readonly list: HeldDenials;
  readonly rechecks: Rechecks;
  readonly doubts: DoubtedTokens;
  readonly sharing: RevocationSharing;
  readonly lines: string[];
  readonly proofs: ReceivedPeriod[];
  refuses(sid: string): boolean;
}

const stopped: (() => Promise<void>)[] = [];
let valkey: Valkey;

async function replica(
  bent: Partial<typeof OPTIONS> & { url?: string; keys?: string[]; ca?: string; waitMs?: number } = {},
): Promise<Replica> {
  const { url = valkey.urlOf('service-b'), keys = [KEY], ca, waitMs = 10_000, ...others } = bent;
  const [lines, proofs]: [string[], ReceivedPeriod[]] = [[], []];
  const say = (message: string, fields: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const options = {
    ...OPTIONS,
    ...others,
    revocationChannel: valkeyRevocations({ url, keys, ...(ca === undefined ? {} : { ca }) }),
  };
  const list = new HeldDenials(options, systemClock, { warn: say });
  const rechecks = new Rechecks(10_000, systemClock);
  const doubts = new DoubtedTokens(options, systemClock);
  rechecks.onRequired((recheck, at) => doubts.add(recheck, at));
  const sharing = new RevocationSharing(
    list,
    rechecks,
    options,
    systemClock,
    { log: say, error: say },
    {
      interrupt: () => doubts.doubtAll(),
      prove: (period) => void proofs.push(period),
    },
  );
  stopped.push(() => sharing.stop());
  await sharing.start(waitMs);
  return {
    list,
    rechecks,
    doubts,
    sharing,
    lines,
    proofs,
    refuses: (sid) => list.denies(testAccessToken({ claims: { sid } })),
  };
}

const refuse = (sid: string, ...replicas: readonly Replica[]): Promise<void> =>
  until(() => replicas.every((one) => one.refuses(sid)), `${sid} is refused`);

const says = ({ lines }: Replica, reason: string): Promise<void> =>
  until(() => lines.join('\n').includes(reason), `a log line has ${reason}`);

const isAt = (state: string, ...replicas: readonly Replica[]): Promise<void> =>
  until(() => replicas.every(({ sharing }) => sharing.status.state === state), `the state ${state}`);

const command = (...args: string[]): Promise<unknown> => valkey.command(args);

const streamKey = async (): Promise<string> => ((await command('KEYS', '*:revocations')) as string[])[0] ?? '';

const installed = valkeyPath === undefined ? describe.skip : describe;

installed('the sharing of denials over Valkey', () => {
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(() => valkey.remove());
  beforeEach(async () => {
    await command('FLUSHALL');
  });
  afterEach(async () => {
    await Promise.all(stopped.splice(0).map((stop) => stop()));
  });

  it('applies a denial at all replicas, and at a replica that starts later', async () => {
    const [one, two, three] = [await replica(), await replica(), await replica()];
    one.list.deny({ sid: 's1' });
    two.list.deny({ sub: 'alice', issuedBefore: Date.now() / 1000 + 1 });
    await refuse('s1', one, two, three);
    const alice = testAccessToken({ subject: 'alice' });
    await until(() => [one, two, three].every(({ list }) => list.denies(alice)), 'alice is refused');
    const late = await replica();
    expect([late.refuses('s1'), late.list.denies(alice), late.refuses('s2')]).toEqual([true, true, false]);
    expect(one.sharing.status).toMatchObject({ state: 'caught_up', isReady: true, unshared: 0, isTaking: true });
  });

  it.each<[string, Denial]>([
    ['a token', { tokenHash: 'ab'.repeat(32) }],
    ['a token with its jti', { tokenHash: 'ab'.repeat(32), jti: 'j 1' }],
    ['tokens of a subject until a time', { sub: 'alice', issuedBefore: 1_700_000_000.5 }],
    ['a session with a long name', { sid: '\u0001'.repeat(1024) }],
    ['a subject with a long name', { sub: '中'.repeat(1024), issuedBefore: 1 }],
    ['a session with a strange name', { sid: 'ü"\\\n' }],
  ])('does not change a denial of %s', async (_, denial) => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny(denial);
    await until(() => two.list.size === one.list.size, 'it came');
    one.list.markAllToRepeat();
    two.list.markAllToRepeat();
    const held = ({ list }: Replica) =>
      list.unshared.toRepeat(9).map(({ kind, key, issuedBefore }) => ({ kind, key, issuedBefore }));
    expect(held(two)).toEqual(held(one));
  });

  it('sends a recheck to all replicas', async () => {
    const [one, two] = [await replica(), await replica()];
    const askedAtMs = systemClock.monotonicMs();
    await sleep(5);
    one.rechecks.require({ sid: 's1' });
    await until(() => two.rechecks.areDue({ sid: 's1' }, askedAtMs), 'it is due at the other');
    expect(two.rechecks.areDue({ sid: 's2' }, askedAtMs)).toBe(false);
    one.rechecks.require('everything');
    await until(() => two.rechecks.areDue({ sid: 's2' }, askedAtMs), 'everything is due at the other');
    expect(one.sharing.status.unshared).toBe(0);
  });

  it('rechecks only tokens that were issued before the recheck, even at a replica that starts later', async () => {
    const [one, two] = [await replica(), await replica()];
    const token = (sid: string, issuedAt: number) => [{ sid, iat: issuedAt }, tokenHash(sid)] as const;
    const now = Date.now() / 1000;
    one.rechecks.require({ sid: 's1' });
    await until(() => two.doubts.include(...token('s1', now)), 'it is doubted at the other');
    const late = await replica();
    expect([late.doubts.include(...token('s1', now)), late.doubts.include(...token('s2', now))]).toEqual([true, false]);
    expect(late.doubts.include(...token('s1', Date.now() / 1000 + 70))).toBe(false);
  });

  it('rechecks all tokens within the revocation window after Valkey has lost its data', async () => {
    const one = await replica({ introspectionTtlSeconds: 1 });
    const old = { iat: Date.now() / 1000 - 60 };
    const hashes = Array.from({ length: 100 }, (_, at) => tokenHash(`token ${at}`));
    const doubted = (): number => hashes.filter((hash) => one.doubts.include(old, hash)).length;
    expect(doubted()).toBe(0);
    await command('FLUSHALL');
    await until(() => doubted() === 100, 'all are doubted');
  });

  it('shares all 999 denials that three replicas create concurrently', async () => {
    const all = [await replica(), await replica(), await replica()];
    for (let at = 0; at < 999; at += 1) all[at % 3]?.list.deny({ sid: `s${at}` });
    await until(() => all.every(({ list }) => list.size === 999), 'all are there');
    expect((await replica()).list.size).toBe(999);
  });

  it('reveals no session and no subject to a reader of the Valkey data', async () => {
    const one = await replica();
    one.list.deny({ sid: 'the-session-4711' });
    one.list.deny({ sub: 'the-subject-4711', issuedBefore: 1 });
    await until(() => one.sharing.status.unshared === 0, 'they are shared');
    const key = await streamKey();
    const entries = JSON.stringify(await command('XRANGE', key, '-', '+'));
    expect(JSON.stringify(await command('KEYS', '*')) + entries).not.toMatch(/4711|keycloak\.test/);
    const opened = Buffer.from(/"([\w+/]{60,}=*)"/.exec(entries)?.[1] ?? '', 'base64').toString('latin1');
    expect(opened).not.toBe('');
    expect(opened).not.toContain('session');
  });

  it('encrypts with the first key and decrypts with every key', async () => {
    const [old, both] = [await replica(), await replica({ keys: [OTHER_KEY, KEY] })];
    old.list.deny({ sid: 'sealed-by-the-old-one' });
    await refuse('sealed-by-the-old-one', both);
    both.list.deny({ sid: 'sealed-by-the-new-one' });
    const both2 = await replica({ keys: [KEY, OTHER_KEY] });
    await refuse('sealed-by-the-new-one', both2);
    old.list.deny({ sid: 'the last' });
    await refuse('the last', both2);
    expect(old.refuses('sealed-by-the-new-one')).toBe(false);
  });

  it('shares no denials between two realms', async () => {
    const [one, other] = [await replica(), await replica({ issuer: 'https://keycloak.test/realms/other' })];
    one.list.deny({ sid: 's1' });
    await until(() => one.sharing.status.unshared === 0, 'it is shared');
    other.list.deny({ sid: 's2' });
    await until(() => other.sharing.status.unshared === 0, 'it is shared');
    expect([other.refuses('s1'), one.refuses('s2')]).toEqual([false, false]);
  });

  it('loses no denial if Valkey restarts without data', async () => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny({ sid: 'before' });
    await refuse('before', two);
    await valkey.kill();
    await isAt('lost', one, two);
    two.list.deny({ sid: 'meanwhile' });
    expect([two.refuses('meanwhile'), one.refuses('meanwhile'), one.refuses('before')]).toEqual([true, false, true]);
    await valkey.start();
    await refuse('meanwhile', one);
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    const late = await replica();
    expect([late.refuses('before'), late.refuses('meanwhile')]).toEqual([true, true]);
    expect(one.lines.join('\n')).toMatch(/can't be read[^]*has a gap[^]*(no_stream|another_epoch)/);
  });

  it('loses no denial if Valkey restarts with older data', async () => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny({ sid: 'saved' });
    await refuse('saved', two);
    await command('SAVE');
    one.list.deny({ sid: 'not saved' });
    await refuse('not saved', two);
    await valkey.kill();
    await valkey.start();
    await isAt('caught_up', one, two);
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    const late = await replica();
    expect([late.refuses('saved'), late.refuses('not saved')]).toEqual([true, true]);
    one.list.deny({ sid: 'after' });
    await refuse('after', two, late);
    await valkey.kill();
    await valkey.start('--dbfilename', 'none.rdb');
  });

  it('begins a new epoch if the running Valkey server loses its data', async () => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny({ sid: 'before' });
    await refuse('before', two);
    await command('FLUSHALL');
    two.list.deny({ sid: 'after' });
    await refuse('after', one);
    // A replica may read between the two commands, and then finds no stream.
    await until(() => /another_epoch|no_stream/.test(one.lines.join('\n')), 'the gap is seen');
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    expect((await replica()).refuses('before')).toBe(true);
  });

  it('lets a service start while Valkey is frozen, and delivers all denials later', async () => {
    const [one, two] = [await replica(), await replica()];
    valkey.freeze();
    one.list.deny({ sid: 'meanwhile' });
    const late = await replica({ waitMs: 100 });
    expect([late.sharing.status.isReady, late.refuses('meanwhile'), one.refuses('meanwhile')]).toEqual([
      false,
      false,
      true,
    ]);
    await isAt('lost', one, two);
    valkey.thaw();
    await refuse('meanwhile', one, two, late);
    await until(() => late.sharing.status.isReady, 'it is ready');
  });

  it('delivers old denials while Valkey is read-only, and shares new denials later', async () => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny({ sid: 'before' });
    await refuse('before', two);
    await command('REPLICAOF', '127.0.0.1', '1');
    one.list.deny({ sid: 'meanwhile' });
    await until(() => one.lines.join('\n').includes('readonly'), 'it is said');
    const late = await replica();
    expect([late.refuses('before'), late.refuses('meanwhile')]).toEqual([true, false]);
    await command('REPLICAOF', 'NO', 'ONE');
    await refuse('meanwhile', two, late);
    expect(one.lines.join('\n')).toContain('Denials are shared again');
  });

  it('applies a denial only locally while Valkey is full, and shares the denial later', async () => {
    const [one, two] = [await replica(), await replica()];
    await command('CONFIG', 'SET', 'maxmemory', '1');
    one.list.deny({ sid: 'meanwhile' });
    await until(() => one.lines.join('\n').includes('oom'), 'it is said');
    expect([one.refuses('meanwhile'), two.refuses('meanwhile')]).toEqual([true, false]);
    await command('CONFIG', 'SET', 'maxmemory', '0');
    await refuse('meanwhile', two);
  });

  it('does not use a Valkey server that evicts keys', async () => {
    await command('CONFIG', 'SET', 'maxmemory', '1gb');
    await command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const one = await replica({ waitMs: 500 });
    expect(one.sharing.status.isReady).toBe(false);
    expect(one.lines.join('\n')).toContain('maxmemory_policy_must_be_noeviction');
    await command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await until(() => one.sharing.status.isReady, 'it is ready');
    await command('CONFIG', 'SET', 'maxmemory', '0');
  });

  it.each<[string, (key: string) => string[][]]>([
    ['a string in place of the stream', (key) => [['SET', key, 'garbage']]],
    ['a string in place of the state', (key) => [['SET', `${key}:state`, 'garbage']]],
    ['a state whose count is not a number', (key) => [['HSET', `${key}:state`, 'last', 'garbage']]],
    ['a state whose count is too low', (key) => [['HSET', `${key}:state`, 'last', '0']]],
    ['a state whose count is too high', (key) => [['HSET', `${key}:state`, 'last', '1000000']]],
    ['a foreign entry with a generated id', (key) => [['XADD', key, '*', 'garbage', 'garbage']]],
    [
      'no stream, and a state whose count is 1e300',
      (key) => [
        ['HSET', `${key}:state`, 'last', '1e300'],
        ['DEL', key],
      ],
    ],
    [
      'no stream, and a state whose count is hexadecimal',
      (key) => [
        ['HSET', `${key}:state`, 'last', '0x10'],
        ['DEL', key],
      ],
    ],
    [
      'a state whose count exceeds the maximum capacity',
      (key) => [
        ['XADD', key, '3000000-0', 'e', '', 't', '', 'm', '', 'i', '', 'p', ''],
        ['HSET', `${key}:state`, 'last', '3000000', 'tip', ''],
      ],
    ],
    [
      'an epoch that is not valid UTF-8, and a missing entry',
      (key) => [
        ['EVAL', "redis.call('HSET', KEYS[1], 'epoch', '\\255')", '1', `${key}:state`],
        ['XDEL', key, '2-0'],
      ],
    ],
    ['no stream', (key) => [['DEL', key]]],
    ['no state', (key) => [['DEL', `${key}:state`]]],
    ['a stream without entries', (key) => [['XTRIM', key, 'MAXLEN', '0']]],
  ])('loses no denial and refuses no other token despite a damaged stream: %s', async (_, harms) => {
    const [one, two] = [await replica(), await replica()];
    for (const sid of ['s1', 's2', 's3']) one.list.deny({ sid });
    await refuse('s3', one, two);
    const key = await streamKey();
    for (const harm of harms(key)) await command(...harm);
    two.list.deny({ sid: 'after' });
    await refuse('after', one, two);
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    const late = await replica();
    await refuse('after', late);
    one.list.deny({ sid: 'last' });
    await refuse('last', two, late);
    expect([two.refuses('s1'), late.refuses('nobody')]).toEqual([true, false]);
  });

  it('replaces a forged capacity of the stream by the maximum capacity', async () => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny({ sid: 's1' });
    await refuse('s1', two);
    const state = `${await streamKey()}:state`;
    await command('HSET', state, 'room', '999999999999999');
    two.list.deny({ sid: 's2' });
    await refuse('s2', one);
    expect(await command('HGET', state, 'room')).toBe('2000000');
  });

  it('restores a removed entry of the stream for replicas that start later', async () => {
    const one = await replica();
    for (const sid of ['s1', 's2', 's3']) one.list.deny({ sid });
    await until(() => one.sharing.status.unshared === 0, 'they are shared');
    const key = await streamKey();
    const [, [id = ''] = ['']] = (await command('XRANGE', key, '-', '+')) as [string][];
    await command('XDEL', key, id);
    const late = await replica();
    await refuse('s1', late);
    await refuse('s2', late);
    await refuse('s3', late);
    expect(late.lines.join('\n')).toContain('entries_missing');
  });

  it('ignores entries that were encrypted with another key, and garbage entries', async () => {
    const [one, two] = [await replica(), await replica({ keys: [OTHER_KEY] })];
    two.list.deny({ sid: 'by another key' });
    await until(() => two.sharing.status.unshared === 0, 'it is shared');
    const key = await streamKey();
    for (const garbage of ['', 'x', Buffer.alloc(200, 1).toString('base64'), 'ü'.repeat(100)]) {
      // Adds the entry and its number in one script, because otherwise a replica could start a new stream.
      const script = `redis.call('XADD', KEYS[1], redis.call('HINCRBY', KEYS[2], 'last', 1) .. '-0', 'e', ARGV[1], 't', 'garbage')`;
      await command('EVAL', script, '2', key, `${key}:state`, garbage);
    }
    one.list.deny({ sid: 's1' });
    const late = await replica();
    await refuse('s1', late);
    expect([one.refuses('by another key'), late.list.size]).toEqual([false, 1]);
  });

  it.each<[string, (key: string) => string[][]]>([
    ['its state names another last entry', (key) => [['HSET', `${key}:state`, 'tip', 'x']]],
    ['only its last entry is left', (key) => [['XTRIM', key, 'MAXLEN', '1']]],
    ['its first entry is deleted', (key) => [['XDEL', key, '1-0']]],
    ['all its entries are deleted', (key) => [['XTRIM', key, 'MAXLEN', '0']]],
    ['it accepts no more entries', (key) => [['XSETID', key, '18446744073709551615-18446744073709551615']]],
    ['entries are too long', (key) => Array.from({ length: 5 }, () => ['XADD', key, '*', 'e', 'x'.repeat(8_000_000)])],
  ])('sends all denials to a replica that starts later, despite a damaged stream: %s', async (_, harms) => {
    const [one, two] = [await replica(), await replica()];
    for (const sid of ['s1', 's2', 's3']) one.list.deny({ sid });
    await refuse('s3', one, two);
    const key = await streamKey();
    for (const harm of harms(key)) await command(...harm);
    const late = await replica();
    for (const sid of ['s1', 's2', 's3']) await refuse(sid, late);
    two.list.deny({ sid: 'after' });
    await refuse('after', one, late);
    expect(late.refuses('nobody')).toBe(false);
  });

  it('does not read in a busy loop if an entry of the stream has the unexpected id 1-1', async () => {
    const one = await replica();
    one.list.deny({ sid: 's1' });
    await until(() => one.sharing.status.unshared === 0, 'it is shared');
    await command('XADD', await streamKey(), '1-1', 'x', 'y');
    await command('CONFIG', 'RESETSTAT');
    await sleep(500);
    const stats = String(await command('INFO', 'commandstats'));
    expect(Number(/cmdstat_xread:calls=(\d+)/.exec(stats)?.[1] ?? 0)).toBeLessThan(5);
    one.list.deny({ sid: 's2' });
    await refuse('s1', await replica());
    await refuse('s2', await replica());
  });

  it('restores all denials after a full Valkey server has lost all data', async () => {
    const [one, two] = [await replica(), await replica()];
    one.list.deny({ sid: 's1' });
    await refuse('s1', two);
    await command('CONFIG', 'SET', 'maxmemory', '1');
    await command('FLUSHALL');
    await isAt('lost', one, two);
    await command('CONFIG', 'SET', 'maxmemory', '0');
    await isAt('caught_up', one, two);
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    expect((await replica()).refuses('s1')).toBe(true);
  });

  it('closes every opened connection', async () => {
    const one = await replica();
    one.list.deny({ sid: 's1' });
    one.rechecks.require('everything');
    await command('FLUSHALL');
    one.list.deny({ sid: 's2' });
    await until(() => one.lines.join('\n').includes('gap'), 'the gap is seen');
    await Promise.all(stopped.splice(0).map((stop) => stop()));
    const clients = String(await command('CLIENT', 'LIST'))
      .trim()
      .split('\n');
    expect(clients).toHaveLength(1);
  });

  it('loses no denial if Valkey has different entries after a network partition', async () => {
    const [one, two] = [await replica(), await replica()];
    for (const sid of ['s1', 's2']) {
      one.list.deny({ sid });
      await refuse(sid, two);
    }
    const key = await streamKey();
    const [first, second] = (await command('XRANGE', key, '-', '+')) as [string, string[]][];
    await command('DEL', key);
    const other = ['e', 'the other side said something else', ...(second?.[1].slice(2) ?? [])];
    other[other.indexOf('i') + 1] = 'another';
    for (const [number, fields] of [first ?? ['', []], [second?.[0] ?? '', other]] as [string, string[]][]) {
      await command('XADD', key, number, ...fields);
    }
    await command('HSET', `${key}:state`, 'tip', 'another');
    await until(() => one.lines.join('\n').includes('another_past'), 'it is seen');
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    const late = await replica();
    expect([late.refuses('s1'), late.refuses('s2')]).toEqual([true, true]);
  });

  const issuedEarlier = () => testAccessToken({ claims: { sid: 'nobody', iat: Math.floor(Date.now() / 1000) - 60 } });

  it('refuses no token if the number of rechecks exceeds the limit', async () => {
    const [one, two] = [await replica({ maxRevocations: 1000 }), await replica({ maxRevocations: 1000 })];
    one.list.deny({ sid: 's1' });
    for (let at = 0; at < 2100; at += 1) {
      two.rechecks.require({ sid: `r ${at}` });
      if (at % 100 === 99) await until(() => two.sharing.status.unshared === 0, 'they are shared');
      if (at % 100 === 99) await sleep(5);
    }
    const late = await replica({ maxRevocations: 1000 });
    await refuse('s1', two, late);
    expect([one, two, late].map(({ list }) => list.denies(issuedEarlier()))).toEqual([false, false, false]);
  });

  it('refuses no token if an attacker fills the stream with garbage', async () => {
    const [one, two] = [await replica({ maxRevocations: 1000 }), await replica({ maxRevocations: 1000 })];
    one.list.deny({ sid: 's1' });
    await refuse('s1', two);
    const fill = `for n = 2, 2000 do redis.call('XADD', KEYS[1], n .. '-0', 'e', 'x', 't', '9999999999999', 'm', '9999999', 'i', 'g' .. n, 'p', 'g' .. n - 1) end
      redis.call('HSET', KEYS[1] .. ':state', 'last', 2000, 'tip', 'g2000')`;
    await command('EVAL', fill, '1', await streamKey());
    two.list.deny({ sid: 'after' });
    await refuse('after', one, two);
    const late = await replica({ maxRevocations: 1000 });
    await refuse('s1', late);
    expect([one, two, late].map(({ list }) => list.denies(issuedEarlier()))).toEqual([false, false, false]);
  });

  it('appends every denial exactly once if the Valkey server has lost 3000 denials', async () => {
    const all = [await replica(), await replica(), await replica()];
    for (let at = 0; at < 3000; at += 1) all[0]?.list.deny({ sid: `s${at}` });
    await until(() => all.every(({ list }) => list.size === 3000), 'all came');
    await command('FLUSHALL');
    await until(() => all.every(({ lines }) => lines.join('\n').includes('gap')), 'all have seen it');
    await until(() => all.every(({ sharing }) => sharing.status.unshared === 0), 'all is shared');
    expect(Number(await command('XLEN', await streamKey()))).toBe(3000);
    expect(all.map(({ list }) => list.denies(issuedEarlier()))).toEqual([false, false, false]);
  });

  it('refuses older tokens after the list of denials was full, even at a replica that starts later', async () => {
    const one = await replica({ maxRevocations: 1000 });
    const two = await replica({ maxRevocations: 1000 });
    one.list.deny({ sid: 'first' });
    await refuse('first', two);
    expect(two.list.denies(issuedEarlier())).toBe(false);
    for (let at = 0; at < 1100; at += 1) one.list.deny({ sid: `s${at}` });
    await until(() => one.sharing.status.unshared === 0 && two.refuses('s1099'), 'all is shared');
    await command('FLUSHALL');
    await until(() => [one, two].every(({ lines }) => lines.join('\n').includes('gap')), 'both have seen it');
    await until(() => one.sharing.status.unshared + two.sharing.status.unshared === 0, 'all is shared');
    const late = await replica({ maxRevocations: 1000 });
    await until(() => late.list.denies(issuedEarlier()), 'the floor holds');
    const issuedLater = testAccessToken({ claims: { sid: 'nobody', iat: Math.floor(Date.now() / 1000) + 60 } });
    expect(late.list.denies(issuedLater)).toBe(false);
  });

  it('keeps the denials of other services if one service has a shorter retention', async () => {
    const [one, short] = [await replica(), await replica({ revocationRetentionSeconds: 1 })];
    one.list.deny({ sid: 's1' });
    await until(() => one.sharing.status.unshared === 0, 'it is shared');
    await sleep(1100);
    short.list.deny({ sid: 's2' });
    await refuse('s2', one);
    const late = await replica();
    expect(late.refuses('s1')).toBe(true);
  });

  it('works with a password, and logs no password', async () => {
    await command('ACL', 'SETUSER', 'default', 'resetpass', '>the-password-4711');
    try {
      const without = await replica({ waitMs: 300, url: valkey.url });
      const wrong = await replica({ waitMs: 300, url: valkey.url.replace('//', '//:the-wrong-4711@') });
      const right = await replica({ url: valkey.url.replace('//', '//:the-password-4711@') });
      await says(without, 'noauth');
      await says(wrong, 'wrongpass');
      expect([without, wrong, right].map(({ sharing }) => sharing.status.isReady)).toEqual([false, false, true]);
      expect([...without.lines, ...wrong.lines].join('\n')).not.toContain('4711');
    } finally {
      const client = createClient({ url: valkey.url.replace('valkey://', 'redis://:the-password-4711@'), RESP: 2 });
      await client.connect();
      await client.sendCommand(['ACL', 'SETUSER', 'default', 'nopass']);
      client.destroy();
    }
  });
});

const encrypted = valkeyPath === undefined || openssl === undefined ? describe.skip : describe;

encrypted('the sharing of denials over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'valkey-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  let port: number;

  beforeAll(async () => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1'];
    const made = spawnSync(openssl ?? '', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      ...subject,
    ]);
    if (made.status !== 0) throw new Error('No certificate could be made');
    valkey = await Valkey.start(valkeyPath ?? '');
    await valkey.kill();
    port = await freePort();
    await valkey.start(
      '--tls-port',
      String(port),
      '--tls-cert-file',
      certificate,
      '--tls-key-file',
      key,
      '--tls-auth-clients',
      'no',
    );
  });
  afterAll(async () => {
    await valkey.remove();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(stopped.splice(0).map((stop) => stop()));
  });

  it('accepts only a certificate of the configured authority for the host name of the URL', async () => {
    const url = `valkeys://localhost:${port}`;
    const ca = readFileSync(certificate, 'utf8');
    const [one, two] = [await replica({ url, ca }), await replica({ url, ca })];
    one.list.deny({ sid: 's1' });
    await refuse('s1', two);
    const without = await replica({ url, waitMs: 300 });
    const otherName = await replica({ url: url.replace('localhost', '127.0.0.1'), ca, waitMs: 300 });
    await says(without, 'depth_zero_self_signed_cert');
    await says(otherName, 'err_tls_cert_altname_invalid');
    expect([without, otherName].map(({ sharing }) => sharing.status.isReady)).toEqual([false, false]);
  });
});
