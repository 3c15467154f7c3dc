/** TokenEndpoint: client credentials and token exchange, their answers checked (RFC 6749 §5, RFC 8693 §2.2). */
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
    /** Scopes that the server adds unasked, because they are defaults of our client. Any other extra is refused. */
    private readonly expectedDefaultScopes: readonly string[],
    clock: Clock,
  ) {
    this.#calls = new TokenCalls(context, metadata, policy);
    this.#diagnosis = new ExchangeDiagnosis(clock);
  }

  /** RFC 6749 §4.4: a token for this service itself. Throws `AuthorizationServerError`. */
  async clientCredentials(scope: string): Promise<IssuedToken> {
    const asked: Asked = { grant: 'client_credentials', scope };
    const response = await this.#calls.clientCredentials(asked);
    return this.#issued(response, asked, (permission) => unusable('scope_not_granted', { scope: permission }));
  }

  /**
   * RFC 8693 §2.1: an access token for an access token, for one audience.
   *
   * Throws `BearerError` (`invalid_token`, `insufficient_scope`) when it fails because of its subject, and
   * `AuthorizationServerError` for all else; which of the two a refusal is, it may ask the server once more.
   */
  async exchange(subject: VerifiedAccessToken, audience: string, scope: string): Promise<IssuedToken> {
    const asked = { grant: 'token_exchange', scope, audience } as const;
    const subjectToken = subjectTokenText(subject);
    const response = await this.#calls.exchange(subjectToken, asked).catch(async (error: unknown) => {
      // Audience mappers are of Keycloak.
      const isOfUser = error instanceof BearerError && error.code === 'insufficient_scope';
      if (!isOfUser || this.context.profile !== 'keycloak') throw error;
      throw await this.#diagnosis.of(error, asked, subject.subject, async () => {
        const withoutAudience = await this.#calls.exchange(subjectToken, { grant: asked.grant, scope });
        return { accessToken: withoutAudience.access_token, scope: withoutAudience.scope };
      });
    });
    if (response['issued_token_type'] !== ACCESS_TOKEN_TYPE) {
      throw unusable('issued_token_type_not_as_asked').add(this.#logged(asked));
    }
    // Of one that is opaque nobody knows.
    const audiences = unverifiedAudiences(response.access_token);
    if (audiences.some((named) => named !== audience)) {
      throw unusable('audience_mismatch', { found: loggableText(audiences.join(' ')) }).add(this.#logged(asked));
    }
    return this.#issued(
      response,
      asked,
      (permission) =>
        new BearerError('insufficient_scope', { reason: 'permission_not_granted_to_subject', permission }),
    );
  }

  #issued(
    response: TokenEndpointResponse,
    asked: Asked,
    notGranted: (permission: string) => KeycloakException,
  ): IssuedToken {
    // RFC 6749 §5.1: a scope that is left out is the one that was asked for.
    const granted = parseScope(response.scope ?? asked.scope);
    const wanted = parseScope(asked.scope);
    const missing = wanted.find((token) => !granted.includes(token));
    if (missing !== undefined) throw notGranted(missing).add(this.#logged(asked));
    const extra = granted.find((token) => !wanted.includes(token) && !this.expectedDefaultScopes.includes(token));
    if (extra !== undefined) throw unusable('scope_not_asked_for', { scope: extra }).add(this.#logged(asked));
    this.context.clockSkew.observeIssued(response.access_token);
    return new IssuedToken(response.access_token, granted, response.expires_in ?? 0);
  }

  /** Adds the client to the request, for the log. */
  #logged(asked: Asked): Readonly<Record<string, unknown>> {
    return { ...asked, client: this.context.client.client_id };
  }
}
