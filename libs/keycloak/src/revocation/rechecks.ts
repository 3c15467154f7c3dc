import type { Clock } from '../caching/clock.js';
import { TOKEN_PROFILES, type CallerClaims } from '../protocol/token-profile.js';

/** `'everything'` means all tokens of the issuer. */
export type IssuerRecheck = WhoseTokens | 'everything';

type WhoseTokens = { readonly sid: string } | { readonly sub: string } | { readonly clientId: string };

/**
 * Selects all tokens, or the tokens of a session, user, service account, client or issuer. A recheck does not refuse
 * valid tokens. After a recheck, the service introspects each selected token once more. On routes that verify
 * signatures, the service introspects the token until its expiry. `clientId` names the client that obtained the tokens.
 */
export type Recheck = ({ readonly issuer?: string } & WhoseTokens) | { readonly issuer: string } | 'everything';

/** `at` is in seconds since the epoch. */
export type RecheckListener = (recheck: IssuerRecheck, at: number) => void;

interface Claims {
  readonly [claim: string]: unknown;
}

const MAX_HELD = 10_000;

const NAMES = ['sid', 'sub', 'clientId'] as const;

export class Rechecks {
  readonly #marks = new Map<string, number>();
  #everythingMs = -Infinity;
  /** The monotonic time of the last recheck, in a public field so that reads are fast (perf: guard-overhead). */
  latestMs = -Infinity;
  readonly #onRequired: RecheckListener[] = [];

  constructor(
    private readonly answersServeMs: number,
    private readonly clock: Clock,
    private readonly caller: CallerClaims = TOKEN_PROFILES.keycloak,
    /** Returns the latest possible issue time of an existing token, in seconds since the epoch. */
    private readonly latestSeconds = () => clock.epochSeconds(),
  ) {}

  onRequired(listener: RecheckListener): void {
    this.#onRequired.push(listener);
  }

  /**
   * `at` is in seconds since the epoch. `mayBeCached` says whether an introspection result from before `at` may still
   * be cached.
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

function markOf(recheck: unknown): string | undefined {
  if (recheck === 'everything') return undefined;
  if (!isIssuerRecheck(recheck)) {
    throw new TypeError(
      "A recheck must be { sid }, { sub } or { clientId }, each with its issuer, or { issuer } or 'everything', and nothing else",
    );
  }
  return Object.entries(recheck).flat().join(' ');
}

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
