import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { BearerError } from '../protocol/bearer-error.js';
import { tokenHash } from '../protocol/token-hash.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { IssuedToken } from '../protocol/issued-token.js';
import { subjectTokenText } from '../protocol/verified-access-token.js';
import { StillClock } from '../../spec-support/still-clock.js';
import { testAccessToken } from '../testing/test-access-token.js';
import { clientCredentialsRequest, tokenExchangeRequest, type TokenRequest } from './token-request.js';
import { TokenSource } from './token-source.js';
import { TokenSourceLog } from './token-source-log.js';
import { type TokenForm, endpointOf } from '../../spec-support/token-forms.js';

const RENEW_BEFORE_SECONDS = 10;
const REPLACEMENT_PAUSE_MS = 5000;
const REFUSAL_MEMORY_MS = 2000;
const RENEWAL_PAUSE_MS = 1000;
const OPTIONS = {
  issuer: 'https://sso.example.com/realms/shop',
  clientId: 'service-b',
  minRemainingLifetimeSeconds: RENEW_BEFORE_SECONDS,
  maxCachedTokens: 100,
};

const SUBJECTS = {
  alice: testAccessToken({ subject: 'alice', expiresInSeconds: 1000 }),
  bob: testAccessToken({ subject: 'bob', expiresInSeconds: 9000 }),
};
type Name = keyof typeof SUBJECTS;
const BEGIN = SUBJECTS.alice.expiresAt - 100;

const name = fc.constantFrom<Name>('alice', 'alice', 'bob');
const request: fc.Arbitrary<TokenRequest> = fc
  .record({
    who: fc.constantFrom<Name | null>('alice', 'alice', 'alice', 'bob', null),
    audience: fc.constantFrom('service-c', 'service-c', 'service-c', 'service-d'),
    scopes: fc.constantFrom('a b', 'b a', 'b a', 'a'),
  })
  .map(({ who, audience, scopes }) =>
    who === null ? clientCredentialsRequest(scopes) : tokenExchangeRequest(SUBJECTS[who], audience, scopes),
  );

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('get' as const), request }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('drop' as const), request }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('revoke' as const, 'find inactive' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('wait' as const), seconds: fc.constantFrom(0.5, 2, 10, 39, 46, 50, 90) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('set date' as const), seconds: fc.constantFrom(-3600, -5, 5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('live' as const), seconds: fc.constantFrom(0, 4, 0.5, 60, 300) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('fail' as const, 'heal' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Asked {
  readonly number: number;
  readonly for: string;
  readonly sentAtMs: number;
  became: 'in the air' | 'a token' | 'refused' | 'failed';
  landedAtMs: number;
  servesMs: { readonly atLeast: number; readonly atMost: number };
}

const purposeOf = (form: TokenForm): string =>
  JSON.stringify(Object.entries({ ...form, scope: form.scope.split(' ').toSorted() }).toSorted());

function formOf(wanted: TokenRequest): TokenForm {
  if (wanted.grant !== TOKEN_EXCHANGE_GRANT) return { grant_type: wanted.grant, scope: wanted.scope };
  const { grant, subject, audience, scope } = wanted;
  return { grant_type: grant, subject_token: subjectTokenText(subject), audience, scope };
}

class World {
  readonly clock = new StillClock();
  readonly asked: Asked[] = [];
  readonly tokens: TokenSource;
  readonly revoked = new Set<string>();
  /** `from` is the number of the first token request after the subject token was found inactive. */
  readonly foundInactive: { readonly purposePart: string; readonly from: number }[] = [];
  readonly dropped = new Set<number>();
  /** The tokens whose subject token was refused in a later exchange. */
  readonly ended = new Set<number>();
  readonly askedTwice: string[] = [];
  readonly lastGiven = new Map<string, IssuedToken>();
  readonly replacedAtMs = new Map<string, number>();
  lifetimeSeconds = 60;
  isFailing = false;

  constructor(private readonly scheduler: fc.Scheduler) {
    this.clock.date = BEGIN;
    const log = new TokenSourceLog({ log: () => undefined });
    this.tokens = new TokenSource(
      endpointOf((form) => this.#answer(form)),
      OPTIONS,
      this.clock,
      log,
      {
        denies: () => false,
      },
    );
  }

  valid(purpose: string): Asked[] {
    const from = Math.max(
      0,
      ...this.foundInactive.filter((found) => purpose.includes(found.purposePart)).map((found) => found.from),
    );
    return this.asked.filter((item) => item.for === purpose && item.number >= from && !this.dropped.has(item.number));
  }

  kept(purpose: string): Asked | undefined {
    const nowMs = this.clock.monotonicMs();
    return this.valid(purpose)
      .filter(({ number, became }) => became === 'a token' && !this.ended.has(number))
      .filter(({ servesMs }) => nowMs < servesMs.atMost)
      .reduce<Asked | undefined>(
        (kept, next) => (kept === undefined || next.servesMs.atLeast >= kept.servesMs.atLeast ? next : kept),
        undefined,
      );
  }

  async #answer(form: TokenForm): Promise<IssuedToken> {
    const purpose = purposeOf(form);
    if (this.valid(purpose).some(({ became }) => became === 'in the air')) this.askedTwice.push(purpose);
    const sentAtMs = this.clock.monotonicMs();
    const asked: Asked = {
      number: this.asked.length,
      for: purpose,
      sentAtMs,
      became: 'in the air',
      landedAtMs: 0,
      servesMs: { atLeast: 0, atMost: 0 },
    };
    this.asked.push(asked);
    const { lifetimeSeconds, isFailing } = this;
    const isRefused = 'subject_token' in form && this.revoked.has(form.subject_token);

    await this.scheduler.schedule(Promise.resolve(), `answer ${asked.number}`);
    asked.landedAtMs = this.clock.monotonicMs();
    asked.became = isFailing ? 'failed' : isRefused ? 'refused' : 'a token';
    const fields = { number: asked.number };
    if (isFailing)
      throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout', fields });
    if (isRefused) {
      const ofSubject = this.asked.filter((item) => item.for.includes(JSON.stringify(form.subject_token)));
      for (const { number, became } of ofSubject) if (became === 'a token') this.ended.add(number);
      throw new BearerError('invalid_token', { reason: 'inactive', fields });
    }
    asked.servesMs = this.#serves(asked, lifetimeSeconds, form);
    return new IssuedToken(`token-${asked.number}`, form.scope.split(' '), lifetimeSeconds);
  }

  #serves({ sentAtMs, landedAtMs }: Asked, lifetime: number, form: TokenForm): Asked['servesMs'] {
    const subject = Object.values(SUBJECTS).find(
      (token) => 'subject_token' in form && subjectTokenText(token) === form.subject_token,
    );
    const left = (subject?.expiresAt ?? Infinity) - this.clock.epochSeconds();
    const useful = (seconds: number): number => (seconds - Math.min(RENEW_BEFORE_SECONDS, seconds / 2)) * 1000;
    return {
      atLeast: sentAtMs + useful(Math.min(lifetime, left)),
      atMost: Math.min(sentAtMs + useful(lifetime), landedAtMs + useful(left)),
    };
  }
}

async function get(world: World, wanted: TokenRequest): Promise<void> {
  const { clock, asked, tokens } = world;
  const purpose = purposeOf(formOf(wanted));
  const nowMs = clock.monotonicMs();
  const valid = world.valid(purpose);
  const kept = world.kept(purpose);
  const isSureToServe = kept !== undefined && nowMs < kept.servesMs.atLeast;
  const isFresh = isSureToServe && nowMs < kept.landedAtMs + 0.8 * (kept.servesMs.atLeast - kept.landedAtMs);
  const inTheAir = valid.filter(({ became }) => became === 'in the air');
  const hasJustFailed = valid.some(
    ({ number, became, sentAtMs, landedAtMs }) =>
      became !== 'in the air' &&
      number !== kept?.number &&
      nowMs - landedAtMs < RENEWAL_PAUSE_MS &&
      sentAtMs >= (kept?.landedAtMs ?? Infinity),
  );
  const isSpared = isFresh || inTheAir.length > 0 || (isSureToServe && hasJustFailed);
  const own = asked.length;

  const outcome = (async () => tokens.get(wanted))().catch(
    (error: { readonly fields: { readonly number: number } }) => error.fields.number,
  );
  expect(asked.length - own).toBeLessThanOrEqual(
    isSpared || (kept === undefined && isRemembered(valid, nowMs)) ? 0 : 1,
  );

  const token = await outcome;
  const number = typeof token === 'number' ? token : Number(token.reveal().slice('token-'.length));
  const answer = asked[number];
  expect(answer?.for).toBe(purpose);
  const isValid = number >= own || valid.some((item) => item.number === number);
  expect(isValid || isShortlyRefused(answer, nowMs)).toBe(true);
  const isOfNow = number >= own || inTheAir.some((flight) => flight.number === number);
  expect(isOfNow || number === kept?.number || isShortlyRefused(answer, nowMs)).toBe(true);
  expect(isSureToServe && typeof token === 'number').toBe(false);
  expect(isSureToServe && isOfNow).toBe(false);
  if (typeof token !== 'number') world.lastGiven.set(purpose, token);
}

const isShortlyRefused = (answer: Asked | undefined, nowMs: number): boolean =>
  answer?.became === 'refused' && nowMs - answer.landedAtMs < REFUSAL_MEMORY_MS;

const isRemembered = (valid: readonly Asked[], nowMs: number): boolean =>
  isShortlyRefused(
    valid.findLast(({ became }) => became !== 'in the air'),
    nowMs,
  );

function dropRefused(world: World, wanted: TokenRequest): void {
  const purpose = purposeOf(formOf(wanted));
  const token = world.lastGiven.get(purpose);
  if (token === undefined) return;
  const number = Number(token.reveal().slice('token-'.length));
  const nowMs = world.clock.monotonicMs();
  const sinceReplacedMs = nowMs - (world.replacedAtMs.get(purpose) ?? -Infinity);
  const kept = world.kept(purpose);
  const isReplaced = world.tokens.dropRefused(wanted, token);
  const isKept = kept?.number === number && nowMs < kept.servesMs.atLeast;
  expect(isReplaced || sinceReplacedMs < REPLACEMENT_PAUSE_MS).toBe(true);
  expect(isReplaced && isKept && sinceReplacedMs < REPLACEMENT_PAUSE_MS).toBe(false);
  if (!isReplaced) return;
  world.dropped.add(number);
  if (!isKept) return;
  world.replacedAtMs.set(purpose, nowMs);
  for (const { became, number: other } of world.valid(purpose)) if (became === 'a token') world.dropped.add(other);
}

async function act(world: World, todo: Step): Promise<void> {
  const { clock, tokens } = world;
  switch (todo.what) {
    case 'get':
      return get(world, todo.request);
    case 'drop': {
      dropRefused(world, todo.request);
      return;
    }
    case 'revoke':
      world.revoked.add(subjectTokenText(SUBJECTS[todo.name]));
      return;
    case 'find inactive': {
      const text = subjectTokenText(SUBJECTS[todo.name]);
      world.revoked.add(text);
      tokens.dropExchangedFrom(tokenHash(text));
      world.foundInactive.push({ purposePart: JSON.stringify(text), from: world.asked.length });
      return;
    }
    case 'wait':
      clock.advance(todo.seconds);
      return;
    case 'set date':
      clock.date += todo.seconds;
      return;
    case 'live':
      world.lifetimeSeconds = todo.seconds;
      return;
    default:
      world.isFailing = todo.what === 'fail';
  }
}

describe('TokenSource with events in random order (a model test)', () => {
  it.each([
    ['any seed', { numRuns: 600 }],
    ['a seed whose renewal returns an expired token', { numRuns: 300, seed: 1_933_745_300 }],
  ])('returns no expired, wrong or dropped token: %s (CC-01, CC-02, TX-05, TX-06)', async (_, run) => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 1, maxLength: 30 }), async (s, steps) => {
        const world = new World(s);
        const todo = async (next: Step): Promise<void> => {
          await s.schedule(Promise.resolve(), next.what);
          await act(world, next);
        };
        await s.waitFor(Promise.all(steps.map(todo)));
        expect(world.askedTwice).toEqual([]);
      }),
      run,
    );
  });
});
