import { DeadlineCache } from '../caching/deadline-cache.js';
import type { Clock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';

export interface ExchangedWithoutAudience {
  readonly accessToken: string;
  readonly scope: string | undefined;
}

interface Target {
  readonly audience: string;
  readonly scope: string;
}

const ANSWER_LIFETIME_MS = 10_000;

/** The maximum number of diagnostic exchanges per audience and scope within `ANSWER_LIFETIME_MS`. */
const MAX_QUESTIONS = 10;

const MAX_ENTRIES = 1000;

type Verdict = 'user' | readonly string[];

/**
 * Keycloak's error "Requested audience not available" means that either a role of the user or an audience mapper is
 * missing. A second exchange, without `audience`, shows whether the role or the mapper is missing.
 */
export class ExchangeDiagnosis {
  readonly #verdicts: DeadlineCache<Promise<Verdict>>;
  readonly #asked: DeadlineCache<{ times: number }>;

  constructor(clock: Clock) {
    this.#verdicts = new DeadlineCache(MAX_ENTRIES, clock);
    this.#asked = new DeadlineCache(MAX_ENTRIES, clock);
  }

  /** Returns `refusal`, unless the second exchange shows a configuration error. */
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

function audiencesWith(
  { audience, scope }: Target,
  exchanged: ExchangedWithoutAudience,
): readonly string[] | undefined {
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
