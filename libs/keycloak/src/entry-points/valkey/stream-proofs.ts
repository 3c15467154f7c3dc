import type { ChannelRefusal, ReceivedPeriod, RevocationReceiver } from '../extension/index.js';
import { EntryChain, type ChainedEntry } from './entry-chain.js';
import type { ProofKeys } from './proof-keys.js';
import { ProofTexts, type ProofIdentity, type StreamProof } from './proof-text.js';
import type { StreamPage } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import { ServerClock } from './server-clock.js';
import { Gap } from './stream-gap.js';

const MAX_AHEAD_MS = 5000;

/** The maximum time between the removal of an entry and the estimated end of the entry's use. */
const MAX_EARLY_MS = 5000;
/** The maximum number of consecutive proofs that may cover removed entries unknown to this process. */
const MAX_UNKNOWN = 3;

/** An older proof that arrives after a newer proof is a replay. */
type Order = Pick<StreamProof, 'epoch' | 'fencing'> & { readonly position: number };

type ProofReceiver = Pick<RevocationReceiver, 'healthy' | 'unhealthy' | 'refused'>;

interface Found {
  readonly sealed: string;
  readonly isOpened: boolean;
  readonly proof: StreamProof | undefined;
  isRefused?: boolean;
  isUnknown?: boolean;
}

export class StreamProofs {
  readonly #clock = new ServerClock();
  readonly #texts: ProofTexts;
  #chain: EntryChain | undefined;
  #found: Found | undefined;
  #last: Order | undefined;
  #lastUntilMs = -Infinity;
  #unknown = 0;

  constructor(
    sealing: SealingKeys,
    private readonly keys: ProofKeys,
    private readonly identity: ProofIdentity,
    private readonly memorySeconds: number,
  ) {
    this.#texts = new ProofTexts(sealing, keys, identity);
  }

  beginAnew(): void {
    this.#chain = undefined;
    this.#found = undefined;
    this.#last = undefined;
    this.#unknown = 0;
  }

  /** Forgets the order of proofs, because a restarted server may repeat lease numbers. */
  reconnected(): void {
    this.#last = undefined;
  }

  learn({ nowMs, epoch, first }: StreamPage, receiver: ProofReceiver): void {
    this.#clock.learn(nowMs);
    this.keys.refresh(() => receiver.refused('proof_keys_unreadable'));
    if (this.keys.status.publicKeys === 0) return;
    const { canSign } = this.keys.status;
    this.#chain ??= new EntryChain(this.identity.issuer, epoch, first, canSign);
    this.#chain.forgetBefore(first);
  }

  lacks({ first, nowMs }: StreamPage): boolean {
    return this.#chain?.lacks(first, nowMs + MAX_EARLY_MS) === true;
  }

  get serverMs(): number | undefined {
    return this.#clock.isLearned ? this.#clock.nowMs() : undefined;
  }

  /** `usefulUntilMs` (by the server's clock) is absent if the writer did not know the server's clock. */
  add(entry: ChainedEntry, usefulUntilMs: number | undefined): void {
    const longestMs = this.#clock.nowMs() + this.memorySeconds * 1000;
    this.#chain?.add(entry, Math.min(usefulUntilMs ?? longestMs, longestMs));
  }

  write(
    period: ReceivedPeriod,
    fencing: number,
    { epoch, position }: { readonly epoch: string; readonly position: number },
  ): string | undefined {
    if (this.#chain?.position !== position) return undefined;
    return this.#texts.write({ period, epoch, fencing, links: this.#chain.links(this.#clock.nowMs()) });
  }

  find(sealed: string, receiver: ProofReceiver): 'opened' | 'unreadable' | undefined {
    if (sealed === '') this.#found = undefined;
    else if (this.#found?.sealed !== sealed) {
      const read = this.#texts.read(sealed);
      const refusal = typeof read === 'string' ? read : this.#orderRefusal(read);
      const proof = typeof read === 'string' || refusal !== undefined ? undefined : read;
      this.#found = { sealed, proof, isOpened: read !== 'proof_unreadable' && read !== 'proof_newer' };
      if (refusal !== undefined) receiver.refused(refusal);
    }
    if (this.#found === undefined) return undefined;
    return this.#found.isOpened ? 'opened' : 'unreadable';
  }

  /** Throws a `Gap` that starts a new epoch if this replica and the poller have read different entries. */
  check(epoch: string, receiver: ProofReceiver): void {
    const { proof, isRefused } = this.#found ?? {};
    const chain = this.#chain;
    if (this.#found === undefined || proof === undefined || isRefused === true) return;
    if (proof.epoch !== epoch || proof.links.position !== chain?.position) return;
    const compared = chain.compare(proof.links);
    if (compared === 'same') {
      this.#last = { epoch, fencing: proof.fencing, position: proof.links.position };
      this.#lastUntilMs = proof.period.untilMs;
      this.#unknown = 0;
      this.tell(proof.period, receiver);
    } else if (compared === 'unknown') this.#noteUnknown(this.#found, receiver);
    else if (compared === 'differs') {
      receiver.refused('entries_replaced');
      throw new Gap('entries_replaced', epoch);
    } else {
      // A new chain in the proof means that the poller had a gap.
      this.#found.isRefused = true;
      receiver.unhealthy();
    }
  }

  /** Returns false for a proof from the future, which would stay valid after all pollers have stopped. */
  isPossible({ untilMs }: ReceivedPeriod, askedAtMs: number): boolean {
    return untilMs <= askedAtMs + MAX_AHEAD_MS;
  }

  tell({ sinceMs, untilMs }: ReceivedPeriod, receiver: Pick<RevocationReceiver, 'healthy'>): void {
    const nowMs = this.#clock.latestMs();
    if (untilMs <= nowMs) receiver.healthy({ sinceAgoMs: nowMs - sinceMs, untilAgoMs: nowMs - untilMs });
  }

  #noteUnknown(found: Found, receiver: ProofReceiver): void {
    if (found.isUnknown === true) return;
    found.isUnknown = true;
    if ((this.#unknown += 1) > MAX_UNKNOWN) receiver.refused('proof_not_comparable');
  }

  #orderRefusal({ period: { untilMs }, epoch, fencing, links }: StreamProof): ChannelRefusal | undefined {
    const last = this.#last?.epoch === epoch ? this.#last : { fencing: -Infinity, position: -Infinity };
    const isOlder = untilMs < this.#lastUntilMs || fencing < last.fencing || links.position < last.position;
    return isOlder ? 'proof_replayed' : undefined;
  }
}
