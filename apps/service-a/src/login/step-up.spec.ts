import { describe, expect, it } from '@jest/globals';
import type { AuthenticationDemand } from 'nestjs-keycloak-s2s';
import { demandIn, loginLink } from './step-up.js';

const KNOWN = ['1', '2', 'gold'];
const demand = (acrValues: readonly string[], maxAgeSeconds?: number): AuthenticationDemand => ({
  acrValues,
  maxAgeSeconds,
});

describe('a login link', () => {
  it.each<[acrValues: unknown, maxAge: unknown, wanted: AuthenticationDemand | undefined]>([
    [undefined, undefined, undefined],
    ['2', undefined, demand(['2'])],
    ['2 gold 2', '300', demand(['2', 'gold'], 300)],
    [undefined, '0', demand([], 0)],
    [undefined, '86400', demand([], 86_400)],
  ])('with acr_values %j and max_age %j requires %j (RFC 9470 §4)', (acrValues, maxAge, wanted) => {
    expect(demandIn({ acrValues, maxAge }, KNOWN)).toEqual(wanted);
  });

  it.each<[acrValues: unknown, maxAge: unknown, reason: string]>([
    ['3', undefined, 'acr_values_unknown'],
    ['2 3', undefined, 'acr_values_unknown'],
    ['', undefined, 'acr_values_unknown'],
    [' 2', undefined, 'acr_values_unknown'],
    ['GOLD', undefined, 'acr_values_unknown'],
    [['2', '2'], undefined, 'acr_values_unknown'],
    [{ toString: () => '2' }, undefined, 'acr_values_unknown'],
    ['__proto__', undefined, 'acr_values_unknown'],
    ['2', '86401', 'max_age_out_of_bounds'],
    [undefined, '-1', 'max_age_out_of_bounds'],
    [undefined, '1.5', 'max_age_out_of_bounds'],
    [undefined, '1e3', 'max_age_out_of_bounds'],
    [undefined, '', 'max_age_out_of_bounds'],
    [undefined, ' 1', 'max_age_out_of_bounds'],
    [undefined, 300, 'max_age_out_of_bounds'],
    [undefined, ['300', '300'], 'max_age_out_of_bounds'],
    [undefined, '9'.repeat(400), 'max_age_out_of_bounds'],
  ])('is refused if acr_values is %j and max_age is %j', (acrValues, maxAge, reason) => {
    expect(() => demandIn({ acrValues, maxAge }, KNOWN)).toThrow(
      expect.objectContaining({ code: 'login_link_malformed', reason }),
    );
  });

  it.each<[AuthenticationDemand, string | undefined]>([
    [demand(['2'], 300), '/auth/login?acr_values=2&max_age=300&return_to=%2Frefund%3Fa%3Db'],
    [demand(['3', 'gold', '2']), '/auth/login?acr_values=gold+2&return_to=%2Frefund%3Fa%3Db'],
    [demand([], 604_800), '/auth/login?max_age=86400&return_to=%2Frefund%3Fa%3Db'],
    [demand(['3']), undefined],
  ])('for the requirement %j is %s', (wanted, link) => {
    expect(loginLink(wanted, '/refund?a=b', KNOWN)).toBe(link);
    if (link === undefined) return;
    const query = new URL(link, 'http://here').searchParams;
    const given = { acrValues: query.get('acr_values') ?? undefined, maxAge: query.get('max_age') ?? undefined };
    expect(() => demandIn(given, KNOWN)).not.toThrow();
  });
});
