import type { TokenEndpointResponse } from 'oauth4webapi';
import type { Clock } from '../caching/clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import { ACCESS_TOKEN_TYPE } from '../protocol/identifiers.js';
import { IssuedToken } from '../protocol/issued-token.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { loggableText } from '../protocol/loggable-text.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';
import { subjectTokenText, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { ExchangeDiagnosis } from './exchange-diagnosis.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { unusable } from './server-errors.js';
import { TokenCalls, type Asked } from './token-calls.js';

export class TokenEndpoint {
  readonly #calls: TokenCalls;
  readonly #diagnosis: ExchangeDiagnosis;

  constructor(
    private readonly context: OAuthClientContext,
    metadata: ServerMetadata,
    policy: CallPolicy,
    private readonly expectedDefaultScopes: readonly string[],
    clock: Clock,
  ) {
    this.#calls = new TokenCalls(context, metadata, policy);
    this.#diagnosis = new ExchangeDiagnosis(clock);
  }

  async clientCredentials(scope: string): Promise<IssuedToken> {
    const asked: Asked = { grant: 'client_credentials', scope };
    const response = await this.#calls.clientCredentials(asked);
    return this.#issued(response, asked, (permission) => unusable('scope_not_granted', { scope: permission }));
  }

  /**
   * Exchanges a token (RFC 8693 §2.1, §2.2), and may make a second exchange to find the cause of a refusal.
   *
   * @throws {BearerError} `invalid_token` or `insufficient_scope`, if the subject is the cause.
   * @throws {AuthorizationServerError} For any other failure.
   */
  async exchange(subject: VerifiedAccessToken, audience: string, scope: string): Promise<IssuedToken> {
    const asked = { grant: 'token_exchange', scope, audience } as const;
    const subjectToken = subjectTokenText(subject);
    const response = await this.#calls.exchange(subjectToken, asked).catch(async (error: unknown) => {
      // Only Keycloak has audience mappers.
      const isOfUser = error instanceof BearerError && error.reason === 'permission_not_granted_to_subject';
      if (!isOfUser || this.context.profile !== 'keycloak') throw error;
      throw await this.#diagnosis.of(error, asked, subject.subject, async () => {
        const withoutAudience = await this.#calls.exchange(subjectToken, { grant: asked.grant, scope });
        return { accessToken: withoutAudience.access_token, scope: withoutAudience.scope };
      });
    });
    if (response['issued_token_type'] !== ACCESS_TOKEN_TYPE) {
      throw unusable('issued_token_type_not_as_asked').add(this.#logged(asked));
    }
    // `audiences` is empty for an opaque token, whose audience can't be checked.
    const audiences = unverifiedAudiences(response.access_token);
    if (audiences.some((named) => named !== audience)) {
      throw unusable('audience_mismatch', { found: loggableText(audiences.join(' ')) }).add(this.#logged(asked));
    }
    return this.#issued(
      response,
      asked,
      (permission) =>
        new BearerError('insufficient_scope', {
          reason: 'permission_not_granted_to_subject',
          permission,
          scopes: [],
        }),
    );
  }

  #issued(
    response: TokenEndpointResponse,
    asked: Asked,
    notGranted: (permission: string) => KeycloakException,
  ): IssuedToken {
    // A response without a scope grants the requested scope (RFC 6749 §5.1).
    const granted = parseScope(response.scope ?? asked.scope);
    const wanted = parseScope(asked.scope);
    const missing = wanted.find((token) => !granted.includes(token));
    if (missing !== undefined) throw notGranted(missing).add(this.#logged(asked));
    const extra = granted.find((token) => !wanted.includes(token) && !this.expectedDefaultScopes.includes(token));
    if (extra !== undefined) throw unusable('scope_not_asked_for', { scope: extra }).add(this.#logged(asked));
    this.context.clockSkew.observeIssued(response.access_token);
    return new IssuedToken(response.access_token, granted, response.expires_in ?? 0);
  }

  #logged(asked: Asked): Readonly<Record<string, unknown>> {
    return { ...asked, client: this.context.client.client_id };
  }
}
