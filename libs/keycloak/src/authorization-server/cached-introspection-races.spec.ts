/** CachedIntrospection against a naive model, under every order in which questions, answers, revocations and time can come. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { IntrospectionAnswer } from '../protocol/claims.js';
import { tokenHash } from '../protocol/fingerprint.js';
import { StillClock } from '../testing/still-clock.js';
import { CachedIntrospection } from './cached-introspection.js';

const TTL_SECONDS = 10;
const INACTIVE_SECONDS = 2;
const ANY = Infinity;
const OPTIONS = {
  issuer: 'https://sso.example.com/realms/shop',
  clientId: 'service-b',
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

/** A question as the server got it. */
interface Question {
  readonly token: string;
  readonly number: number;
  readonly askedAtMs: number;
  answered: 'not yet' | 'active' | 'inactive' | 'failed';
  /** As reckoned when the answer came. */
  servesUntilMs: number;
}

function setUp(s: fc.Scheduler) {
  const clock = new StillClock();
  const questions: Question[] = [];
  const active = new Set(['t1', 't2']);
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
    };
    questions.push(question);
    const { failing } = server;
    const answer = active.has(asked)
      ? { active: true, number: question.number, exp }
      : { active: false, number: question.number };
    await s.schedule(Promise.resolve(), `answer ${question.number} on ${asked}`);
    question.answered = failing ? 'failed' : answer.active ? 'active' : 'inactive';
    question.servesUntilMs = answer.active
      ? Math.min(question.askedAtMs + TTL_SECONDS * 1000, clock.monotonicMs() + (exp - clock.epochSeconds()) * 1000)
      : question.askedAtMs + INACTIVE_SECONDS * 1000;
    if (failing) throw new Error('unavailable');
    return answer;
  };
  const cache = new CachedIntrospection({ introspect, renew: introspect }, OPTIONS, clock, (hash) =>
    toldInactive.push(hash),
  );
  return { clock, questions, active, server, cache, toldInactive };
}

type World = ReturnType<typeof setUp>;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const isKnown = ({ answered }: Question): boolean => answered === 'active' || answered === 'inactive';

async function ask({ cache, clock, questions }: World, asked: string, staleness: number): Promise<void> {
  const nowMs = clock.monotonicMs();
  const isYoung = ({ askedAtMs }: Question): boolean => nowMs - askedAtMs < Math.min(staleness, TTL_SECONDS) * 1000;
  const before = questions.filter((question) => question.token === asked);
  const known = before.findLast(isKnown);
  const serves = known !== undefined && isYoung(known) && nowMs < known.servesUntilMs;
  const last = before.at(-1);
  const canJoin = last?.answered === 'not yet' && isYoung(last);
  const own = questions.length;
  const onItsWay = new Set(before.filter(({ answered }) => answered === 'not yet'));

  const mayRenew = serves && nowMs - known.askedAtMs >= TTL_SECONDS * 1000 * 0.96;
  const pending = (async () => cache.known(asked, staleness) ?? cache.introspect(asked, staleness))().catch(
    () => undefined,
  );
  expect(questions.length - own).toBeLessThanOrEqual((serves && !mayRenew) || canJoin ? 0 : 1);

  const number = (await pending)?.['number'];
  const question = typeof number === 'number' ? questions[number] : undefined;
  if (question === undefined) return;
  expect(question.token).toBe(asked);
  expect(question.number).toBeGreaterThanOrEqual(known?.number ?? 0);
  const isFresh = question.number === own || (isYoung(question) && (serves || onItsWay.has(question)));
  expect(isFresh).toBe(true);
}

async function act(world: World, todo: Step): Promise<void> {
  if (todo.what === 'ask') await ask(world, todo.token, todo.staleness);
  else if (todo.what === 'revoke') world.active.delete(todo.token);
  else if (todo.what === 'wait') world.clock.advance(todo.seconds);
  else if (todo.what === 'set date') world.clock.date += todo.seconds;
  else world.server.failing = todo.what === 'fail';
}

describe('CachedIntrospection, whatever comes first (model)', () => {
  it('asks only when it must, and gives no answer past its time or older than one known when the request came (RS-07, RS-12, RS-13)', async () => {
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
        // The tokens exchanged from it must go too (TX-06).
        expect(new Set(world.toldInactive)).toEqual(new Set(inactive.map((question) => tokenHash(question.token))));
      }),
      { numRuns: 1000 },
    );
  });
});
