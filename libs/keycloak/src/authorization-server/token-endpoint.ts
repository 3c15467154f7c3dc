/** TokenEndpoint: client credentials and token exchange, their answers checked (RFC 6749 §5, RFC 8693 §2.2). */
import {
  clientCredentialsGrantRequest,
  genericTokenEndpointRequest,
  processClientCredentialsResponse,
  processGenericTokenEndpointResponse,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  type HttpRequestOptions,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import type { Clock } from '../caching/clock.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { isB64Token } from '../protocol/b64token.js';
import { BearerError } from '../protocol/bearer-error.js';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { IssuedToken } from '../protocol/issued-token.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import type { Refusal } from '../protocol/refusal.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedClaims } from '../protocol/unverified-claims.js';
import { subjectTokenText, type VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { ExchangeDiagnosis } from './exchange-diagnosis.js';
import { callEndpoint } from './endpoint-call.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { toServerError } from './server-errors.js';
import { toExchangeError } from './token-endpoint-errors.js';

export class TokenEndpoint {
  readonly #diagnosis: ExchangeDiagnosis;

  constructor(
    private readonly context: OAuthClientContext,
    private readonly metadata: ServerMetadata,
    private readonly policy: CallPolicy,
    /** Scopes that the server adds unasked, because they are defaults of our client. Any other extra is refused. */
    private readonly defaultScopes: readonly string[],
    clock: Clock,
  ) {
    this.#diagnosis = new ExchangeDiagnosis(clock);
  }

  /** RFC 6749 §4.4: a token for this service itself. Throws `AuthorizationServerError`. */
  async clientCredentials(scope: string): Promise<IssuedToken> {
    const asked = { grant: 'client_credentials', scope };
    const response = await this.#run(asked, toServerError, async (server, client, authentication, options) =>
      processClientCredentialsResponse(
        server,
        client,
        await clientCredentialsGrantRequest(server, client, authentication, { scope }, options),
      ),
    );
    return this.#issued(response, asked, (permission) => unusable('scope_not_granted', { scope: permission }));
  }

  /**
   * RFC 8693 §2.1: an access token for an access token, for one audience.
   *
   * Throws `BearerError` (`invalid_token`, `insufficient_scope`) when it fails because of its subject, and
   * `AuthorizationServerError` for all else; which of the two a refusal is, it may ask the server once more.
   */
  async exchange(subject: VerifiedAccessToken, audience: string, scope: string): Promise<IssuedToken> {
    const asked = { grant: 'token_exchange', scope, audience };
    const response = await this.#exchange(subject, asked).catch(async (error: unknown) => {
      if (!(error instanceof BearerError) || error.code !== 'insufficient_scope') throw error;
      throw await this.#diagnosis.of(error, asked, subject.subject, async () => {
        const { access_token, scope: granted } = await this.#exchange(subject, { grant: asked.grant, scope });
        return { accessToken: access_token, scope: granted };
      });
    });
    if (response['issued_token_type'] !== ACCESS_TOKEN_TYPE) {
      throw unusable('issued_token_type_not_as_asked').add(asked);
    }
    return this.#issued(
      response,
      asked,
      (permission) =>
        new BearerError('insufficient_scope', { reason: 'permission_not_granted_to_subject', permission }),
    );
  }

  #exchange(
    subject: VerifiedAccessToken,
    asked: Asked & { readonly audience?: string },
  ): Promise<TokenEndpointResponse> {
    const { scope, audience } = asked;
    const form = {
      subject_token: subjectTokenText(subject),
      subject_token_type: ACCESS_TOKEN_TYPE,
      requested_token_type: ACCESS_TOKEN_TYPE,
      ...(audience === undefined ? {} : { audience }),
      scope,
    };
    return this.#run(
      asked,
      (error) => toExchangeError(error, scope),
      async (server, client, authentication, options) =>
        processGenericTokenEndpointResponse(
          server,
          client,
          await genericTokenEndpointRequest(server, client, authentication, TOKEN_EXCHANGE_GRANT, form, options),
        ),
    );
  }

  async #run(asked: Asked, toError: (error: unknown) => Refusal, send: Send): Promise<TokenEndpointResponse> {
    const { client, clientAuthentication } = this.context;
    const response = await callEndpoint(this.context, this.metadata, this.policy, {
      endpoint: 'token_endpoint',
      asked,
      toError,
      send: async (server, signal) => send(server, client, clientAuthentication, this.context.requestOptions(signal)),
    });
    if (response.token_type !== 'bearer') throw unusable('token_type_not_bearer').add(asked);
    if (!isB64Token(response.access_token)) throw unusable('access_token_not_header_safe').add(asked);
    return response;
  }

  #issued(response: TokenEndpointResponse, asked: Asked, notGranted: (permission: string) => Refusal): IssuedToken {
    // RFC 6749 §5.1: a scope that is left out is the one that was asked for.
    const granted = parseScope(response.scope ?? asked.scope);
    const wanted = parseScope(asked.scope);
    const missing = wanted.find((token) => !granted.includes(token));
    if (missing !== undefined) throw notGranted(missing).add(asked);
    const extra = granted.find((token) => !wanted.includes(token) && !this.defaultScopes.includes(token));
    if (extra !== undefined) throw unusable('scope_not_asked_for', { scope: extra }).add(asked);
    this.context.clockSkew.observeIssuedAt(unverifiedClaims(response.access_token)['iat']);
    return new IssuedToken(response.access_token, granted, response.expires_in ?? 0);
  }
}

/** What was asked for, as the log has it. */
interface Asked extends Readonly<Record<string, unknown>> {
  readonly grant: string;
  readonly scope: string;
}

type Send = (
  server: AuthorizationServer,
  client: Client,
  authentication: ClientAuth,
  options: HttpRequestOptions<'POST', URLSearchParams>,
) => Promise<TokenEndpointResponse>;

/** The server answered well and granted what we can't use: a matter of its configuration or ours. */
function unusable(
  reason: AuthorizationServerErrorReason,
  fields: Readonly<Record<string, unknown>> = {},
): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', { reason, fields });
}
