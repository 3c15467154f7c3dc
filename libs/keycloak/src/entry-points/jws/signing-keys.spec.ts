import { beforeEach, describe, expect, it } from '@jest/globals';
import { ecSigner, type Signer } from '../../../spec-support/signers.js';
import { StillClock } from '../../../spec-support/still-clock.js';
import { AuthorizationServerError } from '../ports/published-keys.js';
import { SigningKeys } from './signing-keys.js';

const [OLD, NEW] = [ecSigner(), ecSigner()];

class FakeIssuer {
  published: readonly unknown[] = [OLD.jwk];
  isDown = false;
  readonly asked: number[] = [];
  readonly held: (() => void)[] = [];
  isHolding = false;

  constructor(private readonly clock: StillClock) {}

  readonly readKeys = async (): Promise<unknown> => {
    this.asked.push(this.clock.monotonicMs());
    const keys = [...this.published];
    if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
    if (this.isDown) throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'ECONNREFUSED' });
    return { keys };
  };
}

let clock: StillClock;
let issuer: FakeIssuer;
let keys: SigningKeys;
let lines: string[];
let waits: number[];
let onWait: () => Promise<void>;

beforeEach(() => {
  clock = new StillClock();
  issuer = new FakeIssuer(clock);
  lines = [];
  waits = [];
  onWait = async () => undefined;
  const say = (message: string, fields: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    clock.advance(ms / 1000);
    await onWait();
  };
  keys = new SigningKeys(
    { readKeys: issuer.readKeys, clock, log: { log: say, warn: say, error: say } },
    { maxKeyAgeSeconds: 600 },
    wait,
  );
});

const now = (): ReturnType<SigningKeys['current']> => keys.current(clock.monotonicMs());
const has = ({ jwk }: Signer): boolean | undefined => now()?.has(jwk.kid);
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('SigningKeys', () => {
  it('reads the keys at the first use, once for all waiting callers', async () => {
    expect(now()).toBeUndefined();
    const sets = await Promise.all(Array.from({ length: 100 }, () => keys.usable()));
    expect(new Set(sets).size).toBe(1);
    expect([issuer.asked.length, has(OLD)]).toEqual([1, true]);
    expect(lines).toEqual([`Keycloak's signing keys were read {"added":["${OLD.jwk.kid}"],"withdrawn":[]}`]);
  });

  it('renews the keys in the background, after half to three quarters of their maximum age', async () => {
    await keys.usable();
    clock.advance(299);
    now();
    expect(issuer.asked).toHaveLength(1);
    clock.advance(151);
    issuer.isHolding = true;
    expect([has(OLD), has(OLD), issuer.asked.length]).toEqual([true, true, 2]);
    issuer.published = [NEW.jwk, OLD.jwk];
    issuer.held.shift()?.();
    await settled();
    clock.advance(500);
    expect(has(OLD)).toBe(true);
  });

  it('uses the keys only up to their maximum age while the issuer is down', async () => {
    await keys.usable();
    issuer.isDown = true;
    clock.advance(451);
    expect(has(OLD)).toBe(true);
    await settled();
    expect(lines.at(-1)).toBe(
      `Keycloak's signing keys can't be read again. The previous keys stay in use {"reason":"ECONNREFUSED","leftSeconds":149}`,
    );
    expect([has(OLD), issuer.asked.length]).toEqual([true, 2]);
    clock.advance(10);
    expect([has(OLD), issuer.asked.length]).toEqual([true, 3]);
    await settled();
    clock.advance(139);
    expect(now()).toBeUndefined();
    await expect(keys.usable()).rejects.toMatchObject({ code: 'authorization_server_unavailable' });
    issuer.isDown = false;
    expect((await keys.usable()).has(OLD.jwk.kid)).toBe(true);
  });

  it('stops using a withdrawn key as soon as the keys are read again', async () => {
    const old = (await keys.usable()).find(OLD.jwk.kid, 'ES256');
    issuer.published = [NEW.jwk];
    clock.advance(450);
    expect(old?.isPublished).toBe(true);
    now();
    await settled();
    expect([old?.isPublished, has(OLD), has(NEW)]).toEqual([false, false, true]);
  });

  it('keeps the current keys if the answer is not a valid key set', async () => {
    await keys.usable();
    issuer.published = [];
    clock.advance(450);
    now();
    await settled();
    expect(has(OLD)).toBe(true);
  });

  describe('a search for an unknown key', () => {
    it('reads the keys immediately, and once for all waiting callers', async () => {
      await keys.usable();
      issuer.published = [NEW.jwk, OLD.jwk];
      clock.advance(5);
      const sets = await Promise.all(Array.from({ length: 1000 }, () => keys.newer()));
      expect(sets.every((set) => set.has(NEW.jwk.kid))).toBe(true);
      expect([issuer.asked.length, waits]).toEqual([2, []]);
    });

    it('reads the keys at most once a second, so that callers wait (RS-17)', async () => {
      await keys.usable();
      clock.advance(0.3);
      const first = keys.newer();
      issuer.published = [NEW.jwk, OLD.jwk];
      const [set, same] = await Promise.all([first, keys.newer()]);
      expect([set === same, set.has(NEW.jwk.kid)]).toEqual([true, true]);
      for (let times = 0; times < 10; times += 1) await keys.newer();
      const pauses = issuer.asked.slice(1).map((atMs, at) => atMs - (issuer.asked[at] ?? 0));
      expect(pauses).toHaveLength(11);
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(999);
    });

    it('ignores the keys of a read that began before the search', async () => {
      await keys.usable();
      clock.advance(5);
      issuer.isHolding = true;
      const early = keys.newer();
      await settled();
      issuer.published = [NEW.jwk];
      const late = keys.newer();
      issuer.isHolding = false;
      issuer.held.shift()?.();
      expect([(await early).has(NEW.jwk.kid), (await late).has(NEW.jwk.kid)]).toEqual([false, true]);
    });

    it('limits the number of waiting callers', async () => {
      await keys.usable();
      issuer.isHolding = true;
      clock.advance(5);
      const waiting = Array.from({ length: 5000 }, () => keys.newer());
      await expect(keys.newer()).rejects.toMatchObject({
        code: 'authorization_server_unavailable',
        reason: 'queue_full',
      });
      issuer.isHolding = false;
      await settled();
      issuer.held.shift()?.();
      expect((await Promise.all(waiting)).length).toBe(5000);
      await keys.newer();
      expect(issuer.asked).toHaveLength(3);
    });

    it('rejects a call while the issuer is down, even if other calls start new reads', async () => {
      await keys.usable();
      issuer.isDown = true;
      clock.advance(599.5);
      now();
      await settled();
      // During each wait, `usable()` finds no current keys and starts another read.
      onWait = async () => {
        expect(waits.length).toBeLessThan(10);
        await expect(keys.usable()).rejects.toBeInstanceOf(AuthorizationServerError);
      };
      await expect(keys.newer()).rejects.toMatchObject({ reason: 'ECONNREFUSED' });
    });

    it('reads the keys at most once a second while the issuer is down', async () => {
      await keys.usable();
      issuer.isDown = true;
      clock.advance(5);
      const answers = await Promise.allSettled([keys.newer(), keys.newer(), keys.newer()]);
      expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(issuer.asked).toHaveLength(2);
      await expect(keys.newer()).rejects.toBeInstanceOf(AuthorizationServerError);
      expect(waits).toEqual([1000]);
      expect(has(OLD)).toBe(true);
    });
  });

  it('logs an unusable key only once', async () => {
    issuer.published = [OLD.jwk, { ...OLD.jwk, kid: 'leaked', d: 'x' }];
    await keys.usable();
    clock.advance(5);
    await keys.newer();
    const words = 'Keycloak publishes a key that must not be used. Tokens that name it are refused';
    expect(lines.filter((line) => line.startsWith(words))).toEqual([
      `${words} {"keyId":"leaked","fault":"private_key"}`,
    ]);
  });
});
