/** Stream proofs: whether a proof is of the entries that this replica has read, and how old it is. */
import type { ChannelRefusal, HeardStretch, RevocationReceiver } from '../extension/index.js';
import { EntryChain, type ChainedEntry } from './entry-chain.js';
import type { ProofKeys } from './proof-keys.js';
import { ProofTexts, type ProofIdentity, type StreamProof } from './proof-text.js';
import type { StreamPage } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import { ServerClock } from './server-clock.js';
import { Gap } from './stream-gap.js';

/** The server's clock may be ahead of this machine's by so much. */
const MAX_AHEAD_MS = 5000;

/** An entry may end so much later by the estimate of its writer than by the server. */
const MAX_EARLY_MS = 5000;
/** So many proofs in a row may cover entries that this process could not read: pollers drop what is of no more use. */
const MAX_UNKNOWN = 3;

/** Where the last accepted proof was: an older one that comes later was put back by somebody. */
type Order = Pick<StreamProof, 'epoch' | 'fencing'> & { readonly position: number };

type ProofReceiver = Pick<RevocationReceiver, 'proven' | 'unproven' | 'refused'>;

/** A proof as it was found last. */
interface Found {
  readonly sealed: string;
  readonly isOpened: boolean;
  readonly proof: StreamProof | undefined;
  /** It is of another chain, and stays refused. */
  isRefused?: boolean;
  /** It covers entries that the stream did not hold any more. */
  isUnknown?: boolean;
}

export class StreamProofs {
  readonly #clock = new ServerClock();
  readonly #texts: ProofTexts;
  #chain: EntryChain | undefined;
  #found: Found | undefined;
  #last: Order | undefined;
  #lastUntilMs = -Infinity;
  /** How many proofs in a row could not be compared. */
  #unknown = 0;

  constructor(
    sealing: SealingKeys,
    private readonly keys: ProofKeys,
    private readonly identity: ProofIdentity,
    /** How long an entry is of use at most. */
    private readonly memorySeconds: number,
  ) {
    this.#texts = new ProofTexts(sealing, keys, identity);
  }

  /** The stream is read from its beginning. */
  beginAnew(): void {
    this.#chain = undefined;
    this.#found = undefined;
    this.#last = undefined;
    this.#unknown = 0;
  }

  /** There is a new connection: the server may have been restarted, and may count leases from an older state. */
  reconnected(): void {
    this.#last = undefined;
  }

  /** Call it as soon as the page is there. */
  learn({ nowMs, epoch, first }: StreamPage, receiver: ProofReceiver): void {
    this.#clock.learn(nowMs);
    this.keys.refresh(() => receiver.refused('proof_keys_unreadable'));
    if (this.keys.status.publicKeys === 0) return;
    const { canSign } = this.keys.status;
    this.#chain ??= new EntryChain(this.identity.issuer, epoch, first, canSign);
    this.#chain.forgetBefore(first);
  }

  /** Whether somebody removed an entry that the proofs of this poller still cover: they need a new epoch. */
  lacks({ first, nowMs }: StreamPage): boolean {
    return this.#chain?.lacks(first, nowMs + MAX_EARLY_MS) === true;
  }

  /** The server's time by now; undefined where it is not known yet. */
  get serverMs(): number | undefined {
    return this.#clock.isLearned ? this.#clock.nowMs() : undefined;
  }

  /** The entry was read. `usefulUntilMs`: by the server's clock, as its writer sealed it. Undefined if it is unknown. */
  add(entry: ChainedEntry, usefulUntilMs: number | undefined): void {
    const longestMs = this.#clock.nowMs() + this.memorySeconds * 1000;
    this.#chain?.add(entry, Math.min(usefulUntilMs ?? longestMs, longestMs));
  }

  /** Writes the proof of a poller that has read until `position`. Undefined if its chain is not there. Throws `TypeError` without a private key. */
  write(
    heard: HeardStretch,
    fencing: number,
    { epoch, position }: { readonly epoch: string; readonly position: number },
  ): string | undefined {
    if (this.#chain?.position !== position) return undefined;
    return this.#texts.write({ heard, epoch, fencing, links: this.#chain.links(this.#clock.nowMs()) });
  }

  /** The proof that stands beside the stream now. Each that can't be accepted is refused once. Returns whether this replica can read it; undefined without one. */
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

  /**
   * Tells the receiver of the proof where everything has been read that was there when it was written, and nothing else. Throws
   * `Gap` where something else was read: then every process has to repeat what it holds.
   */
  check(epoch: string, receiver: ProofReceiver): void {
    const { proof, isRefused } = this.#found ?? {};
    const chain = this.#chain;
    if (this.#found === undefined || proof === undefined || isRefused === true) return;
    if (proof.epoch !== epoch || proof.links.position !== chain?.position) return;
    const compared = chain.compare(proof.links);
    if (compared === 'same') {
      this.#last = { epoch, fencing: proof.fencing, position: proof.links.position };
      this.#lastUntilMs = proof.heard.untilMs;
      this.#unknown = 0;
      this.tell(proof.heard, receiver);
    } else if (compared === 'unknown') this.#noteUnknown(this.#found, receiver);
    else if (compared === 'differs') {
      receiver.refused('entries_replaced');
      throw new Gap('entries_replaced', epoch);
    } else {
      // A poller that began a new chain has a gap of its own, which the proof after it shows.
      this.#found.isRefused = true;
      receiver.unproven();
    }
  }

  /** Whether the server told a time that may be, when it was asked: with one of the future a proof would count when nobody listens any more. */
  isPossible({ untilMs }: HeardStretch, askedAtMs: number): boolean {
    return untilMs <= askedAtMs + MAX_AHEAD_MS;
  }

  /** Tells the receiver how long ago that was; nothing where it is of a time that is still to come. */
  tell({ sinceMs, untilMs }: HeardStretch, receiver: Pick<RevocationReceiver, 'proven'>): void {
    const nowMs = this.#clock.latestMs();
    if (untilMs <= nowMs) receiver.proven({ sinceAgoMs: nowMs - sinceMs, untilAgoMs: nowMs - untilMs });
  }

  #noteUnknown(found: Found, receiver: ProofReceiver): void {
    if (found.isUnknown === true) return;
    found.isUnknown = true;
    if ((this.#unknown += 1) > MAX_UNKNOWN) receiver.refused('proof_not_comparable');
  }

  #orderRefusal({ heard: { untilMs }, epoch, fencing, links }: StreamProof): ChannelRefusal | undefined {
    const last = this.#last?.epoch === epoch ? this.#last : { fencing: -Infinity, position: -Infinity };
    const isOlder = untilMs < this.#lastUntilMs || fencing < last.fencing || links.position < last.position;
    return isOlder ? 'proof_replayed' : undefined;
  }
}
