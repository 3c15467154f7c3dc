/** Revocation stream: the entries in the server, numbered without a gap from the beginning of an epoch on, each with the one before it. */
import { randomBytes } from 'node:crypto';
import { RELEASE } from './cache-scripts.js';
import { revocationKeys, type RevocationKeys } from './revocation-keys.js';
import { APPEND, LEASE, PROVE, READ } from './revocation-scripts.js';
import type { FeedLease, ProofOutcome } from '../extension/index.js';
import type { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

export interface StreamEntry {
  readonly number: number;
  /** Sealed; empty for what is no entry of ours, or too long for one. */
  readonly sealed: string;
  /** How long ago the server took it, by its own clock. */
  readonly ageSeconds: number;
  /** When that was; `NaN` where it says nothing that can be. It is not sealed. */
  readonly takenAtMs: number;
  readonly id: string;
  /** The id of the entry before it. */
  readonly previous: string;
}

/** What the server holds at one moment. */
export interface StreamPage {
  /** Another one begins when the stream is made anew. */
  readonly epoch: string;
  /** The numbers of the oldest and of the newest entry; the first is larger where there is none. */
  readonly first: number;
  readonly last: number;
  /** The id of the newest entry. */
  readonly tip: string;
  readonly entries: readonly StreamEntry[];
  /** What was proven last, sealed; empty for nothing. */
  readonly proof: string;
  /** The server's time, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** A place in the stream: the number of its newest entry. */
export interface StreamPlace {
  readonly epoch: string;
  readonly position: number;
}

/** To be appended: sealed, and how long it is of use. */
export interface NewEntry {
  readonly sealed: string;
  readonly usefulMs: number;
}

/** Read at once. */
export const PAGE = 500;

/** Room for the lists of all replicas, of which each holds as many as it may. */
const ROOM = 2;
const LEAST_ROOM = 2000;

/** Longer than any entry of ours. */
const MAX_BYTES = 16_384;

/** Of the ids with one number: what lies between two numbers is no entry of ours, and must not wake anybody. */
const LAST_PART = '18446744073709551615';

const COMMAND_MS = 1000;
/** How long a wait for an entry is; then the epoch is looked at. */
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
  readonly #room: string;
  /** Of this replica, as a holder of the lease. */
  readonly #id = randomBytes(12).toString('hex');

  constructor(issuer: string, maxRevocations: number) {
    this.#keys = revocationKeys(issuer);
    this.#room = String(Math.max(LEAST_ROOM, ROOM * maxRevocations));
  }

  /** Throws `ValkeyError` where the server drops entries when its memory is full: denials would be among them, and it would not show. */
  async checkPolicy(connection: ValkeyConnection): Promise<void> {
    const info = String(await connection.send(['INFO', 'memory'], COMMAND_MS));
    const valueOf = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    if (valueOf('maxmemory') !== '0' && valueOf('maxmemory_policy') !== 'noeviction') {
      throw new ValkeyError('maxmemory_policy_must_be_noeviction');
    }
  }

  /** What follows `position`, or the oldest; undefined where there is no stream of ours. */
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

  /** Until there is an entry after `position`, for a second at most. */
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

  /** A new epoch, where there is none and in place of `ended`, unless another replica began one: whoever reads begins anew, and appends what it holds. */
  async beginEpoch(connection: ValkeyConnection, ended = ''): Promise<void> {
    await this.#append(connection, [], ended, '');
  }

  async append(connection: ValkeyConnection, entries: readonly NewEntry[]): Promise<void> {
    await this.#append(connection, entries, '', '');
  }

  /** Only if the newest entry of this epoch is still that one; false if not. */
  async appendAfter(connection: ValkeyConnection, entries: readonly NewEntry[], place: StreamPlace): Promise<boolean> {
    return this.#append(connection, entries, '', textOf(place));
  }

  /** The right to listen for all replicas; undefined while another one has it. */
  async lease(connection: ValkeyConnection, leaseMs: number): Promise<FeedLease | undefined> {
    const args = [this.#id, String(Math.ceil(leaseMs))];
    const answer = (await LEASE.run(connection, [this.#keys.lease, this.#keys.leases], args, COMMAND_MS)) as
      readonly [fencing: number, nowMs: number] | null;
    if (answer === null) return undefined;
    const [fencing, grantedAtMs] = answer;
    if (![fencing, grantedAtMs].every(Number.isSafeInteger)) throw new ValkeyError('unexpected_answer');
    return { fencing, grantedAtMs };
  }

  /** Only with the lease, and if the newest entry of this epoch is still that one. */
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
    const args = [epoch, ended, expected, ids, this.#room, ...added];
    return (await APPEND.run(connection, [this.#keys.state, this.#keys.stream], args, COMMAND_MS)) === 1;
  }
}

const textOf = ({ epoch, position }: StreamPlace): string => `${epoch}:${position}-0`;
