/** Introspection: asks the authorization server about a token, with our own credentials (RFC 7662 §2). */
import { introspectionRequest, processIntrospectionResponse } from 'oauth4webapi';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { ServerMetadata } from './metadata.js';
import { toServerError } from './server-answer.js';
import type { ServerConnection } from './server-connection.js';

/** The token goes in the body of a POST, never in a URL. An answer is not a verdict: `judge-access-token.ts` gives that. */
export class Introspection {
  constructor(
    private readonly connection: ServerConnection,
    private readonly metadata: ServerMetadata,
  ) {}

  /** Throws `AuthorizationServerError` when there is no usable answer; never says "inactive" for a failure of ours. */
  async introspect(token: string): Promise<IntrospectionAnswer> {
    const server = await this.metadata.get();
    const { client, clientAuthentication } = this.connection;
    try {
      const response = await introspectionRequest(server, client, clientAuthentication, token, {
        ...this.connection.requestOptions(),
        additionalParameters: { token_type_hint: 'access_token' },
      });
      return { ...(await processIntrospectionResponse(server, client, response)) };
    } catch (error) {
      throw toServerError(error);
    }
  }
}
