import type { RealmClient } from '../realm/realm-representation.js';

export interface Callback {
  readonly redirectUri: string;
  /** OAuth 2.0 Multiple Response Types §2.1. */
  readonly responseMode: 'query' | 'fragment';
  readonly state: string | undefined;
}

export interface CodeChallenge {
  readonly method: 'plain' | 'S256';
  readonly value: string;
}

export interface RequestedLevel {
  readonly asked: readonly string[];
  readonly level: number;
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
  readonly loginHint: string | undefined;
}
