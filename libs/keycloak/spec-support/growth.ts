/** growthOf(): how much longer something takes with ten times as much; about 10 where it reads each character once, 100 where it begins anew at each. */

const ROUNDS = 15;

/** The shortest of many runs: what else the machine does makes some longer, and none shorter. */
function shortestMs(run: () => unknown): number {
  let shortest = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - startMs);
  }
  return shortest;
}

export function growthOf(run: (input: string) => unknown, inputOf: (length: number) => string, length = 4000): number {
  const [short, long] = [inputOf(length), inputOf(length * 10)];
  // Compiled, if it ever is.
  for (let round = 0; round < ROUNDS; round += 1) run(short);
  return shortestMs(() => run(long)) / shortestMs(() => run(short));
}

/** Far from both. */
export const LINEAR = 35;
