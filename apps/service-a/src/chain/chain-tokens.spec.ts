import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ServiceCallError, type ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { testAccessToken } from 'nestjs-keycloak-s2s/testing';
import { seenToken } from 'demo';
import { ProcessingClient } from '../processing.client.js';
import { ChainTokens } from './chain-tokens.js';

const alice = testAccessToken({ subject: 'alice' });
const FURTHER = [seenToken('service-b', testAccessToken({ audience: 'service-b' }))];

let asked: unknown[];
const tokensOf = (answer: unknown): ChainTokens => {
  const caller = (who: string, scope: string) => ({
    get: async (path: string) => {
      asked.push([who, scope, path]);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  const client = {
    asService: (scope: string) => caller('self', scope),
    onBehalfOf: (token: VerifiedAccessToken, scope: string) => caller(token.subject, scope),
  };
  return new ChainTokens(new ProcessingClient(client as unknown as ServiceClient));
};

beforeEach(() => {
  asked = [];
  Logger.overrideLogger(false);
});
afterEach(() => Logger.overrideLogger(['log', 'warn', 'error']));

describe('ChainTokens', () => {
  it("requests tokens with the chain's scope, and lists the user's token first", async () => {
    expect(await tokensOf(FURTHER).of('service-a', alice)).toEqual([seenToken('service-a', alice), ...FURTHER]);
    expect(asked).toEqual([['alice', 'orders.approve', '/demo/tokens']]);
  });

  it('lists no token for the first call if no user is logged in', async () => {
    expect(await tokensOf(FURTHER).of('service-a', undefined)).toEqual(FURTHER);
    expect(asked).toEqual([['self', 'orders.approve', '/demo/tokens']]);
  });

  it.each([
    ['the service fails', new ServiceCallError('service_failed', 'service-b', 'answered_404', { status: 404 })],
    ['the answer is malformed', { tokens: 'none' }],
  ])('returns undefined if %s', async (_, answer) => {
    expect(await tokensOf(answer).of('service-a', alice)).toBeUndefined();
  });

  it('rethrows an unexpected error', async () => {
    await expect(tokensOf(new TypeError('a bug')).of('service-a', alice)).rejects.toThrow(TypeError);
  });
});
