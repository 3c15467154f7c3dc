/** Measures how much longer a run takes with a ten times longer input: 10 times if linear, 100 times if quadratic. */

const ROUNDS = 15;

const ATTEMPTS = 5;

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

/** Measures again if the growth seems too large: a quadratic run is too slow each time, a busy machine only sometimes. */
export function growthOf(run: (input: string) => unknown, inputOf: (length: number) => string, length = 4000): number {
  const [short, long] = [inputOf(length), inputOf(length * 10)];
  for (let round = 0; round < ROUNDS; round += 1) [short, long].forEach((input) => run(input));
  let smallest = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && smallest >= LINEAR; attempt += 1) {
    smallest = Math.min(smallest, shortestMs(() => run(long)) / shortestMs(() => run(short)));
  }
  return smallest;
}

export const LINEAR = 35;
