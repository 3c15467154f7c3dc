/** Rechecks: of which tokens the server is to be asked anew, since what is cached of them may be out of date. */
import type { Clock } from '../caching/clock.js';
import { TOKEN_PROFILES, type CallerClaims } from '../protocol/token-profile.js';

/** Whose tokens of one issuer: those of a session, of a user or service account, those that a client obtained, or all. */
export type IssuerRecheck = WhoseTokens | 'everything';

type WhoseTokens = { readonly sid: string } | { readonly sub: string } | { readonly clientId: string };

/**
 * Whose tokens: those of a session, of a user or service account, those that a client obtained, all of an issuer, or all. `issuer` says of which issuer's tokens that is meant; without
 * it, of the one that the module has. Nobody is refused by it who should not be: each token is introspected once more; one that is verified by its signature, from then on.
 */
export type Recheck = ({ readonly issuer?: string } & WhoseTokens) | { readonly issuer: string } | 'everything';

/** `at`: when it was made, in seconds since the epoch. */
export type RecheckListener = (recheck: IssuerRecheck, at: number) => void;

/** The claims of an answer that are looked at. */
interface Claims {
  readonly [claim: string]: unknown;
}

/** More are one of everything. */
const MAX_HELD = 10_000;

const NAMES = ['sid', 'sub', 'clientId'] as const;

export class Rechecks {
  /** By whose tokens, when it was asked for; the earliest first. */
  readonly #marks = new Map<string, number>();
  #everythingMs = -Infinity;
  /** The monotonic time of the last recheck: introspection results of earlier questions are stale. A field, since each request reads it (perf: guard-overhead). */
  latestMs = -Infinity;
  readonly #onRequired: RecheckListener[] = [];

  constructor(
    /** No answer serves for longer, so that no mark is needed for longer. */
    private readonly answersServeMs: number,
    private readonly clock: Clock,
    private readonly caller: CallerClaims = TOKEN_PROFILES.keycloak,
    /** The time until which tokens may have been issued, in seconds since the epoch. */
    private readonly latestSeconds = () => clock.epochSeconds(),
  ) {}

  /** Calls `listener` after each. */
  onRequired(listener: RecheckListener): void {
    this.#onRequired.push(listener);
  }

  /**
   * `at`: when it was made, in seconds since the epoch. `mayBeCached`: whether an answer may still be here that was asked for until then. Throws `TypeError` when it is not exactly one
   * `IssuerRecheck`.
   */
  require(recheck: IssuerRecheck, at = this.latestSeconds(), mayBeCached = true): void {
    const mark = markOf(recheck);
    if (mayBeCached) this.#mark(mark);
    for (const listener of this.#onRequired) listener(recheck, at);
  }

  #mark(mark: string | undefined): void {
    const nowMs = this.clock.monotonicMs();
    this.latestMs = nowMs;
    for (const [earlier, atMs] of this.#marks) {
      if (nowMs - atMs < this.answersServeMs) break;
      this.#marks.delete(earlier);
    }
    if (mark === undefined || this.#marks.size >= MAX_HELD) {
      this.#marks.clear();
      this.#everythingMs = nowMs;
      return;
    }
    this.#marks.delete(mark);
    this.#marks.set(mark, nowMs);
  }

  /** Whether an answer to a question that was sent at `askedAtMs` may serve no more. */
  areDue(answer: Claims, askedAtMs: number): boolean {
    if (askedAtMs > this.latestMs) return false;
    if (askedAtMs <= this.#everythingMs) return true;
    return (
      this.#isMarked('sid', answer['sid'], askedAtMs) ||
      this.#isMarked('sub', this.caller.subjectOf(answer), askedAtMs) ||
      this.#isMarked('clientId', this.caller.clientOf(answer), askedAtMs)
    );
  }

  #isMarked(name: string, value: unknown, askedAtMs: number): boolean {
    return typeof value === 'string' && askedAtMs <= (this.#marks.get(`${name} ${value}`) ?? -Infinity);
  }
}

/** Undefined for everything. */
function markOf(recheck: unknown): string | undefined {
  if (recheck === 'everything') return undefined;
  if (!isIssuerRecheck(recheck)) {
    throw new TypeError(
      "A recheck is { sid }, { sub }, { clientId }, each with its issuer, { issuer } or 'everything', and nothing besides",
    );
  }
  return Object.entries(recheck).flat().join(' ');
}

/** Whether it is exactly one. */
export function isIssuerRecheck(recheck: unknown): recheck is IssuerRecheck {
  if (recheck === 'everything') return true;
  const entries = Object.entries(Object(recheck) as object);
  const [name, value] = entries[0] ?? [];
  return (
    entries.length === 1 &&
    NAMES.some((known) => known === name) &&
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= 1024
  );
}
