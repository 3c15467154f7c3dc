import { expect, it } from '@jest/globals';
import { changeClaim, emptyClaims, escapeName, pathOf } from './claim-path.js';

it.each([
  ['roles', ['roles']],
  ['realm_access.roles', ['realm_access', 'roles']],
  [String.raw`https://example\.com/roles`, ['https://example.com/roles']],
  [String.raw`a\\b.c`, [String.raw`a\b`, 'c']],
  ['', []],
])('splits the claim name %j', (claimName, path) => {
  expect(pathOf(claimName)).toEqual(path);
});

it('keeps the dots of an escaped name', () => {
  expect(pathOf(`resource_access.${escapeName('stock.v1')}.roles`)).toEqual(['resource_access', 'stock.v1', 'roles']);
});

it.each(['constructor', '__proto__'])('puts a claim of the client %s beside the other claims', (client) => {
  const claims = emptyClaims();
  changeClaim(claims, ['access', 'web'], () => 'a');
  changeClaim(claims, ['access', client, 'roles'], () => ['b']);
  expect(JSON.stringify(claims)).toBe(`{"access":{"web":"a","${client}":{"roles":["b"]}}}`);
  expect(({} as { roles?: unknown }).roles).toBeUndefined();
});

it('replaces a claim that is not an object with a nested claim', () => {
  const claims = emptyClaims();
  changeClaim(claims, ['access'], () => 'a');
  changeClaim(claims, ['access', 'web'], () => 'b');
  expect(JSON.stringify(claims)).toBe('{"access":{"web":"b"}}');
});
