/** AuthorizationRequest: a request of a client to the authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1). */
import type { RealmClient } from '../realm/realm-representation.js';

/** Where the answer goes. */
export interface Callback {
  readonly redirectUri: string;
  /** OAuth 2.0 Multiple Response Types §2.1. */
  readonly responseMode: 'query' | 'fragment';
  readonly state: string | undefined;
}

/** RFC 7636 §4.3. */
export interface CodeChallenge {
  readonly method: 'plain' | 'S256';
  readonly value: string;
}

/** The level of authentication that is asked for. */
export interface RequestedLevel {
  /** The `acr` values. */
  readonly asked: readonly string[];
  /** The lowest of their levels; `NO_LEVEL` where none is asked for. */
  readonly level: number;
  /** Whether the request is refused where the level is not reached. */
  readonly isEssential: boolean;
}

export interface AuthorizationRequest extends Callback {
  readonly client: RealmClient;
  readonly scope: string | undefined;
  readonly nonce: string | undefined;
  readonly challenge: CodeChallenge | undefined;
  readonly prompt: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly level: RequestedLevel;
  /** The user name that the form then has. */
  readonly loginHint: string | undefined;
}
