import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from '../client/token-request.js';
import { TokenSource } from '../client/token-source.js';
import { TokenSourceLog } from '../client/token-source-log.js';
import { BearerError } from '../protocol/bearer-error.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { endpointOf } from '../../spec-support/token-forms.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { TOKEN_CHANNEL, type TokenMessage } from './token-channel.js';

const ISSUER = 'https://sso.example.com/realms/shop';

const SELF = clientCredentialsRequest('orders.approve');
const ALICE = testAccessToken({ text: 'the-text-of-a-token', subject: 'alice' });
const FOR_ALICE = tokenExchangeRequest(ALICE, 'service-b', 'orders.approve');
const ISSUED = new IssuedToken('the-text-of-another', ['orders.approve'], 100);

const request = new AsyncLocalStorage<string>();
let told: { readonly by: string | undefined; readonly message: TokenMessage }[];
let answers: ((answer: IssuedToken | Error) => void)[];
let denied: boolean;
let clock: StillClock;
let tokens: TokenSource;

const listen = (message: unknown): void => void told.push({ by: request.getStore(), message: message as TokenMessage });

beforeEach(() => {
  told = [];
  answers = [];
  denied = false;
  clock = new StillClock();
  clock.date = Date.now() / 1000;
  tokens = new TokenSource(
    endpointOf(
      () =>
        new Promise((resolve, reject) =>
          answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
        ),
    ),
    {
      issuer: ISSUER,
      clientId: 'service-a',
      minRemainingLifetimeSeconds: 10,
      maxCachedTokens: 9,
    },
    clock,
    new TokenSourceLog({ log: () => undefined }),
    { denies: () => denied },
  );
  subscribe(TOKEN_CHANNEL, listen);
});
afterEach(() => void unsubscribe(TOKEN_CHANNEL, listen));

const want = (by: string, what: TokenRequest): Promise<IssuedToken> => request.run(by, async () => tokens.get(what));

describe('the token channel', () => {
  it('reports for each caller whether it requests a token, joins a request or reuses a token', async () => {
    const both = [want('first', FOR_ALICE), want('second', FOR_ALICE)];
    clock.advance(0.25);
    answers[0]?.(ISSUED);
    await Promise.all(both);
    await want('third', FOR_ALICE);
    await request.run('fourth', () => tokens.get(FOR_ALICE));
    const wanted = { issuer: ISSUER, grant: FOR_ALICE.grant, audience: 'service-b', scope: 'orders.approve' };
    expect(told).toEqual([
      { by: 'first', message: { ...wanted, outcome: 'requested', durationMs: 250 } },
      { by: 'second', message: { ...wanted, outcome: 'joined', durationMs: 250 } },
      { by: 'third', message: { ...wanted, outcome: 'reused', durationMs: 0 } },
      { by: 'fourth', message: { ...wanted, outcome: 'reused', durationMs: 0 } },
    ]);
  });

  it('reports no audience for client credentials', async () => {
    const own = want('first', SELF);
    answers[0]?.(ISSUED);
    await own;
    expect(told[0]?.message).toEqual({
      issuer: ISSUER,
      grant: 'client_credentials',
      scope: 'orders.approve',
      outcome: 'requested',
      durationMs: 0,
    });
  });

  it('reports the code of a refusal, and the reuse of a cached refusal', async () => {
    const refusal = new BearerError('insufficient_scope', { reason: 'permission_missing' });
    const first = want('first', FOR_ALICE);
    answers[0]?.(refusal);
    await expect(first).rejects.toBe(refusal);
    await expect(want('second', FOR_ALICE)).rejects.toBe(refusal);
    expect(answers).toHaveLength(1);
    expect(told.map(({ message }) => message)).toMatchObject([
      { outcome: 'requested', failed: 'insufficient_scope' },
      { outcome: 'reused', failed: 'insufficient_scope' },
    ]);
    clock.advance(60);
    const broken = want('third', FOR_ALICE);
    answers[1]?.(new TypeError('a bug'));
    await expect(broken).rejects.toThrow(TypeError);
    expect(told.at(-1)?.message).toMatchObject({ outcome: 'requested', failed: 'unexpected' });
  });

  it('reports neither background renewals nor requests for a denied subject token', async () => {
    const first = want('first', FOR_ALICE);
    answers[0]?.(ISSUED);
    await first;
    clock.advance(85);
    await want('second', FOR_ALICE);
    expect(answers).toHaveLength(2);
    await request.run('third', () => tokens.get(FOR_ALICE));
    answers[1]?.(ISSUED);
    await new Promise(setImmediate);
    denied = true;
    await expect(want('fourth', FOR_ALICE)).rejects.toThrow(BearerError);
    expect(told.map(({ message }) => message.outcome)).toEqual(['requested', 'reused', 'reused']);
  });

  it('publishes frozen messages without tokens or user data', async () => {
    const first = want('first', FOR_ALICE);
    answers[0]?.(ISSUED);
    await first;
    expect(JSON.stringify(told)).not.toMatch(new RegExp(`the-text|alice|${ALICE.hash}`));
    expect(Object.isFrozen(told[0]?.message)).toBe(true);
  });
});
