import { describe, expect, it } from '@jest/globals';
import { authenticationFault, type AuthenticationDemand } from './authentication-demand.js';

const demand = (acrValues: readonly string[], maxAgeSeconds?: number): AuthenticationDemand => ({
  acrValues,
  maxAgeSeconds,
});

describe('a login', () => {
  const NOW = 1_000_000;
  const fault = (wanted: AuthenticationDemand, acr: unknown, authTime: unknown) =>
    authenticationFault(wanted, { acr, authTime }, NOW, 5);

  it.each<[AuthenticationDemand, acr: unknown, authTime: unknown]>([
    [demand(['2'], 300), '2', NOW],
    [demand(['2', 'gold']), 'gold', undefined],
    [demand([], 300), undefined, NOW - 305],
    [demand([], 0), '0', NOW - 5],
    // Keycloak's clock may be ahead.
    [demand([], 0), undefined, NOW + 5],
  ])('suffices for %j with acr %j and auth_time %j', (wanted, acr, authTime) => {
    expect(fault(wanted, acr, authTime)).toBeUndefined();
  });

  it.each<[AuthenticationDemand, acr: unknown, authTime: unknown, reason: string]>([
    [demand(['2'], 300), '1', NOW, 'authentication_too_weak'],
    [demand(['2']), undefined, NOW, 'acr_missing'],
    [demand(['2']), 2, NOW, 'acr_missing'],
    [demand(['2']), ['2'], NOW, 'acr_missing'],
    [demand(['2']), '2 ', NOW, 'authentication_too_weak'],
    [demand(['2'], 300), '2', NOW - 306, 'authentication_too_old'],
    [demand([], 300), '2', undefined, 'auth_time_missing'],
    [demand([], 300), '2', String(NOW), 'auth_time_missing'],
    [demand([], 300), '2', Number.NaN, 'auth_time_missing'],
    [demand([], 300), '2', NOW + 6, 'auth_time_in_the_future'],
  ])('does not suffice for %j with acr %j and auth_time %j (RFC 9470 §5)', (wanted, acr, authTime, reason) => {
    expect(fault(wanted, acr, authTime)).toBe(reason);
  });
});
