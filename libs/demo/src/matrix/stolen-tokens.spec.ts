import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { StolenTokens } from './stolen-tokens.js';

const tokenEndingAt = (exp: number): string =>
  ['header', JSON.stringify({ exp, aud: 'a', azp: 'b' }), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('StolenTokens', () => {
  it('deletes a token a minute after it has expired', async () => {
    const tokens = new StolenTokens({});
    await tokens.show(tokenEndingAt(Date.now() / 1000 + 60));
    await tokens.show(tokenEndingAt(Date.now() / 1000 - 61));
    while (tokens.size > 1) await sleep(5);
    expect(tokens.size).toBe(1);
  });
});
