/** Measures how much longer a run takes with a ten times longer input: 10 times if linear, 100 times if quadratic. */

const ROUNDS = 15;

/** Returns the shortest of several runs, because other processes can only lengthen a run. */
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
  for (let round = 0; round < ROUNDS; round += 1) run(short);
  return shortestMs(() => run(long)) / shortestMs(() => run(short));
}

export const LINEAR = 35;
