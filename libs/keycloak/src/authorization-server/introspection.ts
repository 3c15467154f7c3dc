/** Introspection: asks the authorization server about a token, with our own credentials (RFC 7662 §2). */
import { introspectionRequest, processIntrospectionResponse, ResponseBodyError } from 'oauth4webapi';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { callEndpoint } from './endpoint-call.js';
import type { ServerMetadata } from './metadata.js';
import { toServerError } from './server-errors.js';
import type { OAuthClientContext } from './oauth-client-context.js';

/** The token goes in the body of a POST, never in a URL. An answer is not a verdict: `judge-access-token.ts` gives that. */
export class Introspection {
  constructor(
    private readonly context: OAuthClientContext,
    private readonly metadata: ServerMetadata,
    private readonly policy: CallPolicy,
    /** For tokens that were active before: a flood of other tokens must not delay them. */
    private readonly renewalPolicy: CallPolicy,
  ) {}

  /** Throws `AuthorizationServerError` when there is no usable answer; never says "inactive" for a failure of ours. */
  async introspect(token: string): Promise<IntrospectionAnswer> {
    return this.#run(token, this.policy);
  }

  /** The same for a token that was found active a moment ago. */
  async renew(token: string): Promise<IntrospectionAnswer> {
    return this.#run(token, this.renewalPolicy);
  }

  async #run(token: string, policy: CallPolicy): Promise<IntrospectionAnswer> {
    const { client, profile } = this.context;
    return callEndpoint(this.context, this.metadata, policy, {
      endpoint: 'introspection_endpoint',
      asked: {},
      toError: toServerError,
      send: async (server, authentication, signal) => {
        const response = await introspectionRequest(server, client, authentication, token, {
          ...this.context.requestOptions(signal),
          additionalParameters: { token_type_hint: 'access_token' },
        });
        return processIntrospectionResponse(server, client, response).then(
          (answer) => ({ ...answer }),
          (error: unknown) => {
            if (profile === 'rfc7662' && isOfUnsupportedToken(error)) return INACTIVE;
            throw error;
          },
        );
      },
    });
  }
}

const INACTIVE: IntrospectionAnswer = { active: false };

/** Of RFC 7009 §2.2.1, and by some servers for JWTs that they are asked about here. It is who sent the token that is at fault, and not this service. */
const isOfUnsupportedToken = (error: unknown): boolean =>
  error instanceof ResponseBodyError && error.status === 400 && error.error === 'unsupported_token_type';
