import { describe, expect, it } from '@jest/globals';
import { clientRoles, ownProperty, realmRoles } from './claims.js';

const claims = {
  realm_access: { roles: ['viewer'] },
  resource_access: { 'service-a': { roles: ['read'] }, 'service-b': { roles: ['write'] } },
};

describe('roles', () => {
  it('are read separately for each client and for the realm (RS-09)', () => {
    expect(realmRoles(claims)).toEqual(['viewer']);
    expect(clientRoles(claims, 'service-a')).toEqual(['read']);
    expect(clientRoles(claims, 'service-b')).toEqual(['write']);
    expect(clientRoles(claims, 'service-c')).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'of a client named %s are empty if the token has no roles of this client',
    (name) => {
      expect(clientRoles(claims, name)).toEqual([]);
      const given = JSON.parse(`{"resource_access":{"${name}":{"roles":["own"]}}}`) as Record<string, unknown>;
      expect(clientRoles(given, name)).toEqual(['own']);
    },
  );

  it('may have the name of a prototype property', () => {
    expect(realmRoles({ realm_access: { roles: ['__proto__', 'constructor'] } })).toEqual(['__proto__', 'constructor']);
  });

  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['text', 'roles'],
    ['roles as text', { roles: 'admin' }],
    ['roles as an object', { roles: { 0: 'admin', length: 1 } }],
    ['a list that is not all text', { roles: ['admin', 1] }],
    ['a bare list', ['admin']],
  ])('are empty if realm_access is %s', (_, realm_access) => {
    expect(realmRoles({ realm_access })).toEqual([]);
  });
});

describe('ownProperty', () => {
  it('ignores inherited properties', () => {
    expect(ownProperty({}, 'toString')).toBeUndefined();
    expect(ownProperty(Object.create({ code: 'x' }), 'code')).toBeUndefined();
    expect(ownProperty({ code: 'x' }, 'code')).toBe('x');
    expect(ownProperty('text', 'length')).toBeUndefined();
    expect(ownProperty(null, 'code')).toBeUndefined();
  });
});
