import { beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../spec-support/still-clock.js';
import { BearerError } from '../protocol/bearer-error.js';
import { ExchangeDiagnosis, type ExchangedWithoutAudience } from './exchange-diagnosis.js';

const TARGET = { audience: 'ledger', scope: 'ledger.read' };
const REFUSAL = new BearerError('insufficient_scope', { reason: 'permission_not_granted_to_subject', permission: 'x' });
const token = (aud?: unknown): string =>
  ['e30', Buffer.from(JSON.stringify(aud === undefined ? {} : { aud })).toString('base64url'), 'c2ln'].join('.');
const exchanged = (scope: string, aud?: unknown): ExchangedWithoutAudience => ({ accessToken: token(aud), scope });

let clock: StillClock;
let diagnosis: ExchangeDiagnosis;
let asked: number;
const diagnosed = (answer: ExchangedWithoutAudience | Error, target = TARGET, subject = 'alice') =>
  diagnosis.of(REFUSAL, target, subject, async () => {
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  });

beforeEach(() => {
  clock = new StillClock();
  diagnosis = new ExchangeDiagnosis(clock);
  asked = 0;
});

describe('a refused exchange', () => {
  it.each<[string, ExchangedWithoutAudience | Error]>([
    ['the second token lacks the permission', exchanged('profile', 'account')],
    ['the second token has the audience', exchanged('profile ledger.read', ['account', 'ledger'])],
    ['the second exchange fails', new Error('down')],
  ])('is reported as a missing permission of the user if %s', async (_, answer) => {
    expect(await diagnosed(answer)).toBe(REFUSAL);
  });

  it.each<[string, ExchangedWithoutAudience, object]>([
    ['has no audience', exchanged('profile ledger.read'), { reason: 'audience_mapper_missing' }],
    [
      'has another audience',
      exchanged('ledger.read', 'cli'),
      { reason: 'audience_mismatch', fields: { found: 'cli' } },
    ],
    [
      'has two other audiences',
      exchanged('ledger.read', ['a', 'b']),
      { reason: 'audience_mismatch', fields: { found: 'a b' } },
    ],
    [
      'is opaque, so its audience is unknown',
      { accessToken: 'opaque', scope: 'ledger.read' },
      { reason: 'audience_mapper_missing' },
    ],
  ])('is reported as a configuration error when the second token %s', async (_, answer, expected) => {
    const failure = await diagnosed(answer);
    expect(failure).toMatchObject({ code: 'authorization_server_refused', httpStatus: 502, ...expected });
    expect(failure.fields).toMatchObject({ grant: 'token_exchange', ...TARGET });
  });

  it('is reported as a configuration error when the token response omits the scope', async () => {
    expect(await diagnosed({ accessToken: token(), scope: undefined })).toMatchObject({
      reason: 'audience_mapper_missing',
    });
  });

  it('is diagnosed for each user separately', async () => {
    expect(await diagnosed(exchanged('ledger.read'), TARGET, 'alice')).toMatchObject({
      reason: 'audience_mapper_missing',
    });
    expect(await diagnosed(exchanged('profile'), TARGET, 'bob')).toBe(REFUSAL);
    expect(await diagnosed(exchanged('ledger.read'), TARGET, 'carol')).toMatchObject({ httpStatus: 502 });
    expect(asked).toBe(3);
  });

  it('causes at most one extra request per user, and ten per called service, in ten seconds', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => diagnosed(exchanged('ledger.read'))));
    expect(all.every(({ httpStatus }) => httpStatus === 502)).toBe(true);
    expect(asked).toBe(1);
    for (let user = 0; user < 100; user += 1) await diagnosed(exchanged('profile'), TARGET, `user-${user}`);
    expect(asked).toBe(10);
    await diagnosed(exchanged('profile'), { ...TARGET, audience: 'other' });
    expect(asked).toBe(11);
    clock.advance(10);
    expect(await diagnosed(exchanged('profile'))).toBe(REFUSAL);
    expect(asked).toBe(12);
  });
});
