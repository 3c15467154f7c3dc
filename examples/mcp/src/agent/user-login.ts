import { randomUUID } from 'node:crypto';
import type { OAuthClientMetadata, OAuthClientProvider, OAuthTokens } from '@modelcontextprotocol/client';
import { logIn } from './log-in.js';

export interface User {
  readonly username: string;
  readonly password: string;
}

/** A login has granted less than the tools asked for, so the same login would not help. */
export class PermissionDenied extends Error {}

const REDIRECT_URI = 'http://localhost:7999/callback';

type Discovery = Awaited<ReturnType<NonNullable<OAuthClientProvider['discoveryState']>>>;

/** The official client calls these methods during the code flow with PKCE. */
export class UserLogin implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata: OAuthClientMetadata = {
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code'],
  };
  readonly #state = randomUUID();
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  #discovery: Discovery;
  #callback: URLSearchParams | undefined;
  #asked: readonly string[] = [];

  constructor(
    private readonly user: User,
    private readonly onLogin: (scopes: readonly string[]) => void,
  ) {}

  state = (): string => this.#state;
  clientInformation = () => ({ client_id: 'agent' });
  tokens = (): OAuthTokens | undefined => this.#tokens;
  saveTokens = (tokens: OAuthTokens): void => void (this.#tokens = tokens);
  codeVerifier = (): string => this.#verifier;
  saveCodeVerifier = (verifier: string): void => void (this.#verifier = verifier);
  discoveryState = (): Discovery => this.#discovery;
  saveDiscoveryState = (state: Discovery): void => void (this.#discovery = state);

  async redirectToAuthorization(url: URL): Promise<void> {
    const denied = this.deniedScopes;
    if (denied.length > 0) throw new PermissionDenied(denied.join(' '));
    this.#asked = url.searchParams.get('scope')?.split(' ') ?? [];
    this.onLogin(this.#asked);
    this.#callback = await logIn(url, this.user.username, this.user.password);
  }

  takeCallback(): URLSearchParams {
    const callback = this.#callback;
    this.#callback = undefined;
    if (callback?.get('state') !== this.#state) throw new Error('The callback belongs to another login');
    return callback;
  }

  get accessToken(): string {
    return this.#tokens?.access_token ?? '';
  }

  /** Keycloak omits a scope that the user may not have, and issues the token without it. */
  get deniedScopes(): string[] {
    const granted = this.#tokens?.scope?.split(' ');
    return granted === undefined ? [] : this.#asked.filter((scope) => !granted.includes(scope));
  }
}
