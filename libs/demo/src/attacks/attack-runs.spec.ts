import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BearerError } from 'nestjs-keycloak-s2s';
import { AttackRuns } from './attack-runs.js';
import { AttackNotRun, type Attempt } from './attempt.js';

const MADE: Attempt = {
  attack: { what: 'x', answer: { status: 401 } },
  control: { what: 'x', answer: { status: 200 } },
};

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

describe('attack runs', () => {
  it('return the answers to the attack and to the legitimate request', async () => {
    await expect(new AttackRuns().run('x', async () => MADE)).resolves.toBe(MADE);
  });

  it.each<[string, Error, string]>([
    ['is unreachable', new AttackNotRun('Service C could not be reached.'), 'Service C could not be reached.'],
    [
      'refuses the request',
      new BearerError('invalid_token', { reason: 'revoked' }),
      'A service on the way refused or failed: invalid_token (revoked).',
    ],
    ['fails unexpectedly', new TypeError('Bearer hush'), 'The attack itself failed: it has a bug.'],
  ])('return the reason instead of an attempt when a dependency %s', async (_, error, notRun) => {
    await expect(new AttackRuns().run('x', () => Promise.reject(error))).resolves.toEqual({ notRun });
  });

  it('are limited to four running attacks and sixteen waiting attacks', async () => {
    const runs = new AttackRuns();
    const underWay = { now: 0, most: 0 };
    const make = async (): Promise<Attempt> => {
      underWay.now += 1;
      underWay.most = Math.max(underWay.most, underWay.now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay.now -= 1;
      return MADE;
    };
    const attempts = await Promise.all(Array.from({ length: 25 }, () => runs.run('x', make)));
    expect(underWay.most).toBe(4);
    expect(attempts.filter((attempt) => 'notRun' in attempt)).toEqual(
      Array.from({ length: 5 }, () => ({ notRun: 'Too many attacks are running: try again in a moment.' })),
    );
  });
});
