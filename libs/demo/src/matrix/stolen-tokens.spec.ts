import { describe, expect, it } from '@jest/globals';
import type { AttackTarget } from '../attacks/attack-target.js';
import { TokenSeal } from '../token-seal.js';
import { StolenTokens } from './stolen-tokens.js';

const TOKEN = ['header', JSON.stringify({ exp: 1, aud: 'a', azp: 'b' }), 'signature']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

describe('StolenTokens', () => {
  it('shows a token again that another replica with the same secret has shown', async () => {
    const seen: string[] = [];
    const whoami = async (token: string) => ({ status: seen.push(token) });
    const targets = { 'service-a': { whoami } as unknown as AttackTarget };
    const [one, other] = [1, 2].map(() => new StolenTokens(targets, new TokenSeal('a secret')));
    const { id = '' } = (await one?.show(TOKEN)) ?? {};
    expect(await other?.showAgain(id, 'service-a')).toEqual({ status: 2 });
    expect(await other?.showAgain(id, 'toString')).toBeUndefined();
    expect(await new StolenTokens(targets, new TokenSeal('other')).showAgain(id, 'service-a')).toBeUndefined();
    expect(seen).toEqual([TOKEN, TOKEN]);
    expect(id).not.toContain(TOKEN);
  });
});
