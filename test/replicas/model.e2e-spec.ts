import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { KeycloakModel, type Mode } from './model/keycloak-model.js';
import { World } from './model/world.js';

const SCHEDULES = Number(process.env['MODEL_SCHEDULES'] ?? 9);
const KEYS = [randomBytes(32).toString('base64')];

const STEPS = {
  ask: 16,
  exchange: 6,
  login: 3,
  loginTooLate: 1,
  use: 10,
  end: 2,
  logout: 2,
  endUnnoticed: 2,
  revoke: 4,
  deny: 2,
  recheck: 4,
  keycloak: 2,
  freeze: 1,
  empty: 1,
  garble: 1,
  remember: 1,
  goBack: 1,
  restart: 1,
} as const;

type Kind = keyof typeof STEPS;

interface Step {
  readonly kind: Kind;
  readonly replica: number;
  readonly which: number;
  readonly pauseMs: number;
  readonly waits: boolean;
}

const kinds = Object.entries(STEPS).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Kind) }));
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(...kinds),
  replica: fc.nat(2),
  which: fc.nat(11),
  pauseMs: fc.nat(25),
  waits: fc.boolean(),
});
const schedule = fc.array(step, { minLength: 40, maxLength: 80, size: 'max' });
interface Lives {
  readonly short: number;
  readonly signalled?: number;
}

const lives = fc.constantFrom<Lives>({ short: 1 }, { short: 300 }, { short: 1, signalled: 300 });

/** Faults of Valkey and restarts of replicas never overlap. */
const IN_TURN: ReadonlySet<Kind> = new Set(['freeze', 'empty', 'garble', 'remember', 'goBack', 'restart']);
const SLOWER = 4;
const MODES: readonly Mode[] = ['well', 'late', 'failing', 'well'];

const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('replicas over Valkey, with a model of Keycloak', () => {
  let valkey: Valkey;
  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
  });
  afterAll(() => valkey.remove());

  async function run(steps: readonly Step[], { short, signalled }: Lives): Promise<string[]> {
    const keycloak = new KeycloakModel();
    await keycloak.start();
    const world = new World(keycloak, valkey, KEYS, short, signalled);
    const underWay: Promise<unknown>[] = [];
    let ofStore: Promise<unknown> = Promise.resolve();
    const take = ({ kind, replica, which }: Step): unknown => {
      if (kind === 'keycloak') keycloak.mode = MODES[which % MODES.length] ?? 'well';
      else if (IN_TURN.has(kind)) return (ofStore = ofStore.then(() => world[kind](replica, which)));
      else return world[kind](replica, which);
      return undefined;
    };
    try {
      await world.start();
      for (const one of steps) {
        const done = Promise.resolve(take(one));
        underWay.push(done);
        done.catch(() => undefined);
        if (one.waits) await Promise.race([done, sleep(100)]);
        await sleep(signalled === undefined ? one.pauseMs : one.pauseMs * SLOWER);
      }
      await ofStore;
      keycloak.mode = 'well';
      await world.settle();
    } finally {
      await world.stop();
      await keycloak.stop();
    }
    await Promise.all(underWay);
    return [
      ...world.ledger.violations,
      ...(world.mayRepeat ? [] : keycloak.sentTwice.map((name) => `${name} was sent twice`)),
    ];
  }

  it(
    'accept no ended token or session, and never mix up users',
    async () => {
      await fc.assert(
        fc.asyncProperty(schedule, lives, async (steps, of) => {
          expect(await run(steps, of)).toEqual([]);
        }),
        // fast-check must not shrink a schedule, because a shorter schedule has another timing.
        { numRuns: SCHEDULES, endOnFailure: true },
      );
    },
    60_000 + SCHEDULES * 30_000,
  );
});
