/** Revocation stream: the entries in Valkey, with consecutive numbers within an epoch. */
import { randomBytes } from 'node:crypto';
import { RELEASE } from './cache-scripts.js';
import { revocationKeys, type RevocationKeys } from './revocation-keys.js';
import { APPEND, LEASE, PROVE, READ } from './revocation-scripts.js';
import type { FeedLease, ProofOutcome } from '../extension/index.js';
import type { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

export interface StreamEntry {
  readonly number: number;
  readonly sealed: string;
  readonly ageSeconds: number;
  /** The unsealed time of arrival at the server, or `NaN` if this time is invalid. */
  readonly takenAtMs: number;
  readonly id: string;
  readonly previous: string;
}

export interface StreamPage {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  readonly tip: string;
  readonly entries: readonly StreamEntry[];
  /** The sealed proof, or an empty text if there is no proof. */
  readonly proof: string;
  readonly nowMs: number;
}

export interface StreamPlace {
  readonly epoch: string;
  readonly position: number;
}

export interface NewEntry {
  readonly sealed: string;
  readonly usefulMs: number;
}

export const PAGE = 500;

/** Replicas hold different denials, so the stream has room for the denials of several replicas. */
const CAPACITY_FACTOR = 2;
const MIN_CAPACITY = 2000;

const MAX_BYTES = 16_384;

/** Skips ids such as `7-1`, which this library never writes, so that these ids do not end the wait. */
const LAST_PART = '18446744073709551615';

const COMMAND_MS = 1000;
const BLOCK_MS = 1000;

type ReadAnswer = readonly [
  epoch: string,
  first: number,
  last: number,
  tip: string,
  nowMs: number,
  entries: readonly (readonly [id: string, sealed: string, takenAtMs: string, own: string, previous: string])[],
  proof: string,
];

export class RevocationStream {
  readonly #keys: RevocationKeys;
  readonly #capacity: string;
  readonly #id = randomBytes(12).toString('hex');

  constructor(issuer: string, maxRevocations: number) {
    this.#keys = revocationKeys(issuer);
    this.#capacity = String(Math.max(MIN_CAPACITY, CAPACITY_FACTOR * maxRevocations));
  }

  /** Throws `ValkeyError` if the server evicts entries, because denials would disappear unnoticed. */
  async checkPolicy(connection: ValkeyConnection): Promise<void> {
    const info = String(await connection.send(['INFO', 'memory'], COMMAND_MS));
    const valueOf = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    if (valueOf('maxmemory') !== '0' && valueOf('maxmemory_policy') !== 'noeviction') {
      throw new ValkeyError('maxmemory_policy_must_be_noeviction');
    }
  }

  /**
   * Reads a page after `position`, or from the oldest entry if `position` is undefined. Returns undefined if the stream
   * is invalid.
   */
  async read(connection: ValkeyConnection, position: number | undefined): Promise<StreamPage | undefined> {
    const { state, stream, proof: proofKey } = this.#keys;
    const args = [String(position ?? -1), String(PAGE), String(MAX_BYTES)];
    const keys = [state, stream, proofKey];
    const answer = (await READ.run(connection, keys, args, COMMAND_MS)) as ReadAnswer | null;
    if (answer === null) return undefined;
    const [epoch, first, last, tip, nowMs, entries, proof] = answer;
    if (![first, last, nowMs].every(Number.isSafeInteger)) throw new ValkeyError('unexpected_answer');
    return {
      epoch,
      first,
      last,
      tip,
      proof,
      nowMs,
      entries: entries.map(([number, sealed, taken, id, previous]) => ({
        number: /^\d{1,15}-0$/.test(number) ? Number(number.slice(0, -2)) : Number.NaN,
        sealed,
        ageSeconds: /^\d+$/.test(taken) ? Math.max(0, (nowMs - Number(taken)) / 1000) : 0,
        takenAtMs: /^\d+$/.test(taken) ? Number(taken) : Number.NaN,
        id,
        previous,
      })),
    };
  }

  async wait(connection: ValkeyConnection, position: number): Promise<void> {
    const args = [
      'XREAD',
      'COUNT',
      '1',
      'BLOCK',
      String(BLOCK_MS),
      'STREAMS',
      this.#keys.stream,
      `${position}-${LAST_PART}`,
    ];
    await connection.send(args, COMMAND_MS + BLOCK_MS);
  }

  /**
   * Begins a new epoch if the stream is invalid or still has the epoch `ended`. In the new epoch, all replicas read the
   * stream from its beginning and append missing entries.
   */
  async beginEpoch(connection: ValkeyConnection, ended = ''): Promise<void> {
    await this.#append(connection, [], ended, '');
  }

  async append(connection: ValkeyConnection, entries: readonly NewEntry[]): Promise<void> {
    await this.#append(connection, entries, '', '');
  }

  async appendAfter(connection: ValkeyConnection, entries: readonly NewEntry[], place: StreamPlace): Promise<boolean> {
    return this.#append(connection, entries, '', textOf(place));
  }

  async lease(connection: ValkeyConnection, leaseMs: number): Promise<FeedLease | undefined> {
    const args = [this.#id, String(Math.ceil(leaseMs))];
    const answer = (await LEASE.run(connection, [this.#keys.lease, this.#keys.leases], args, COMMAND_MS)) as
      readonly [fencing: number, nowMs: number] | null;
    if (answer === null) return undefined;
    const [fencing, grantedAtMs] = answer;
    if (![fencing, grantedAtMs].every(Number.isSafeInteger)) throw new ValkeyError('unexpected_answer');
    return { fencing, grantedAtMs };
  }

  async prove(
    connection: ValkeyConnection,
    { fencing }: FeedLease,
    place: StreamPlace,
    sealed: string,
  ): Promise<ProofOutcome> {
    const { state, stream, lease, proof } = this.#keys;
    const keys = [state, stream, lease, proof];
    const answer = await PROVE.run(connection, keys, [`${fencing}:${this.#id}`, textOf(place), sealed], COMMAND_MS);
    if (answer === 1) return 'taken';
    return answer === 0 ? 'behind' : 'lease_lost';
  }

  async release(connection: ValkeyConnection, { fencing }: FeedLease): Promise<void> {
    await RELEASE.run(connection, [this.#keys.lease], [`${fencing}:${this.#id}`], COMMAND_MS);
  }

  async #append(
    connection: ValkeyConnection,
    entries: readonly NewEntry[],
    ended: string,
    expected: string,
  ): Promise<boolean> {
    const [epoch, ids] = [randomBytes(16).toString('hex'), `${randomBytes(12).toString('hex')}-`];
    const added = entries.flatMap(({ sealed, usefulMs }) => [sealed, String(Math.ceil(usefulMs))]);
    const args = [epoch, ended, expected, ids, this.#capacity, ...added];
    return (await APPEND.run(connection, [this.#keys.state, this.#keys.stream], args, COMMAND_MS)) === 1;
  }
}

const textOf = ({ epoch, position }: StreamPlace): string => `${epoch}:${position}-0`;
