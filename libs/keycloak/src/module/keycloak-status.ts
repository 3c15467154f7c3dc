import type { StaleAnswersStatus } from '../authorization-server/stale-answers.js';
import type { Clock } from '../caching/clock.js';
import type { CallsState } from '../resilience/call-gate.js';
import { CHANNEL_REFUSALS, type ChannelRefusal, type RefusalCounts } from '../revocation/channel-refusals.js';
import type { RevocationChannelState, RevocationChannelStatus } from '../revocation/revocation-sharing.js';
import type { ObservedCounts, ObservedJudgements } from '../resource-server/observed-judgements.js';
import type { ObservedRefusal } from '../resource-server/observed-refusals.js';
import type { SignalProof } from '../revocation/signal-proof.js';
import { hasPassed } from '../options/enforcement.options.js';
import { VERSION } from '../protocol/version.js';

export interface KeycloakStatusSnapshot {
  readonly version: string;
  /** Calls to the first issuer, by kind, such as `discovery`, `introspection` or `token`. */
  readonly authorizationServer: Readonly<Record<string, CallsState>>;
  /** Calls to the remaining issuers, by `iss`. */
  readonly otherIssuers: Readonly<Record<string, Readonly<Record<string, CallsState>>>>;
  /** Calls to other services, by registered name (`<name> (http)` for a `ServiceHttp`). */
  readonly services: Readonly<Record<string, CallsState>>;
  /** The cache sizes, summed over all issuers. */
  readonly caches: {
    /** Cached introspection results of active tokens. */
    readonly introspections: number;
    readonly inactiveIntrospections: number;
    /** Cached tokens whose signature was verified locally; 0 without the option `jwt`. */
    readonly verifiedJwts: number;
    /** Cached tokens of this service, including exchanged tokens. */
    readonly tokens: number;
    readonly revocations: number;
  };
  /**
   * Whether this service learns about revocations at the first issuer (`RevocationEventsModule`). `none`: the service
   * has no signal feed. `healthy`: introspection results are cached for `introspectionTtlWithEventsSeconds`. `silent`:
   * the service has a signal feed, but caches results only for `introspectionTtlSeconds`.
   *
   * `lastHealthySecondsAgo`: the seconds since the end of the last healthy period; absent before the first proof.
   * `reason`: why this service refused the last proof in the `revocationChannel`. The reason `gaps` means a recent gap,
   * after which results are cached only for `introspectionTtlSeconds`. The reason `no_public_key` means that this
   * service has no key to verify the proofs of pollers.
   */
  readonly signals: {
    readonly state: SignalFeedState;
    readonly lastHealthySecondsAgo?: number;
    readonly reason?: ChannelRefusal | 'gaps';
  };
  /**
   * The use of expired introspection results during an outage (`introspectionStaleIfErrorSeconds`).
   * `inUseSeconds` is the time since the first use in this outage, and is absent while no expired result is used. With
   * several issuers, it is the longest time.
   */
  readonly staleIntrospections: StaleAnswersStatus;
  /** With several issuers, `state` is the worst state of all channels. */
  readonly revocationChannel: RevocationChannelStatus;
  readonly enforcement: EnforcementStatus;
}

/** Whether the guard refuses calls, or only counts refusals; the counts begin at the start of the application. */
export type EnforcementStatus =
  | { readonly mode: 'enforce' }
  | {
      readonly mode: 'observe';
      readonly until: string;
      readonly isOverdue: boolean;
      readonly calls: ObservedCounts;
      /** Lists at most 1000 kinds of refused calls. `unlisted` counts the refused calls of all other kinds. */
      readonly refusals: readonly ObservedRefusal[];
      readonly unlisted: number;
      readonly startFaults: readonly string[];
    };

export type SignalFeedState = 'none' | 'silent' | 'healthy';

export interface IssuerStatus {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly options: {
    readonly introspectionTtlSeconds: number;
    readonly introspectionTtlWithEventsSeconds?: number | undefined;
  };
  readonly signals: Pick<SignalProof, 'isFollowed' | 'latestMs' | 'hasRecentGap'>;
  readonly issuer: string;
  readonly calls: () => Readonly<Record<string, CallsState>>;
  readonly cacheSizes: () => KeycloakStatusSnapshot['caches'];
  readonly sharing: { readonly status: RevocationChannelStatus };
  readonly stale: { readonly status: StaleAnswersStatus } | undefined;
}

/**
 * Reports calls and caches of this process, for health details and metrics. The report contains no token, and reading
 * the report sends no request.
 */
export class KeycloakStatus {
  constructor(
    private readonly issuers: readonly [IssuerStatus, ...IssuerStatus[]],
    private readonly services: () => Readonly<Record<string, CallsState>>,
    private readonly enforcement: () => EnforcementStatus = () => ({ mode: 'enforce' }),
  ) {}

  read(): KeycloakStatusSnapshot {
    const [own, ...others] = this.issuers;
    return {
      version: VERSION,
      authorizationServer: own.calls(),
      otherIssuers: Object.fromEntries(others.map(({ issuer, calls }) => [issuer, calls()])),
      services: this.services(),
      caches: this.issuers.map(({ cacheSizes }) => cacheSizes()).reduce(together),
      signals: signalsOf(own),
      staleIntrospections: this.issuers.map(({ stale }) => stale?.status ?? { maxSeconds: 0 }).reduce(longer),
      revocationChannel: this.issuers.map(({ sharing }) => sharing.status).reduce(worse),
      enforcement: this.enforcement(),
    };
  }
}

export const observing = (
  { until, counts, refusals, unlisted, faults }: ObservedJudgements,
  nowSeconds: number,
): EnforcementStatus => ({
  mode: 'observe',
  until,
  isOverdue: hasPassed(until, nowSeconds),
  calls: counts,
  refusals,
  unlisted,
  startFaults: faults.all,
});

function signalsOf({ signals, clock, options, sharing }: IssuerStatus): KeycloakStatusSnapshot['signals'] {
  const { isFollowed, latestMs } = signals;
  const { proofRefusal } = sharing.status;
  const reason = proofRefusal === undefined ? {} : { reason: proofRefusal };
  const expectsProofs = proofRefusal !== 'no_public_key' || options.introspectionTtlWithEventsSeconds !== undefined;
  if (!isFollowed && (proofRefusal === undefined || !expectsProofs)) return { state: 'none', ...reason };
  if (latestMs === -Infinity) return { state: 'silent', ...reason };
  const nowMs = clock.monotonicMs();
  const lastHealthySecondsAgo = (nowMs - latestMs) / 1000;
  const isRecent = lastHealthySecondsAgo < options.introspectionTtlSeconds;
  // Repeated gaps prevent longer caching, although this service accepts each proof.
  if (isRecent && signals.hasRecentGap(nowMs - options.introspectionTtlSeconds * 1000))
    return { state: 'silent', lastHealthySecondsAgo, reason: proofRefusal ?? 'gaps' };
  return { state: isRecent ? 'healthy' : 'silent', lastHealthySecondsAgo, ...reason };
}

type Caches = KeycloakStatusSnapshot['caches'];

const together = (one: Caches, other: Caches): Caches => ({
  introspections: one.introspections + other.introspections,
  inactiveIntrospections: one.inactiveIntrospections + other.inactiveIntrospections,
  verifiedJwts: one.verifiedJwts + other.verifiedJwts,
  tokens: one.tokens + other.tokens,
  revocations: one.revocations + other.revocations,
});

const longer = (one: StaleAnswersStatus, other: StaleAnswersStatus): StaleAnswersStatus =>
  (other.inUseSeconds ?? -1) > (one.inUseSeconds ?? -1) ? other : one;

const sumOf = (one: Counts, other: Counts): Counts =>
  Object.fromEntries(
    [...Object.keys(one), ...Object.keys(other)].map((key) => [key, (one[key] ?? 0) + (other[key] ?? 0)]),
  );

type Counts = Readonly<Record<string, number>>;

/** The states of a revocation channel, from best to worst. */
const STATES = ['none', 'caught_up', 'reading', 'lost'] as const satisfies readonly RevocationChannelState[];

const worse = (one: RevocationChannelStatus, other: RevocationChannelStatus): RevocationChannelStatus => ({
  ...other,
  ...one,
  state: STATES[Math.max(STATES.indexOf(one.state), STATES.indexOf(other.state))] ?? 'lost',
  isReady: one.isReady && other.isReady,
  unshared: one.unshared + other.unshared,
  isTaking: one.isTaking && other.isTaking,
  unreadable: one.unreadable + other.unreadable,
  gaps: sumOf(one.gaps, other.gaps),
  refused: Object.fromEntries(
    CHANNEL_REFUSALS.map((reason) => [reason, one.refused[reason] + other.refused[reason]]),
  ) as RefusalCounts,
});
