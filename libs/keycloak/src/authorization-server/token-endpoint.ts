/** TokenEndpoint: form parameters in, an issued token out, the answer checked (RFC 6749 §5, RFC 8693 §2.2). */
import {
  clientCredentialsGrantRequest,
  genericTokenEndpointRequest,
  processClientCredentialsResponse,
  processGenericTokenEndpointResponse,
  type AuthorizationServer,
  type HttpRequestOptions,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { isB64Token } from '../protocol/b64token.js';
import { BearerError } from '../protocol/bearer-error.js';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { IssuedToken } from '../protocol/issued-token.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import { parseScope } from '../protocol/scope.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { toTokenRefusal } from './token-endpoint-errors.js';
import type { TokenRequestParameters } from './token-request-parameters.js';

export class TokenEndpoint {
  constructor(
    private readonly context: OAuthClientContext,
    private readonly metadata: ServerMetadata,
    private readonly policy: CallPolicy,
    /** Scopes that the server adds unasked, because they are defaults of our client. Any other extra is refused. */
    private readonly defaultScopes: readonly string[],
  ) {}

  /**
   * Throws `BearerError` (`invalid_token`, `insufficient_scope`) when an exchange fails because of its subject, and
   * `AuthorizationServerError` for all else.
   */
  async request(parameters: TokenRequestParameters): Promise<IssuedToken> {
    const response = await this.policy.run(
      async () => this.metadata.get(),
      async (server, signal) => this.#ask(server, parameters, signal),
    );
    return this.#check(response, parameters);
  }

  async #ask(
    server: AuthorizationServer,
    parameters: TokenRequestParameters,
    signal: AbortSignal,
  ): Promise<TokenEndpointResponse> {
    try {
      return await this.#send(server, parameters, this.context.requestOptions(signal));
    } catch (error) {
      throw toTokenRefusal(error, parameters);
    }
  }

  async #send(
    server: AuthorizationServer,
    parameters: TokenRequestParameters,
    options: HttpRequestOptions<'POST', URLSearchParams>,
  ): Promise<TokenEndpointResponse> {
    const { client, clientAuthentication } = this.context;
    if (parameters.grant_type === TOKEN_EXCHANGE_GRANT) {
      const { subject_token, audience, scope } = parameters;
      const form = {
        subject_token,
        subject_token_type: ACCESS_TOKEN_TYPE,
        requested_token_type: ACCESS_TOKEN_TYPE,
        audience,
        scope,
      };
      const answer = await genericTokenEndpointRequest(
        server,
        client,
        clientAuthentication,
        TOKEN_EXCHANGE_GRANT,
        form,
        options,
      );
      return processGenericTokenEndpointResponse(server, client, answer);
    }
    const form = { scope: parameters.scope };
    const answer = await clientCredentialsGrantRequest(server, client, clientAuthentication, form, options);
    return processClientCredentialsResponse(server, client, answer);
  }

  #check(response: TokenEndpointResponse, parameters: TokenRequestParameters): IssuedToken {
    if (response.token_type !== 'bearer') throw unusable('token_type_not_bearer');
    if (!isB64Token(response.access_token)) throw unusable('access_token_not_header_safe');
    if (parameters.grant_type === TOKEN_EXCHANGE_GRANT && response['issued_token_type'] !== ACCESS_TOKEN_TYPE) {
      throw unusable('issued_token_type_not_as_asked');
    }
    // RFC 6749 §5.1: a scope that is left out is the one that was asked for.
    const granted = parseScope(response.scope ?? parameters.scope);
    const asked = parseScope(parameters.scope);
    const missing = asked.find((token) => !granted.includes(token));
    if (missing !== undefined) throw scopeNotGranted(missing, parameters);
    const extra = granted.find((token) => !asked.includes(token) && !this.defaultScopes.includes(token));
    if (extra !== undefined) throw unusable('scope_not_asked_for', { scope: extra });
    return new IssuedToken(response.access_token, granted, response.expires_in ?? 0);
  }
}

function scopeNotGranted(permission: string, { grant_type }: TokenRequestParameters): Error {
  return grant_type === TOKEN_EXCHANGE_GRANT
    ? new BearerError('insufficient_scope', { reason: 'permission_not_granted_to_subject', permission })
    : unusable('scope_not_granted', { scope: permission });
}

/** The server answered well and granted what we can't use: a matter of its configuration or ours. */
function unusable(
  reason: AuthorizationServerErrorReason,
  fields: Readonly<Record<string, unknown>> = {},
): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', { reason, fields });
}
