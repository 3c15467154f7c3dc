/** Exchange diagnosis: whether a refused token exchange is for want of the user's permission, or of the realm's configuration. */
import { DeadlineCache } from '../caching/deadline-cache.js';
import type { Clock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';

/** What an exchange without an audience brought: never given out, only looked at. */
export interface ExchangedWithoutAudience {
  readonly accessToken: string;
  readonly scope: string | undefined;
}

interface Target {
  readonly audience: string;
  readonly scope: string;
}

/** For how long an answer serves, for the same user. */
const ANSWER_LIFETIME_MS = 10_000;

/** Second questions for one audience and scope in that time: enough to show a fault, and no burden. */
const MAX_QUESTIONS = 10;

const MAX_ENTRIES = 1000;

type Verdict = 'user' | readonly string[];

/**
 * From one answer the two can't be told apart: Keycloak says "Requested audience not available" when the user lacks the role, and so
 * the scope, and so its audience; but also when the scope has no audience mapper, or one for another client. The same exchange without
 * `audience` tells: the permission is in its scope or not. What it tells is of that user alone.
 */
export class ExchangeDiagnosis {
  /** By scope, audience and subject. */
  readonly #verdicts: DeadlineCache<Promise<Verdict>>;
  /** By scope and audience: how many questions were asked. */
  readonly #asked: DeadlineCache<{ times: number }>;

  constructor(clock: Clock) {
    this.#verdicts = new DeadlineCache(MAX_ENTRIES, clock);
    this.#asked = new DeadlineCache(MAX_ENTRIES, clock);
  }

  /**
   * `refusal` where it is the user's; else an `AuthorizationServerError`: `audience_mapper_missing` or `audience_mismatch`. When the second
   * question is not asked, or not answered, it stays the user's.
   */
  async of(
    refusal: KeycloakException,
    target: Target,
    subject: string,
    ask: () => Promise<ExchangedWithoutAudience>,
  ): Promise<KeycloakException> {
    const ofTarget = `${target.scope}\n${target.audience}`;
    const key = `${ofTarget}\n${subject}`;
    const verdict = await (this.#verdicts.get(key) ?? this.#question(ofTarget, key, target, ask));
    return verdict === 'user' ? refusal : misconfigured(target, verdict);
  }

  #question(
    ofTarget: string,
    key: string,
    target: Target,
    ask: () => Promise<ExchangedWithoutAudience>,
  ): Promise<Verdict> | Verdict {
    const asked = this.#asked.get(ofTarget) ?? { times: 0 };
    if (asked.times === 0) this.#asked.set(ofTarget, asked, ANSWER_LIFETIME_MS);
    if (asked.times >= MAX_QUESTIONS) return 'user';
    asked.times += 1;
    const verdict = ask().then(
      (exchanged) => audiencesWith(target, exchanged) ?? 'user',
      () => 'user' as const,
    );
    this.#verdicts.set(key, verdict, ANSWER_LIFETIME_MS);
    return verdict;
  }
}

/** The audiences of a token that has the permission, but not the audience; undefined for any other. */
function audiencesWith(
  { audience, scope }: Target,
  exchanged: ExchangedWithoutAudience,
): readonly string[] | undefined {
  // RFC 6749 §5.1: a scope that is left out is the one that was asked for.
  const granted = parseScope(exchanged.scope ?? scope);
  if (!parseScope(scope).every((token) => granted.includes(token))) return undefined;
  const audiences = unverifiedAudiences(exchanged.accessToken);
  return audiences.includes(audience) ? undefined : audiences;
}

function misconfigured({ audience, scope }: Target, found: readonly string[]): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', {
    reason: found.length === 0 ? 'audience_mapper_missing' : 'audience_mismatch',
    fields: {
      grant: 'token_exchange',
      scope,
      audience,
      ...(found.length === 0 ? {} : { found: loggableText(found.join(' ')) }),
    },
  });
}
