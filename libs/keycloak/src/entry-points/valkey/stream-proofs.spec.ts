import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { proofKeyPair } from '../../../spec-support/proof-keys.js';
import type { ChannelRefusal } from '../extension/index.js';
import type { ChainedEntry } from './entry-chain.js';
import { ProofKeys } from './proof-keys.js';
import { ProofTexts } from './proof-text.js';
import type { StreamPage } from './revocation-stream.js';
import { SealingKeys } from './sealing-keys.js';
import { Gap } from './stream-gap.js';
import { StreamProofs } from './stream-proofs.js';

const IDENTITY = { issuer: 'https://keycloak.test/realms/test', stream: 'the-stream' };
const WHAT = ['revocation proof', IDENTITY.issuer];
const sealing = new SealingKeys([randomBytes(32).toString('base64')]);
const { privateKey, publicKeys } = proofKeyPair();
const nowMs = Date.now();
const page = (first = 1): StreamPage => ({ epoch: 'e', first, last: 9, tip: '', entries: [], proof: '', nowMs });
const entry = (number: number, sealed = `sealed ${number}`): ChainedEntry => ({ number, sealed, takenAtMs: nowMs });
const period = (agoMs: number) => ({ sinceMs: nowMs - 60_000, untilMs: nowMs - agoMs });

let accepted: number[];
let refused: ChannelRefusal[];
let unhealthy: number;
const receiver = {
  healthy: ({ untilAgoMs }: { readonly untilAgoMs: number }) => void accepted.push(untilAgoMs),
  unhealthy: () => void (unhealthy += 1),
  refused: (reason: ChannelRefusal) => void refused.push(reason),
};

function process(keys: ProofKeys, texts: readonly string[] = ['a', 'b'], identity = IDENTITY): StreamProofs {
  const proofs = new StreamProofs(sealing, keys, identity, 1000);
  proofs.learn(page(), receiver);
  for (const [at, text] of texts.entries()) proofs.add(entry(at + 1, text), undefined);
  return proofs;
}

const poller = (texts?: readonly string[], identity = IDENTITY): StreamProofs =>
  process(new ProofKeys('spec', { privateKey }), texts, identity);
const reader = (texts?: readonly string[]): StreamProofs => process(new ProofKeys('spec', { publicKeys }), texts);
const written = (by: StreamProofs, agoMs = 1000, fencing = 1, position = 2): string =>
  by.write(period(agoMs), fencing, { epoch: 'e', position }) ?? '';

function read(by: StreamProofs, sealed: string): void {
  by.find(sealed, receiver);
  by.check('e', receiver);
}

beforeEach(() => {
  [accepted, refused, unhealthy] = [[], [], 0];
});

describe('StreamProofs', () => {
  it('accepts a proof of the entries that it has read', () => {
    const sealed = written(poller(), 1000);
    read(reader(), sealed);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]).toBeGreaterThanOrEqual(999);
    expect([refused, unhealthy]).toEqual([[], 0]);
  });

  it.each([
    ['a service', reader],
    ['a poller', poller],
  ])('throws a Gap if a proof covers other entries than %s has read (RS-30)', (_, make) => {
    const [writer, one] = [poller(), make(['a', 'x'])];
    const find = (agoMs: number) => () => read(one, written(writer, agoMs));
    for (const agoMs of [2000, 1000]) expect(find(agoMs)).toThrow(new Gap('entries_replaced', 'e'));
    expect([accepted, refused]).toEqual([[], ['entries_replaced', 'entries_replaced']]);
    one.beginAnew();
    one.learn({ ...page(), epoch: 'f' }, receiver);
    for (const [at, text] of ['a', 'b'].entries()) one.add(entry(at + 1, text), undefined);
    one.find(written(writer, 500), receiver);
    one.check('f', receiver);
    expect([accepted, refused.length]).toEqual([[], 2]);
  });

  it('accepts a proof only after it has read exactly the entries of the proof', () => {
    const [writer, one] = [poller(), reader(['a'])];
    const sealed = written(writer);
    read(one, sealed);
    expect(accepted).toEqual([]);
    one.add(entry(2, 'b'), undefined);
    one.check('another epoch', receiver);
    expect(accepted).toEqual([]);
    one.check('e', receiver);
    expect(accepted).toHaveLength(1);
    one.add(entry(3), undefined);
    one.check('e', receiver);
    expect(accepted).toHaveLength(1);
    expect(writer.write(period(0), 1, { epoch: 'e', position: 3 })).toBeUndefined();
  });

  it.each<[string, () => string, ChannelRefusal]>([
    ['that a service signed', () => written(process(new ProofKeys('spec', proofKeyPair()))), 'proof_unknown_signer'],
    [
      'of another stream',
      () => written(poller(['a', 'b'], { ...IDENTITY, stream: 'other' })),
      'proof_of_another_stream',
    ],
    ['of another issuer', () => written(poller(['a', 'b'], { ...IDENTITY, issuer: 'other' })), 'proof_unreadable'],
    ['in a newer format', () => sealing.seal(JSON.stringify({ d: '{"v":2}', k: 'k', g: 'g' }), WHAT), 'proof_newer'],
    [
      'that is encrypted in a newer format',
      () => Buffer.from([2, ...randomBytes(90)]).toString('base64'),
      'proof_newer',
    ],
    ['that is an empty object', () => sealing.seal('{}', WHAT), 'proof_malformed'],
    ['that is not JSON', () => sealing.seal('{', WHAT), 'proof_malformed'],
    ['that is garbage', () => 'AAAA', 'proof_unreadable'],
  ])('refuses a proof %s, and reports the refusal once', (_, make, reason) => {
    const [one, sealed] = [reader(), make()];
    read(one, sealed);
    read(one, sealed);
    expect([accepted, refused]).toEqual([[], [reason]]);
  });

  it('refuses a proof if its signed text or its signature was changed', () => {
    const sealed = written(poller());
    const signed = JSON.parse(sealing.open(sealed, WHAT) ?? '') as { d: string; k: string; g: string };
    const changes = [
      { d: signed.d.replace(`"u":${nowMs - 1000}`, `"u":${nowMs}`) },
      { d: signed.d.replace('"n":1', '"n":2') },
      { g: `${signed.g.startsWith('A') ? 'B' : 'A'}${signed.g.slice(1)}` },
      { g: '' },
    ];
    for (const change of changes) read(reader(), sealing.seal(JSON.stringify({ ...signed, ...change }), WHAT));
    expect([accepted, refused]).toEqual([[], changes.map(() => 'proof_unknown_signer')]);
  });

  it.each<unknown>([
    { v: 0 },
    { p: -1 },
    { f: 0, o: 0 },
    { s: null },
    { u: 'soon' },
    { n: 1.5 },
    { e: 7 },
    { h: 'short' },
    { b: null },
  ])('refuses a signed proof in an invalid form: %j', (change) => {
    const keys = new ProofKeys('spec', { privateKey });
    const sealed = written(poller());
    const { d } = JSON.parse(sealing.open(sealed, WHAT) ?? '') as { d: string };
    const bent = JSON.stringify({ ...(JSON.parse(d) as object), ...(change as object) });
    const { keyId: k, signature: g } = keys.sign(`nestjs-keycloak-s2s revocation proof, version 1\n${bent}`);
    expect(new ProofTexts(sealing, keys, IDENTITY).read(sealing.seal(JSON.stringify({ d: bent, k, g }), WHAT))).toBe(
      'proof_malformed',
    );
  });

  it('refuses a replayed proof: an older proof, a proof of an earlier poller, or a proof of fewer entries', () => {
    const [writer, one] = [poller(), reader()];
    const older = written(writer, 3000);
    read(one, written(writer, 2000, 5));
    expect(accepted).toHaveLength(1);
    for (const replayed of [older, written(writer, 1000, 4), written(poller(['a']), 1000, 5, 1)]) read(one, replayed);
    expect([accepted.length, refused]).toEqual([1, ['proof_replayed', 'proof_replayed', 'proof_replayed']]);
    one.reconnected();
    read(one, older);
    expect(refused).toHaveLength(4);
    read(one, written(writer, 500, 1));
    expect(accepted).toHaveLength(2);
  });

  it('reports an unhealthy feed, but refuses no proof, when a poller begins a new chain', () => {
    const one = reader();
    read(one, written(poller(), 2000));
    const other = new StreamProofs(sealing, new ProofKeys('spec', { privateKey }), IDENTITY, 1000);
    other.learn(page(2), receiver);
    other.add(entry(2, 'b'), undefined);
    read(one, written(other, 1000));
    expect([refused, unhealthy, accepted.length]).toEqual([[], 1, 1]);
  });

  it('refuses a proof if the process has no public keys', () => {
    const one = process(new ProofKeys('spec'));
    read(one, written(poller()));
    expect([accepted, refused]).toEqual([[], ['no_public_key']]);
  });

  it('neither accepts nor writes a proof whose time is in the future', () => {
    const [writer, one] = [poller(), reader()];
    read(one, written(writer, -3000));
    expect([accepted, refused]).toEqual([[], []]);
    expect([writer.isPossible(period(-4000), nowMs), writer.isPossible(period(-6000), nowMs)]).toEqual([true, false]);
  });

  it('returns whether the process can decrypt a proof', () => {
    const one = reader();
    expect(one.find('', receiver)).toBeUndefined();
    const newer = Buffer.from([2, ...randomBytes(90)]).toString('base64');
    const found = ['AAAA', newer, written(poller())].map((sealed) => one.find(sealed, receiver));
    expect(found).toEqual(['unreadable', 'unreadable', 'opened']);
  });

  it('tolerates three proofs that cover removed entries, and refuses later proofs (RS-30)', () => {
    const [writer, one] = [poller(), new StreamProofs(sealing, new ProofKeys('spec', { publicKeys }), IDENTITY, 1000)];
    one.learn(page(2), receiver);
    one.add(entry(2, 'b'), undefined);
    for (const agoMs of [5000, 4000, 3000]) {
      const sealed = written(writer, agoMs);
      read(one, sealed);
      read(one, sealed);
    }
    expect(refused).toEqual([]);
    for (const agoMs of [2000, 1000]) read(one, written(writer, agoMs));
    expect([accepted, refused]).toEqual([[], ['proof_not_comparable', 'proof_not_comparable']]);
    expect([writer.lacks(page(2)), writer.lacks(page(1)), one.lacks(page(2))]).toEqual([true, false, false]);
  });
});
