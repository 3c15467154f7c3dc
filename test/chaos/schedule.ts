import { Random } from './random.js';

/** Two faults of the same part, such as `store`, never overlap. */
export const PARTS = {
  replicas: ['replica-killed', 'replica-ended', 'replica-frozen'],
  store: [
    'store-frozen',
    'store-restarted-empty',
    'store-restarted-as-it-was',
    'store-full',
    'state-flushed',
    'answers-flushed',
    'state-garbled',
    'answers-garbled',
  ],
  pollers: ['poller-killed', 'poller-frozen'],
  server: ['server-slow', 'server-refuses', 'server-resets', 'server-hangs'],
} as const;

export type Part = keyof typeof PARTS;
export type FaultKind = (typeof PARTS)[Part][number];

export interface PlannedFault {
  readonly part: Part;
  readonly kind: FaultKind;
  readonly forMs: number;
  readonly replica: number;
  readonly seed: number;
  readonly alongside: boolean;
  readonly calmMs: number;
}

/** Every kind of fault occurs once before any kind occurs again. */
export function* schedule(seed: number): Generator<PlannedFault, never> {
  const random = new Random(seed);
  const kinds = Object.entries(PARTS).flatMap(([part, all]) => all.map((kind) => ({ part: part as Part, kind })));
  let before: PlannedFault | undefined;
  for (;;) {
    for (const { part, kind } of random.shuffled(kinds)) {
      const wanted = random.chance(0.3);
      const alongside = wanted && before !== undefined && before.part !== part && !before.alongside;
      before = {
        part,
        kind,
        forMs: random.between(300, 2000),
        replica: random.between(0, 1_000_000),
        seed: random.between(0, 1_000_000),
        alongside,
        calmMs: random.between(500, 2500),
      };
      yield before;
    }
  }
}
