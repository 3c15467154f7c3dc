import { describe, expect, it } from '@jest/globals';
import { testAccessToken } from '../testing/test-access-token.js';
import { denialOf, readDenial } from './denial.js';
import { tokenHash } from './token-hash.js';

const HASH = tokenHash('a token');

describe('readDenial', () => {
  const always = { issuedBefore: Infinity };
  it.each<[object, object[]]>([
    [{ sid: 's1' }, [{ kind: 'session', key: 's1', ...always }]],
    [{ sid: 's1', exceptOffline: true }, [{ kind: 'onlineSession', key: 's1', ...always }]],
    [{ sub: 'alice', issuedBefore: 17.5 }, [{ kind: 'subject', key: 'alice', issuedBefore: 17.5 }]],
    [{ sub: 'alice', issuedBefore: 0 }, [{ kind: 'subject', key: 'alice', issuedBefore: 0 }]],
    [{ tokenHash: HASH }, [{ kind: 'token', key: HASH, ...always }]],
    [{ tokenHash: HASH.toUpperCase() }, [{ kind: 'token', key: HASH, ...always }]],
    [
      { jti: 'onrtro:1', tokenHash: HASH },
      [
        { kind: 'token', key: HASH, ...always },
        { kind: 'tokenId', key: 'onrtro:1', ...always },
      ],
    ],
  ])('accepts %j, even after a conversion to JSON and back', (denial, read) => {
    expect(readDenial(denial)).toEqual(read);
    expect(readDenial(JSON.parse(JSON.stringify(denial)))).toEqual(read);
  });

  it.each<[unknown]>([
    [undefined],
    [null],
    ['s1'],
    [[]],
    [['s1']],
    [{}],
    [{ sid: '' }],
    [{ sid: ' ' }],
    [{ sid: undefined }],
    [{ sid: 7 }],
    [{ sid: ['s1'] }],
    [{ sid: 's'.repeat(1025) }],
    [{ sid: 's1', exceptOffline: false }],
    [{ sid: '', exceptOffline: true }],
    [{ sub: 'alice', issuedBefore: 1, exceptOffline: true }],
    [{ sid: 's1', sub: 'alice', issuedBefore: 1 }],
    [{ sid: 's1', tokenHash: HASH }],
    [{ sid: 's1', reason: 'logout' }],
    [{ sub: 'alice' }],
    [{ issuedBefore: 1 }],
    [{ sub: '', issuedBefore: 1 }],
    [{ sub: 'alice', issuedBefore: Number.NaN }],
    [{ sub: 'alice', issuedBefore: Infinity }],
    [{ sub: 'alice', issuedBefore: -1 }],
    [{ sub: 'alice', issuedBefore: '1' }],
    [{ sub: 'alice', issuedBefore: 1_700_000_000_000 }],
    [{ jti: 'j1' }],
    [{ tokenHash: HASH, jti: '' }],
    [{ tokenHash: HASH, jti: undefined }],
    [{ tokenHash: HASH, jti: 7 }],
    [{ tokenHash: HASH, jti: 'j'.repeat(1025) }],
    [{ tokenHash: 'junk', jti: 'j1' }],
    [{ tokenHash: HASH, jti: 'j1', sid: 's1' }],
    [{ tokenHash: '' }],
    [{ tokenHash: HASH.slice(1) }],
    [{ tokenHash: `${HASH}\n` }],
    [{ tokenHash: `${HASH.slice(1)}g` }],
  ])('throws TypeError for %j', (denial) => {
    expect(() => readDenial(denial)).toThrow(TypeError);
  });

  it('throws an error that contains no value of the denial (RS-23)', () => {
    expect(() => readDenial({ tokenHash: 'eyJhbGciOi' })).toThrow(
      /^The tokenHash of a denial must be a SHA-256 in hex$/,
    );
  });
});

describe('denialOf', () => {
  it('denies a token by its hash and its jti, not by its text', () => {
    const token = testAccessToken({ claims: { jti: 'onrtro:1', sid: 's1' } });
    expect(denialOf(token)).toEqual({ issuer: token.issuer, tokenHash: token.hash, jti: 'onrtro:1' });
  });

  it('denies a token without jti by its hash', () => {
    const token = testAccessToken({ claims: { jti: undefined } });
    expect(denialOf(token)).toEqual({ issuer: token.issuer, tokenHash: token.hash });
    expect(readDenial(denialOf(token))).toHaveLength(1);
  });
});
