import { randomUUID } from 'node:crypto';
import { ACCESS_TOKEN_TYPE, CLIENT_CREDENTIALS_GRANT, TOKEN_EXCHANGE_GRANT } from '../../protocol/identifiers.js';
import { parseScope } from '../../protocol/scope.js';
import type { ProfileName } from '../../protocol/token-profile.js';
import { claimsOf } from '../test-access-token.js';
import { noAnswerFor, type NetworkFault, type SentAnswer, type SentRequest } from './in-memory-connections.js';
import { secondsLeft, type TestToken, type TestTokens } from './test-tokens.js';

export interface TestedClient {
  readonly issuer: string;
  readonly realmUrl: string;
  readonly clientId: string;
  readonly profile?: ProfileName | undefined;
}

const LIFETIME_SECONDS = 300;

/**
 * Replaces Keycloak for one application under test, and answers in memory. Keycloak would report a token of another
 * audience or issuer as inactive. `TestAuthorizationServer` returns the claims of every token, so the application
 * itself must refuse a wrong audience or issuer.
 *
 * This server does *not* check client secrets, and grants every scope that `grantableScopes` permits.
 */
export class TestAuthorizationServer {
  #fault: NetworkFault | undefined;

  constructor(
    /** @internal */
    readonly client: TestedClient,
    /** @internal */
    readonly tokens: TestTokens,
    private readonly keySet?: object,
  ) {}

  /**
   * Makes every request fail with `fault` until `recover()`. The application can still use cached results, but repeated
   * failures open its circuit breaker.
   */
  fail(fault: NetworkFault): void {
    this.#fault = fault;
  }

  recover(): void {
    this.#fault = undefined;
  }

  /** @internal */
  async answer(request: SentRequest): Promise<SentAnswer> {
    if (this.#fault !== undefined) throw noAnswerFor(this.#fault);
    const { realmUrl } = this.client;
    const form = new URLSearchParams(String(request.body ?? ''));
    switch (`${request.method} ${request.origin}${request.path}`) {
      case `GET ${realmUrl}/.well-known/openid-configuration`:
        return json(200, this.#metadata());
      case `POST ${realmUrl}/protocol/openid-connect/token/introspect`:
        return json(200, introspected(this.tokens.find(form.get('token'))));
      case `POST ${realmUrl}/protocol/openid-connect/token`:
        return this.#token(form);
      case `GET ${realmUrl}/protocol/openid-connect/certs`:
        return json(200, this.keySet ?? { keys: [] });
      default:
        return json(404, { error: 'not_found' });
    }
  }

  #metadata(): object {
    const { issuer, realmUrl } = this.client;
    const endpoints = `${realmUrl}/protocol/openid-connect`;
    return {
      issuer,
      token_endpoint: `${endpoints}/token`,
      introspection_endpoint: `${endpoints}/token/introspect`,
      jwks_uri: `${endpoints}/certs`,
    };
  }

  #token(form: URLSearchParams): SentAnswer {
    const scope = form.get('scope') ?? '';
    const client = this.client.clientId;
    switch (form.get('grant_type')) {
      case CLIENT_CREDENTIALS_GRANT:
        return this.#issue({ subject: `service-account-${client}`, scope, grant: 'client_credentials' });
      case TOKEN_EXCHANGE_GRANT: {
        const subject = this.tokens.find(form.get('subject_token'));
        const audience = form.get('audience') ?? '';
        // The application parses Keycloak's error descriptions, so this server returns the same texts.
        if (subject === undefined || secondsLeft(subject) <= 0) return refusal('Invalid token');
        const { grantableScopes, claims } = subject;
        const isGrantable = parseScope(scope).every((asked) => grantableScopes?.includes(asked) ?? true);
        if (!isGrantable || grantableScopes?.length === 0) {
          return refusal(`Requested audience not available: ${audience}`);
        }
        return this.#issue({ subject: String(claims['sub']), audience, scope, grant: 'token_exchange', from: subject });
      }
      default:
        return json(400, { error: 'unsupported_grant_type', error_description: 'Unsupported grant_type' });
    }
  }

  #issue(wanted: {
    readonly subject: string;
    readonly audience?: string;
    readonly scope: string;
    readonly grant: TestToken['grant'];
    readonly from?: TestToken;
  }): SentAnswer {
    const { subject, audience, scope, grant, from } = wanted;
    const { issuer, clientId, profile } = this.client;
    const expiresInSeconds = Math.min(LIFETIME_SECONDS, from === undefined ? Infinity : secondsLeft(from));
    const sid = from?.claims['sid'];
    const claims = claimsOf(
      // In production, the realm decides the audience of a client credentials token, so this server sets no audience.
      { subject, client: clientId, expiresInSeconds, claims: { aud: audience, scope, sid, jti: randomUUID() } },
      { issuer, audience: '', profile },
    );
    const access_token = this.tokens.add({ claims, grant, grantableScopes: from?.grantableScopes });
    const type = grant === 'token_exchange' ? { issued_token_type: ACCESS_TOKEN_TYPE } : {};
    return json(200, { access_token, expires_in: expiresInSeconds, token_type: 'Bearer', scope, ...type });
  }
}

/** Returns the introspection response (RFC 7662 §2.2) with the members that Keycloak sends. */
function introspected(token: TestToken | undefined): object {
  // Like Keycloak, this server ignores the clock tolerance of the application.
  if (token === undefined || secondsLeft(token) < 0) return { active: false };
  const { azp, client_id = azp, typ = 'Bearer', preferred_username } = token.claims;
  return { ...token.claims, client_id, username: preferred_username, token_type: typ, active: true };
}

const refusal = (error_description: string): SentAnswer => json(400, { error: 'invalid_request', error_description });

const json = (status: number, body: object): SentAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
