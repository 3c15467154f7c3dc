/** `OwnTokenProbe` returns scopes, audiences and lifetimes, but never a token. */
import type { TokenEndpointResponse } from 'oauth4webapi';
import type { Clock } from '../caching/clock.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { parseScope } from '../protocol/scope.js';
import { unverifiedAudiences } from '../protocol/unverified-claims.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import type { ServerMetadata } from './metadata.js';
import type { OAuthClientContext } from './oauth-client-context.js';
import { TokenCalls } from './token-calls.js';

export interface GrantedToken {
  readonly scope: readonly string[];
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number | undefined;
}

const SUBJECT_LIFETIME_MS = 10_000;

/** The probe leaves sessions in Keycloak if client credentials grants return refresh tokens (not the default). */
export class OwnTokenProbe {
  readonly #calls: TokenCalls;
  #subject: { readonly token: Promise<string>; readonly untilMs: number } | undefined;

  constructor(
    private readonly context: OAuthClientContext,
    metadata: ServerMetadata,
    policy: CallPolicy,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.#calls = new TokenCalls(context, metadata, policy);
  }

  async ownToken(scope: string): Promise<GrantedToken> {
    return granted(await this.#own(scope), scope);
  }

  /** Only Keycloak with the feature `resource-indicators` reads `resource` here, and refuses a value that is not a URI. */
  async refusesUnknownResource(): Promise<boolean> {
    const asked = { grant: 'client_credentials', scope: '', resource: 'sent-by-doctor' } as const;
    return this.#calls.clientCredentials(asked).then(
      () => false,
      (failure: unknown) => {
        if (failure instanceof KeycloakException && failure.reason === 'answered_400_invalid_target') return true;
        throw failure;
      },
    );
  }

  /** Exchanges this service's own token; without `audience`, the scope determines the audience. */
  async exchange(scope: string, audience?: string): Promise<GrantedToken> {
    const asked = { grant: 'token_exchange', scope, ...(audience === undefined ? {} : { audience }) } as const;
    return granted(await this.#calls.exchange(await this.#subjectToken(), asked), scope);
  }

  async #own(scope: string): Promise<TokenEndpointResponse> {
    const response = await this.#calls.clientCredentials({ grant: 'client_credentials', scope });
    this.context.clockSkew.observeIssued(response.access_token);
    return response;
  }

  #subjectToken(): Promise<string> {
    const nowMs = this.clock.monotonicMs();
    if (this.#subject === undefined || nowMs >= this.#subject.untilMs) {
      const token = this.#own('').then(({ access_token }) => access_token);
      const subject = { token, untilMs: nowMs + SUBJECT_LIFETIME_MS };
      this.#subject = subject;
      token.catch(() => {
        if (this.#subject === subject) this.#subject = undefined;
      });
    }
    return this.#subject.token;
  }
}

function granted(response: TokenEndpointResponse, asked: string): GrantedToken {
  const { access_token, scope = asked, expires_in } = response;
  return { scope: parseScope(scope), audiences: unverifiedAudiences(access_token), lifetimeSeconds: expires_in };
}
