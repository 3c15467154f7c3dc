import type { FaultyEndpoint } from './fault.js';

export type CountedGrant =
  'authorization_code' | 'client_credentials' | 'password' | 'refresh_token' | 'token_exchange' | 'other';
export type CountedEndpoint = Exclude<FaultyEndpoint, 'token'>;

export interface CallCounts extends Readonly<Record<CountedEndpoint, number>> {
  readonly token: Readonly<Record<CountedGrant, number>>;
}

/** Counts every received call, including refused calls, abandoned calls and calls with an injected fault. */
export interface CallCounter extends CallCounts {
  /**
   * Counts the calls that named this client, even with a wrong secret. Calls that have a bearer token or no credentials
   * do not count.
   */
  of(clientId: string): CallCounts;
  reset(): void;
}

export interface CountingCalls extends CallCounter {
  countEndpoint(endpoint: CountedEndpoint, clientId: string | undefined): void;
  countGrant(grant: CountedGrant, clientId: string | undefined): void;
}

type Mutable = Record<CountedEndpoint, number> & { readonly token: Record<CountedGrant, number> };

const nothing = (): Mutable => ({
  discovery: 0,
  jwks: 0,
  authorization: 0,
  introspection: 0,
  revocation: 0,
  logout: 0,
  ssfMetadata: 0,
  streams: 0,
  streamStatus: 0,
  verification: 0,
  poll: 0,
  token: { authorization_code: 0, client_credentials: 0, password: 0, refresh_token: 0, token_exchange: 0, other: 0 },
});

export function countCalls(): CountingCalls {
  const all = nothing();
  const byClient = new Map<string, Mutable>();

  const both = (clientId: string | undefined): Mutable[] => {
    if (clientId === undefined) return [all];
    const counts = byClient.get(clientId) ?? nothing();
    byClient.set(clientId, counts);
    return [all, counts];
  };

  return Object.assign(all, {
    of: (clientId: string) => byClient.get(clientId) ?? nothing(),
    reset() {
      const { token, ...endpoints } = nothing();
      Object.assign(all, endpoints);
      Object.assign(all.token, token);
      byClient.clear();
    },
    countEndpoint(endpoint: CountedEndpoint, clientId: string | undefined) {
      for (const counts of both(clientId)) counts[endpoint] += 1;
    },
    countGrant(grant: CountedGrant, clientId: string | undefined) {
      for (const counts of both(clientId)) counts.token[grant] += 1;
    },
  });
}
