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
import { isB64Token } from '../protocol/b64token.js';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { callEndpoint } from './endpoint-call.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { toServerError, unusable } from './server-errors.js';
import { toExchangeError } from './token-endpoint-errors.js';

export interface Asked extends Readonly<Record<string, unknown>> {
  readonly grant: 'client_credentials' | 'token_exchange';
  readonly scope: string;
  readonly audience?: string;
  readonly resource?: string;
}

export class TokenCalls {
  constructor(
    private readonly context: OAuthClientContext,
    private readonly metadata: ServerMetadata,
    private readonly policy: CallPolicy,
  ) {}

  async clientCredentials(asked: Asked): Promise<TokenEndpointResponse> {
    return this.#run(asked, toServerError, async (server, client, authentication, options) =>
      processClientCredentialsResponse(
        server,
        client,
        await clientCredentialsGrantRequest(server, client, authentication, formOf(asked), options),
      ),
    );
  }

  async exchange(subjectToken: string, asked: Asked): Promise<TokenEndpointResponse> {
    const form = {
      subject_token: subjectToken,
      subject_token_type: ACCESS_TOKEN_TYPE,
      requested_token_type: ACCESS_TOKEN_TYPE,
      ...formOf(asked),
    };
    return this.#run(
      asked,
      (error) => toExchangeError(error, asked.scope, this.context.profile),
      async (server, client, authentication, options) =>
        processGenericTokenEndpointResponse(
          server,
          client,
          await genericTokenEndpointRequest(server, client, authentication, TOKEN_EXCHANGE_GRANT, form, options),
        ),
    );
  }

  async #run(asked: Asked, toError: (error: unknown) => KeycloakException, send: Send): Promise<TokenEndpointResponse> {
    const { client } = this.context;
    const response = await callEndpoint(this.context, this.metadata, this.policy, {
      endpoint: 'token_endpoint',
      asked,
      toError,
      send: async (server, authentication, signal) =>
        send(server, client, authentication, this.context.requestOptions(signal)),
    });
    if (response.token_type !== 'bearer') throw unusable('token_type_not_bearer').add(asked);
    if (!isB64Token(response.access_token)) throw unusable('access_token_not_header_safe').add(asked);
    return response;
  }
}

const formOf = ({ scope, audience, resource }: Asked): Readonly<Record<string, string>> => ({
  ...(audience === undefined ? {} : { audience }),
  ...(resource === undefined ? {} : { resource }),
  ...(scope === '' ? {} : { scope }),
});

type Send = (
  server: AuthorizationServer,
  client: Client,
  authentication: ClientAuth,
  options: HttpRequestOptions<'POST', URLSearchParams>,
) => Promise<TokenEndpointResponse>;
