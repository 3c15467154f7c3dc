import { describe, expect, it } from '@jest/globals';
import { MAX_SEALED_LENGTH, readSealedToken, TokenSeal } from './token-seal.js';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';

describe('an encrypted token', () => {
  it('can be decrypted with its secret, and contains no readable part of the token', () => {
    const sealed = new TokenSeal('a secret').seal(TOKEN);
    expect(new TokenSeal('a secret').open(sealed)).toBe(TOKEN);
    expect(sealed).not.toContain(TOKEN.slice(0, 12));
    expect(new TokenSeal('a secret').seal(TOKEN)).not.toBe(sealed);
  });

  it.each([
    ['of another secret', new TokenSeal('another').seal(TOKEN)],
    ['that was changed', new TokenSeal('a secret').seal(TOKEN).replace(/.{4}$/, 'AAAA')],
    ['that is too short', 'AAAA'],
    ['that is not encrypted', TOKEN],
    ['that is empty', ''],
  ])('%s cannot be decrypted', (_, sealed) => {
    expect(new TokenSeal('a secret').open(sealed)).toBeUndefined();
  });

  it('is rejected if it does not have the expected format', () => {
    expect(readSealedToken({ sealed: 'x', expiresAt: 1, more: 2 })).toEqual({ sealed: 'x', expiresAt: 1 });
    const others = [undefined, {}, { sealed: 'x' }, { sealed: 1, expiresAt: 1 }, { sealed: 'x', expiresAt: 1.5 }];
    const long = { sealed: 'x'.repeat(MAX_SEALED_LENGTH + 1), expiresAt: 1 };
    for (const other of [...others, long]) expect(readSealedToken(other)).toBeUndefined();
  });
});
