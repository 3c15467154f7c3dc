import { describe, expect, it } from '@jest/globals';
import type { SeenToken } from 'demo';
import { compareTokens, type TokenComparison } from './token-comparison.js';

const at = (service: string, claims: SeenToken['claims']): SeenToken => ({
  service,
  fingerprint: `token:${service}`,
  claims,
});
const TOKENS = [
  at('service-a', {
    sub: 'alice',
    aud: 'service-a',
    azp: 'service-a',
    scope: 'email orders.read',
    exp: 1_790_000_300,
    sid: 's',
  }),
  at('service-b', {
    sub: 'alice',
    aud: 'service-b',
    azp: 'service-a',
    scope: 'orders.approve email',
    exp: 1_790_000_300,
    sid: 's',
  }),
  at('service-c', {
    sub: 'alice',
    aud: ['service-c'],
    azp: 'service-b',
    scope: 'email analytics.run',
    exp: 1_790_000_060,
    jti: 'j',
  }),
];

const changes = ({ rows }: TokenComparison): Record<string, unknown[]> =>
  Object.fromEntries(rows.map(({ claim, cells }) => [claim, cells.map(({ change }) => change)]));
const texts = ({ rows }: TokenComparison, claim: string): string[] =>
  rows.find((row) => row.claim === claim)?.cells.map(({ text }) => text) ?? [];

describe('the comparison of the tokens of a call chain', () => {
  it('marks the claims that changed between hops, and reports the unchanged subject', () => {
    const compared = compareTokens(TOKENS);
    expect(changes(compared)).toEqual({
      sub: [undefined, 'same', 'same'],
      aud: [undefined, 'changed', 'changed'],
      azp: [undefined, 'same', 'changed'],
      scope: [undefined, 'changed', 'changed'],
      exp: [undefined, 'same', 'changed'],
      jti: [undefined, undefined, 'new'],
      sid: [undefined, 'same', 'gone'],
    });
    expect(compared.sameSubject).toBe(true);
    expect(compareTokens([TOKENS[0] ?? at('', {}), at('service-b', { sub: 'bob' })]).sameSubject).toBe(false);
  });

  it('treats two subjects as equal only if the tokens have an equal issuer and sub', () => {
    const [one, other] = [at('service-b', { sub: 'a', iss: 'x' }), at('service-c', { sub: 'a', iss: 'y' })];
    expect(compareTokens([one, one]).sameSubject).toBe(true);
    expect(compareTokens([one, other]).sameSubject).toBe(false);
    expect(compareTokens([at('service-b', {}), at('service-c', {})]).sameSubject).toBe(false);
  });

  it('formats times, and ignores the order of lists', () => {
    const compared = compareTokens([...TOKENS, at('service-x', { scope: 'analytics.run email', aud: ['b', 'a'] })]);
    expect(texts(compared, 'exp')[0]).toMatch(/^\d\d:\d\d:\d\d UTC$/);
    expect(texts(compared, 'scope').slice(2)).toEqual(['analytics.run email', 'analytics.run email']);
    expect(texts(compared, 'aud')).toEqual(['service-a', 'service-b', 'service-c', 'a, b']);
    expect(compared.columns.map(({ service }) => service)).toEqual([
      'Service A',
      'Service B',
      'Service C',
      'service-x',
    ]);
    expect(texts(compareTokens([at('a', { exp: Number.MAX_VALUE })]), 'exp')).toEqual([String(Number.MAX_VALUE)]);
  });

  it('leaves out a claim if no token contains this claim', () => {
    expect(changes(compareTokens([at('service-b', { sub: 'a' }), at('service-c', { sub: 'a' })]))).toEqual({
      sub: [undefined, 'same'],
    });
  });
});
