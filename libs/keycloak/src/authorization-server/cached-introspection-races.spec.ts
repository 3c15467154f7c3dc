import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/token-hash.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { CachedIntrospection } from './cached-introspection.js';

const TTL_SECONDS = 10;
const INACTIVE_SECONDS = 2;
const ANY = Infinity;
const OPTIONS = {
  issuer: 'https://sso.example.com/realms/shop',
  introspectionTtlSeconds: TTL_SECONDS,
  maxCachedIntrospections: 100,
};

const LIFE_SECONDS = 20;
const token = fc.constantFrom('t1', 't1', 't2');
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constant('ask' as const), token, staleness: fc.constantFrom(0, 0, 1, 5, ANY) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('revoke' as const), token }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('wait' as const), seconds: fc.constantFrom(0.5, 1, 2, 3, 5, 9.7, 10) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('set date' as const), seconds: fc.constantFrom(-3600, -5, 5, 3600) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('fail' as const, 'heal' as const) }) },
);

interface Question {
  readonly token: string;
  readonly number: number;
  readonly askedAtMs: number;
  answered: 'not yet' | 'active' | 'inactive' | 'failed';
  servesUntilMs: number;
  isOvertaken: boolean;
}

function setUp(s: fc.Scheduler) {
  const clock = new StillClock();
  const questions: Question[] = [];
  const revokedAtMs = new Map<string, number>();
  const exp = clock.date + LIFE_SECONDS;
  const toldInactive: string[] = [];
  const server = { failing: false };

  const introspect = async (asked: string): Promise<IntrospectionAnswer> => {
    const question: Question = {
      token: asked,
      number: questions.length,
      askedAtMs: clock.monotonicMs(),
      answered: 'not yet',
      servesUntilMs: 0,
      isOvertaken: false,
    };
    questions.push(question);
    await s.schedule(Promise.resolve(), `question ${question.number} on ${asked} arrives`);
    const { failing } = server;
    const answer = revokedAtMs.has(asked)
      ? { active: false, number: question.number }
      : { active: true, number: question.number, exp };
    await s.schedule(Promise.resolve(), `answer ${question.number} on ${asked}`);
    question.answered = failing ? 'failed' : answer.active ? 'active' : 'inactive';
    if (failing) throw new Error('unavailable');
    for (const other of questions.filter(({ token: of }) => of === asked)) {
      if (other.answered !== 'not yet') continue;
      if (!answer.active || other.number < question.number) other.isOvertaken = true;
    }
    question.servesUntilMs = answer.active
      ? Math.min(question.askedAtMs + TTL_SECONDS * 1000, clock.monotonicMs() + (exp - clock.epochSeconds()) * 1000)
      : question.askedAtMs + INACTIVE_SECONDS * 1000;
    return answer;
  };
  const cache = new CachedIntrospection({ introspect, renew: introspect }, OPTIONS, clock, (hash) =>
    toldInactive.push(hash),
  );
  return { clock, questions, revokedAtMs, server, cache, toldInactive };
}

type World = ReturnType<typeof setUp>;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function knownOf(questions: readonly Question[]): Question | undefined {
  return (
    questions.findLast(({ answered }) => answered === 'inactive') ??
    questions.findLast(({ answered }) => answered === 'active')
  );
}

async function ask({ cache, clock, questions, revokedAtMs }: World, asked: string, staleness: number): Promise<void> {
  const nowMs = clock.monotonicMs();
  const windowMs = Math.min(staleness, TTL_SECONDS) * 1000;
  const isYoung = ({ askedAtMs }: Question): boolean => nowMs - askedAtMs < windowMs;
  const before = questions.filter((question) => question.token === asked);
  const known = knownOf(before);
  const serves = known !== undefined && isYoung(known) && nowMs < known.servesUntilMs;
  const last = before.at(-1);
  const canJoin = last?.answered === 'not yet' && !last.isOvertaken && isYoung(last);
  const own = questions.length;
  const onItsWay = new Set(before.filter((question) => question.answered === 'not yet' && !question.isOvertaken));

  const mayRenew = serves && known.answered === 'active' && nowMs - known.askedAtMs >= TTL_SECONDS * 1000 * 0.96;
  const pending = (async () => cache.introspect(asked, staleness))().catch(() => undefined);
  expect(questions.length - own).toBeLessThanOrEqual((serves && !mayRenew) || canJoin ? 0 : 1);

  const answer = await pending;
  const question = typeof answer?.['number'] === 'number' ? questions[answer['number']] : undefined;
  if (question === undefined) return;
  expect(question.token).toBe(asked);
  if (answer?.['active'] === true) {
    expect(known?.answered).not.toBe('inactive');
    expect(nowMs - (revokedAtMs.get(asked) ?? nowMs)).toBeLessThanOrEqual(windowMs);
    expect(question.number).toBeGreaterThanOrEqual(known?.number ?? 0);
  }
  const isFresh = question.number === own || (isYoung(question) && (serves || onItsWay.has(question)));
  expect(isFresh).toBe(true);
}

async function act(world: World, todo: Step): Promise<void> {
  if (todo.what === 'ask') await ask(world, todo.token, todo.staleness);
  else if (todo.what === 'revoke')
    world.revokedAtMs.set(todo.token, world.revokedAtMs.get(todo.token) ?? world.clock.monotonicMs());
  else if (todo.what === 'wait') world.clock.advance(todo.seconds);
  else if (todo.what === 'set date') world.clock.date += todo.seconds;
  else world.server.failing = todo.what === 'fail';
}

describe('CachedIntrospection in any order of events (model)', () => {
  it('never returns an expired or superseded result (RS-07, RS-12, RS-13, TX-06)', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 1, maxLength: 20 }), async (s, steps) => {
        const world = setUp(s);
        const todo = async (next: Step): Promise<void> => {
          await s.schedule(Promise.resolve(), JSON.stringify(next));
          await act(world, next);
        };
        await s.waitFor(Promise.all(steps.map(todo)));
        await s.waitAll();
        const inactive = world.questions.filter(({ answered }) => answered === 'inactive');
        // Tokens exchanged from an inactive token must also be evicted (TX-06).
        expect(new Set(world.toldInactive)).toEqual(new Set(inactive.map((question) => tokenHash(question.token))));
      }),
      { numRuns: 1000 },
    );
  });
});
