import { discoveryRequest, processDiscoveryResponse, type AuthorizationServer } from 'oauth4webapi';
import { Flights } from '../caching/flights.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import { loggableText } from '../protocol/loggable-text.js';
import type { CallPolicy } from '../resilience/call-policy.js';
import { addressOf } from './bounded-fetch.js';
import { toRefusal, toServerError } from './server-errors.js';
import type { OAuthClientContext } from './oauth-client-context.js';

const ENDPOINTS = ['token_endpoint', 'introspection_endpoint'] as const;

export class ServerMetadata {
  readonly #flights = new Flights<AuthorizationServer>();
  #cached: AuthorizationServer | undefined;

  constructor(
    private readonly context: OAuthClientContext,
    private readonly policy: CallPolicy,
  ) {}

  /** Reads the metadata on first use, so a service can start before the server. */
  async get(): Promise<AuthorizationServer> {
    return this.#cached ?? this.refresh();
  }

  async refresh(signal?: AbortSignal): Promise<AuthorizationServer> {
    return this.#flights.run('metadata', async () => {
      this.#cached = await this.policy.run(nothing, async (_, deadline) => this.#read(deadline), { signal });
      return this.#cached;
    });
  }

  /** `jwks_uri` (RFC 8414 §2) is checked only here, because not every service needs the key set. */
  async keySetUrl(): Promise<URL> {
    return this.#checkEndpoint('jwks_uri', (await this.get()).jwks_uri);
  }

  async #read(signal: AbortSignal): Promise<AuthorizationServer> {
    const { issuer, realmUrl } = this.context;
    let metadata: AuthorizationServer;
    try {
      const response = await this.#request(signal);
      if (response.status === 404) throw misconfigured('realm_not_found', { endpoint: realmUrl.href });
      if (response.status >= 400) throw (await toRefusal(response)).add({ endpoint: realmUrl.href });
      metadata = await processDiscoveryResponse(new URL(issuer), response);
    } catch (error) {
      if (isIssuerMismatch(error))
        throw issuerMismatch(issuer, error.cause?.body?.issuer).add({ endpoint: realmUrl.href });
      throw toServerError(error);
    }
    // The metadata must contain exactly the string of the configured issuer (RFC 8414 §3.3).
    if (metadata.issuer !== issuer) throw issuerMismatch(issuer, metadata.issuer);
    for (const endpoint of ENDPOINTS) this.#checkEndpoint(endpoint, metadata[endpoint]);
    return metadata;
  }

  /** A server may support only RFC 8414 §3, or only OpenID Connect Discovery. */
  async #request(signal: AbortSignal): Promise<Response> {
    const { realmUrl, profile } = this.context;
    const options = this.context.requestOptions(signal);
    if (profile !== 'keycloak') {
      const response = await discoveryRequest(realmUrl, { ...options, algorithm: 'oauth2' }).catch(pageOrThrow);
      if (response !== undefined && !isNothing(response)) return response;
    }
    return discoveryRequest(realmUrl, options);
  }

  /** Endpoints receive secrets and tokens, so they must have the origin of the realm URL or of the issuer. */
  #checkEndpoint(name: string, url: string | undefined): URL {
    if (url === undefined || !URL.canParse(url)) throw misconfigured('endpoint_missing', { endpoint: name });
    const parsed = new URL(url);
    const { origin } = parsed;
    if (origin !== this.context.realmUrl.origin && origin !== new URL(this.context.issuer).origin) {
      throw misconfigured('endpoint_on_foreign_origin', { endpoint: name, origin });
    }
    return parsed;
  }
}

const MAX_ISSUER_LENGTH = 500;

/** Whether the status shows that the server has no metadata document at this path. */
const isNothing = ({ status }: Response): boolean => status !== 200 && status < 500 && status !== 408 && status !== 429;

/** Some servers answer every path with an HTML page. */
function pageOrThrow(error: unknown): undefined {
  if (error instanceof AuthorizationServerError && error.reason === 'answer_not_json') return undefined;
  throw error;
}

const nothing = async (): Promise<undefined> => undefined;

interface IssuerMismatch {
  readonly cause?: { readonly body?: { readonly issuer?: unknown } };
}

function isIssuerMismatch(error: unknown): error is IssuerMismatch {
  return error instanceof Error && 'code' in error && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED';
}

function issuerMismatch(configured: string, found: unknown): AuthorizationServerError {
  // `loggableText` could mistake a long realm name in a URL for a secret.
  const isUrl = typeof found === 'string' && found.length <= MAX_ISSUER_LENGTH && URL.canParse(found);
  return misconfigured('issuer_mismatch', {
    configured,
    found: isUrl ? addressOf(new URL(found)) : loggableText(found),
  });
}

function misconfigured(
  reason: AuthorizationServerErrorReason,
  fields: Readonly<Record<string, unknown>>,
): AuthorizationServerError {
  return new AuthorizationServerError('authorization_server_refused', { reason, fields });
}
