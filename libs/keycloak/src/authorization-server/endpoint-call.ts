import type { AuthorizationServer, ClientAuth } from 'oauth4webapi';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { addressOf } from './bounded-fetch.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';

export interface EndpointCall<T> {
  readonly endpoint: 'token_endpoint' | 'introspection_endpoint';
  /** The log fields of the request, without tokens and secrets. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly send: (server: AuthorizationServer, authentication: ClientAuth, signal: AbortSignal) => Promise<T>;
  readonly toError: (error: unknown) => KeycloakException;
  readonly signal?: AbortSignal | undefined;
}

export async function callEndpoint<T>(
  { authenticator, client }: OAuthClientContext,
  metadata: ServerMetadata,
  policy: CallPolicy,
  { endpoint, asked, send, toError, signal }: EndpointCall<T>,
): Promise<T> {
  let url: string | undefined;
  try {
    return await policy.run(
      async () => {
        const server = await metadata.get();
        url = server[endpoint];
        return server;
      },
      (server, deadline) =>
        authenticator
          .run((authentication) => send(server, authentication, deadline))
          .catch((error: unknown) => Promise.reject(toError(error))),
      { signal },
    );
  } catch (error) {
    // All waiting callers share a metadata error, which already names the endpoint.
    if (!(error instanceof KeycloakException) || url === undefined) throw error;
    throw error.add({ ...asked, client: client.client_id, endpoint: addressOf(new URL(url)) });
  }
}
