import type { Clock } from '../caching/clock.js';

const CURES = {
  entry_unreadable:
    'A denial was sealed with a key that this service does not have. Give all services the same denial keys, and restart this one',
  entry_newer:
    'A newer version of the library wrote a denial in another form. Update this service to the version of the others',
  entry_malformed: 'A service with the denial keys wrote an entry that is not a denial. Find out which service did',
  proof_unreadable:
    'A proof was sealed with a key that this service does not have. Give all services the same denial keys, and restart this one',
  proof_newer:
    'A newer version of the library wrote a proof in another form. Update this service to the version of the pollers',
  proof_malformed: 'A service with the denial keys wrote something in the place of a proof. Find out which service did',
  proof_unknown_signer:
    'A proof was signed by a key that this service does not trust. Add the public key of the poller, or find out who wrote the proof',
  proof_of_another_stream:
    'Somebody replaced our proof with the proof of another stream. Find out who writes the keys of the proofs',
  proof_replayed:
    'A proof is older than the last one: somebody put it back, or the clock of the Valkey server was set back. Let pollers alone write the keys of the proofs',
  entries_replaced:
    'The entries differ from the entries that the poller has read: somebody replaced or removed some. Find out who writes the stream besides the services',
  proof_not_comparable:
    'Proofs cover entries that the server no longer has: somebody removed them early. Update all pollers, and find out who writes the stream besides the services',
  no_public_key: 'Give this service the public keys of the pollers (the option proofs of valkeyRevocations())',
  proof_keys_unreadable:
    "A file with keys of proofs can't be read or contains something else. Correct it. The last keys stay in use until then",
} as const;

export interface RefusalLog {
  error(message: string, fields: object): void;
}

export type ChannelRefusal = keyof typeof CURES;

export const CHANNEL_REFUSALS = Object.keys(CURES) as readonly ChannelRefusal[];

export type RefusalCounts = Readonly<Record<ChannelRefusal, number>>;

const LOG_PAUSE_MS = 60_000;

const WORDS = 'Refused content of the revocation channel. Cached answers are reused for introspectionTtlSeconds only';

export class ChannelRefusals {
  readonly #counts = Object.fromEntries(CHANNEL_REFUSALS.map((reason) => [reason, 0])) as Record<
    ChannelRefusal,
    number
  >;
  readonly #logged = new Map<ChannelRefusal, { readonly atMs: number; readonly count: number }>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly log: RefusalLog,
  ) {}

  get counts(): RefusalCounts {
    return { ...this.#counts };
  }

  add(reason: ChannelRefusal): void {
    this.#counts[reason] += 1;
    const nowMs = this.clock.monotonicMs();
    const last = this.#logged.get(reason) ?? { atMs: -Infinity, count: 0 };
    if (nowMs < last.atMs + LOG_PAUSE_MS) return;
    const total = this.#counts[reason];
    this.#logged.set(reason, { atMs: nowMs, count: total });
    this.log.error(WORDS, { reason, count: total - last.count, hint: CURES[reason] });
  }
}

export const NO_REFUSALS = Object.fromEntries(CHANNEL_REFUSALS.map((reason) => [reason, 0])) as RefusalCounts;
