import { introspectionRequest, processIntrospectionResponse, ResponseBodyError } from 'oauth4webapi';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { callEndpoint } from './endpoint-call.js';
import type { ServerMetadata } from './metadata.js';
import { toServerError } from './server-errors.js';
import type { OAuthClientContext } from './oauth-client-context.js';

/** Sends the token in the body of a POST, never in a URL (RFC 7662 §2). */
export class Introspection {
  constructor(
    private readonly context: OAuthClientContext,
    private readonly metadata: ServerMetadata,
    private readonly policy: CallPolicy,
    /** With a separate policy, a flood of unknown tokens can't delay renewals. */
    private readonly renewalPolicy: CallPolicy,
  ) {}

  /** Introspects `token`. Rejects if the introspection fails, and never reports a failure as an inactive token. */
  async introspect(token: string, signal?: AbortSignal): Promise<IntrospectionAnswer> {
    return this.#run(token, this.policy, signal);
  }

  async renew(token: string): Promise<IntrospectionAnswer> {
    return this.#run(token, this.renewalPolicy);
  }

  async #run(token: string, policy: CallPolicy, signal?: AbortSignal): Promise<IntrospectionAnswer> {
    const { client, profile } = this.context;
    return callEndpoint(this.context, this.metadata, policy, {
      endpoint: 'introspection_endpoint',
      asked: {},
      toError: toServerError,
      signal,
      send: async (server, authentication, deadline) => {
        const response = await introspectionRequest(server, client, authentication, token, {
          ...this.context.requestOptions(deadline),
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

/** Some servers return `unsupported_token_type` for a JWT (RFC 7009 §2.2.1). */
const isOfUnsupportedToken = (error: unknown): boolean =>
  error instanceof ResponseBodyError && error.status === 400 && error.error === 'unsupported_token_type';
