import { describe, expect, it } from '@jest/globals';
import { protectedResourceMetadata } from './protected-resource-metadata.js';

const DESCRIBED = {
  issuers: ['https://sso.example.com/realms/shop'],
  resource: 'https://a.example',
  permissionsAreScopes: true,
};

const demanding = (permissions: readonly string[], anyOf: readonly (readonly string[])[] = []) => ({
  opening: 'authenticated' as const,
  permissions,
  anyOf,
});

describe('protectedResourceMetadata (RFC 9728 section 2)', () => {
  it('lists each scope that handlers demand, once and in order (RS-22)', () => {
    const handlers = [demanding(['b', 'a']), demanding(['a'], [['c', 'b'], ['d']])];
    expect(protectedResourceMetadata(DESCRIBED, handlers).scopes_supported).toEqual(['a', 'b', 'c', 'd']);
  });

  it('omits a parameter without a value (RFC 9728 section 3.2)', () => {
    expect(Object.keys(protectedResourceMetadata(DESCRIBED, [demanding([])])).toSorted()).toEqual([
      'authorization_servers',
      'bearer_methods_supported',
      'resource',
    ]);
  });

  it.each<[string, boolean, ReturnType<typeof demanding>]>([
    ['permissions that come from roles', false, demanding(['order-manager'])],
    ['permissions that are not valid scopes', true, demanding(['two words', 'Prüfer', ''])],
  ])('lists no scope for %s', (_, permissionsAreScopes, handler) => {
    expect(protectedResourceMetadata({ ...DESCRIBED, permissionsAreScopes }, [handler])).not.toHaveProperty(
      'scopes_supported',
    );
  });

  it('lists no scope of a closed handler', () => {
    const closed = { ...demanding(['a']), opening: 'closed' as const };
    expect(protectedResourceMetadata(DESCRIBED, [closed])).not.toHaveProperty('scopes_supported');
  });
});
