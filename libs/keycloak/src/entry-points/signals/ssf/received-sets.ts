import type { IssuerRecheck } from '../../extension/index.js';
import type { IssuerDenial } from '../signal-source.js';
import { meaningOf, type EventMeaning, type MeaningContext } from './event-meaning.js';
import type { FaultySets } from './faulty-sets.js';
import type { OutstandingSets } from './outstanding-sets.js';
import type { SecurityEventTokens } from './security-event-tokens.js';
import type { SetClaims, SetRefusal } from './set-claims.js';
import type { PollBegin } from './stream-proof.js';

/** The time after which a token whose key is still unknown is not from the issuer. */
const MAX_UNDECIDED_MS = 120_000;

export interface ReceivedEvents {
  readonly denials: readonly IssuerDenial[];
  readonly rechecks: readonly IssuerRecheck[];
  readonly verifications: readonly { readonly state: string | undefined; readonly issuedAt: number }[];
  readonly isWhole: boolean;
  readonly undecidedMs: number | undefined;
  readonly isStreamUpdated: boolean;
  readonly occurredAtMs: number | undefined;
}

interface Decided {
  readonly jti: string;
  readonly claims: SetClaims | undefined;
  readonly meaning: EventMeaning | undefined;
}

export interface SetContext extends MeaningContext {
  readonly audiences: readonly string[];
}

export class ReceivedSets {
  constructor(
    private readonly tokens: Pick<SecurityEventTokens, 'check'>,
    private readonly outstanding: Pick<OutstandingSets, 'isDone' | 'ageMs' | 'done'>,
    private readonly faulty: Pick<FaultySets, 'refused' | 'notUnderstood'>,
  ) {}

  async receive(
    sets: ReadonlyMap<string, unknown>,
    { beganMs, serverSeconds }: PollBegin,
    context: SetContext,
  ): Promise<ReceivedEvents> {
    const decided: Decided[] = [];
    let undecidedMs: number | undefined;
    for (const [jti, token] of sets) {
      if (this.outstanding.isDone(jti)) continue;
      const checked = await this.tokens.check(token, { ...context, jti }, serverSeconds);
      const ageMs = this.outstanding.ageMs(jti, beganMs);
      if (checked === 'undecided' && ageMs < MAX_UNDECIDED_MS) undecidedMs = Math.max(ageMs, undecidedMs ?? 0);
      else decided.push(this.#decide(jti, checked === 'undecided' ? 'signing_key_unknown' : checked, context));
    }
    for (const { jti, claims } of decided) {
      this.outstanding.done(jti, claims === undefined ? 0 : serverSeconds - claims.issuedAt);
    }
    return { ...summaryOf(decided), undecidedMs };
  }

  #decide(jti: string, checked: SetClaims | SetRefusal, context: SetContext): Decided {
    if (typeof checked === 'string') {
      this.faulty.refused(checked);
      return { jti, claims: undefined, meaning: undefined };
    }
    const meaning = meaningOf(checked, context);
    if ('fault' in meaning && meaning.fault !== undefined) this.faulty.notUnderstood(meaning.fault);
    return { jti, claims: checked, meaning };
  }
}

function summaryOf(decided: readonly Decided[]): Omit<ReceivedEvents, 'undecidedMs'> {
  const denials: IssuerDenial[] = [];
  const rechecks: IssuerRecheck[] = [];
  const verifications: { state: string | undefined; issuedAt: number }[] = [];
  let [isWhole, isStreamUpdated, occurredAt] = [true, false, Infinity];
  for (const { claims, meaning } of decided) {
    if (claims === undefined || meaning === undefined) {
      // The refused token may be genuine, for example if the token names the issuer by a different host name.
      isWhole = false;
      continue;
    }
    const { issuedAt } = claims;
    if (meaning.kind === 'ended') denials.push(meaning.denial);
    if (meaning.kind === 'uncertain') rechecks.push(meaning.recheck);
    if (meaning.kind === 'ended' || meaning.kind === 'uncertain') occurredAt = Math.min(occurredAt, issuedAt);
    if (meaning.kind === 'verification') verifications.push({ state: meaning.state, issuedAt });
    if (meaning.kind === 'stream_updated') {
      isStreamUpdated = true;
      isWhole &&= meaning.isEnabled;
    }
  }
  const occurredAtMs = occurredAt === Infinity ? undefined : occurredAt * 1000;
  return { denials, rechecks, verifications, isWhole, isStreamUpdated, occurredAtMs };
}
