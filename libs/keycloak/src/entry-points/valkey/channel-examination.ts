import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ChannelExamination,
  ChannelFault,
  ChannelProof,
  ChannelQuestion,
  RevocationChannelContext,
} from '../extension/index.js';
import { missingRight, placeOf, PROOF_FAULTS, serverFault } from './examination-words.js';
import { missingRights } from './revocation-rights.js';
import { RevocationEntries } from './revocation-entries.js';
import { PAGE, RevocationStream, type StreamPage } from './revocation-stream.js';
import type { SealingKeys } from './sealing-keys.js';
import type { ProofKeys } from './proof-keys.js';
import { ProofTexts } from './proof-text.js';
import { revocationKeys } from './revocation-keys.js';
import type { ValkeyAddress } from './valkey-address.js';
import { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

const LOOK_MS = 250;

export async function examineChannel(
  address: ValkeyAddress,
  keys: SealingKeys,
  proofKeys: ProofKeys,
  context: RevocationChannelContext,
  question: ChannelQuestion,
): Promise<ChannelExamination> {
  const found = { place: placeOf(address), keyFingerprints: keys.fingerprints };
  let connection: ValkeyConnection | undefined;
  try {
    connection = await ValkeyConnection.open(address);
    const stream = new RevocationStream(context.issuer, context.maxRevocations);
    const rights = await missingRights(connection, context.issuer, question.isPoller);
    if (rights.length > 0) return { ...found, faults: [missingRight(address, rights)] };
    await stream.checkPolicy(connection);
    return { ...found, ...(await new ChannelLook(connection, stream, { keys, proofKeys }, context).look(question)) };
  } catch (error) {
    return { ...found, faults: [serverFault(address, error instanceof ValkeyError ? error.message : 'unknown')] };
  } finally {
    connection?.close();
  }
}

const newerEntries = (count: number, all: number): ChannelFault => ({
  message: `This service can't read ${count} of the last ${all} denials: a newer version wrote them.`,
  cure: 'Update this service to the version of the others. Until then it misses their denials.',
});

const malformedEntries = (count: number, all: number): ChannelFault => ({
  message: `This service can't read ${count} of the last ${all} denials: no version writes their form.`,
  cure: 'Find out which process wrote them: each costs all services the long reuse of cached answers. Replace the password of its user at Valkey.',
});

class ChannelLook {
  readonly #entries: RevocationEntries;
  readonly #proofs: ProofTexts;

  constructor(
    private readonly connection: ValkeyConnection,
    private readonly stream: RevocationStream,
    { keys, proofKeys }: { readonly keys: SealingKeys; readonly proofKeys: ProofKeys },
    { issuer }: RevocationChannelContext,
  ) {
    this.#entries = new RevocationEntries(keys, issuer);
    this.#proofs = new ProofTexts(keys, proofKeys, { issuer, stream: revocationKeys(issuer).stream });
  }

  async look({ proofWaitMs }: ChannelQuestion): Promise<Pick<ChannelExamination, 'faults' | 'proof'>> {
    const page = await this.#newest();
    const faults = page === undefined ? [] : this.#unreadable(page);
    if (faults.length > 0 || proofWaitMs === 0) return { faults };
    return { faults, proof: await this.#awaitProof(this.#proofTime(page), proofWaitMs) };
  }

  async #newest(): Promise<StreamPage | undefined> {
    const oldest = await this.stream.read(this.connection, undefined);
    if (oldest === undefined || oldest.last - oldest.first < PAGE) return oldest;
    return this.stream.read(this.connection, oldest.last - PAGE);
  }

  #unreadable({ entries, proof }: StreamPage): ChannelFault[] {
    const all = entries.length;
    const reads = entries.map(({ sealed }) => (sealed === '' ? 'entry_malformed' : this.#entries.read(sealed)));
    const read = proof === '' ? undefined : this.#proofs.read(proof);
    const isForeignProof = read === 'proof_unreadable';
    const foreign = reads.filter((one) => one === 'entry_unreadable').length;
    const newer = reads.filter((one) => one === 'entry_newer').length;
    const malformed = reads.filter((one) => one === 'entry_malformed').length;
    const refused = typeof read === 'string' ? PROOF_FAULTS[read] : undefined;
    const otherFaults = [
      ...(newer === 0 ? [] : [newerEntries(newer, all)]),
      ...(malformed === 0 ? [] : [malformedEntries(malformed, all)]),
      ...(refused === undefined ? [] : [refused]),
    ];
    if (foreign === 0 && !isForeignProof) return otherFaults;
    const parts = [
      ...(foreign > 0 ? [`${foreign} of the last ${all} denials`] : []),
      ...(isForeignProof ? ['the proof of the poller'] : []),
    ];
    return [
      {
        message: `This service can't decrypt ${parts.join(' and ')}: its keys differ from the keys of another service.`,
        cure: 'Give every service and the poller the same keys (`keys` of valkeyRevocations(), SHARED_DENIAL_KEYS). Doctor prints their fingerprints.',
      },
      ...otherFaults,
    ];
  }

  #proofTime(page: StreamPage | undefined): number | undefined {
    const read = page && this.#proofs.read(page.proof);
    return typeof read === 'object' ? read.period.untilMs : undefined;
  }

  async #awaitProof(before: number | undefined, waitMs: number): Promise<ChannelProof> {
    const endMs = performance.now() + waitMs;
    for (;;) {
      const page = await this.stream.read(this.connection, undefined);
      const untilMs = this.#proofTime(page);
      const ageSeconds = page && untilMs !== undefined ? Math.max(0, page.nowMs - untilMs) / 1000 : undefined;
      const isRenewed = untilMs !== undefined && untilMs > (before ?? -Infinity);
      if (isRenewed || performance.now() > endMs) return { isRenewed, ageSeconds };
      await sleep(LOOK_MS);
    }
  }
}
