/** Exchange diagnosis: whether a refused token exchange is for want of the user's permission, or of the realm's configuration. */
import { DeadlineCache } from '../caching/deadline-cache.js';
import type { Clock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { Refusal } from '../protocol/refusal.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';

/** What an exchange without an audience brought: never given out, only looked at. */
export interface ExchangedWithoutAudience {
  readonly accessToken: string;
  readonly scope: string | undefined;
}

interface Target {
  readonly audience: string;
  readonly scope: string;
}

/** How often at most the second question is asked for one audience and scope; its answer serves meanwhile. */
const PAUSE_MS = 10_000;

/** Audiences and scopes are constants of an application. */
const MAX_TARGETS = 1000;

/**
 * From one answer the two can't be told apart: Keycloak says "Requested audience not available" when the user lacks the role, and so
 * the scope, and so its audience; but also when the scope has no audience mapper, or one for another client. The same exchange without
 * `audience` tells: the permission is in its scope or not.
 */
export class ExchangeDiagnosis {
  readonly #answers: DeadlineCache<'user' | readonly string[]>;

  constructor(clock: Clock) {
    this.#answers = new DeadlineCache(MAX_TARGETS, clock);
  }

  /**
   * `refusal` where it is the user's; else an `AuthorizationServerError`: `audience_mapper_missing` or `audience_mismatch`. When the second
   * question is not answered, it stays the user's.
   */
  async of(refusal: Refusal, target: Target, ask: () => Promise<ExchangedWithoutAudience>): Promise<Refusal> {
    const key = `${target.scope}\n${target.audience}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known === 'user' ? refusal : misconfigured(target, known);
    // Before it is asked: of many who are refused at the same time one asks.
    this.#answers.set(key, 'user', PAUSE_MS);
    const found = audiencesWith(target, await ask().catch(() => undefined));
    if (found === undefined) return refusal;
    this.#answers.set(key, found, PAUSE_MS);
    return misconfigured(target, found);
  }
}

/** The audiences of a token that has the permission, but not the audience; undefined for any other. */
function audiencesWith(
  { audience, scope }: Target,
  exchanged: ExchangedWithoutAudience | undefined,
): readonly string[] | undefined {
  const granted = parseScope(exchanged?.scope ?? '');
  if (exchanged === undefined || !parseScope(scope).every((token) => granted.includes(token))) return undefined;
  const { aud = [] } = unverifiedClaims(exchanged.accessToken);
  const audiences = [aud].flat().filter((one) => typeof one === 'string');
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
