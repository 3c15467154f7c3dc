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
  it('names each scope that some handler demands, once, and in order (RS-22)', () => {
    const handlers = [demanding(['b', 'a']), demanding(['a'], [['c', 'b'], ['d']])];
    expect(protectedResourceMetadata(DESCRIBED, handlers).scopes_supported).toEqual(['a', 'b', 'c', 'd']);
  });

  it('leaves a parameter out that has no value (RFC 9728 section 3.2)', () => {
    expect(Object.keys(protectedResourceMetadata(DESCRIBED, [demanding([])])).toSorted()).toEqual([
      'authorization_servers',
      'bearer_methods_supported',
      'resource',
    ]);
  });

  it.each<[string, boolean, ReturnType<typeof demanding>]>([
    ['permissions that are made of roles', false, demanding(['order-manager'])],
    ['what no scope can be called', true, demanding(['two words', 'Prüfer', ''])],
  ])('names no scope for %s', (_, permissionsAreScopes, handler) => {
    expect(protectedResourceMetadata({ ...DESCRIBED, permissionsAreScopes }, [handler])).not.toHaveProperty(
      'scopes_supported',
    );
  });

  it('names none of a handler that is closed', () => {
    const closed = { ...demanding(['a']), opening: 'closed' as const };
    expect(protectedResourceMetadata(DESCRIBED, [closed])).not.toHaveProperty('scopes_supported');
  });
});
