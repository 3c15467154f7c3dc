/** Introspection: asks the authorization server about a token, with our own credentials (RFC 7662 §2). */
import { introspectionRequest, processIntrospectionResponse, type AuthorizationServer } from 'oauth4webapi';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { CallPolicy } from './call-policy.js';
import type { ServerMetadata } from './metadata.js';
import { toServerError } from './server-answer.js';
import type { ServerConnection } from './server-connection.js';

/** The token goes in the body of a POST, never in a URL. An answer is not a verdict: `judge-access-token.ts` gives that. */
export class Introspection {
  constructor(
    private readonly connection: ServerConnection,
    private readonly metadata: ServerMetadata,
    private readonly policy: CallPolicy,
  ) {}

  /** Throws `AuthorizationServerError` when there is no usable answer; never says "inactive" for a failure of ours. */
  async introspect(token: string): Promise<IntrospectionAnswer> {
    return this.policy.run(
      async () => this.metadata.get(),
      async (server, signal) => this.#ask(server, token, signal),
    );
  }

  async #ask(server: AuthorizationServer, token: string, signal: AbortSignal): Promise<IntrospectionAnswer> {
    const { client, clientAuthentication } = this.connection;
    try {
      const response = await introspectionRequest(server, client, clientAuthentication, token, {
        ...this.connection.requestOptions(signal),
        additionalParameters: { token_type_hint: 'access_token' },
      });
      return { ...(await processIntrospectionResponse(server, client, response)) };
    } catch (error) {
      throw toServerError(error);
    }
  }
}
