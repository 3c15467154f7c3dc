import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../index.js';
import { jwtVerification, type JwtVerificationOptions } from './index.js';

describe('jwtVerification', () => {
  it('allows only asymmetric algorithms by default', () => {
    expect(jwtVerification().algorithms.join(' ')).toBe(
      'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519',
    );
    expect(jwtVerification({ algorithms: ['ES256'] }).algorithms).toEqual(['ES256']);
  });

  it.each<[JwtVerificationOptions, string]>([
    [{ algorithms: ['HS256'] }, 'algorithms must be a list with any of RS256, '],
    [{ algorithms: ['none'] }, 'algorithms must be'],
    [{ algorithms: ['rs256'] }, 'algorithms must be'],
    [{ algorithms: [] }, 'algorithms must be'],
    [{ algorithms: 'RS256' as never }, 'algorithms must be'],
    [{ maxVerifiedTokens: 0 }, 'maxVerifiedTokens must be a whole number from 1 to 1000000'],
    [{ maxKeyAgeSeconds: 29 }, 'maxKeyAgeSeconds must be a whole number from 30 to 86400'],
    [{ maxAge: 3 } as never, 'unknown option "maxAge"'],
  ])('refuses %j', (options, fault) => {
    expect(() => jwtVerification(options)).toThrow(ConfigurationError);
    expect(() => jwtVerification(options)).toThrow(fault);
  });

  it('lists all faults in one error', () => {
    const given = { algorithms: [], maxVerifiedTokens: -1, maxKeyAgeSeconds: 1 };
    expect(() => jwtVerification(given)).toThrow(/- algorithms .*\n.*- maxVerifiedTokens .*\n.*- maxKeyAgeSeconds /);
  });
});
