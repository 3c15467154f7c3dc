// Engine hints: what a probe measures in a process that was given the hints of the services for V8, and in one that was not.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const inAProcess = promisify(execFile);
const HINTS = new URL('../../libs/service-defaults/dist/engine-hints.js', import.meta.url).href;

/** The source of an ES module, run in processes of its own with `flags` of Node; `measure` is of that module, and prints a number. Gives those of all rounds. */
export async function withHintsAndWithout(measure, { flags, unit, rounds, say, signal }) {
  const results = { with: [], without: [] };
  const beginnings = { with: `import { giveEngineHints } from '${HINTS}'; giveEngineHints();`, without: '' };
  for (let round = 1; round <= rounds; round += 1) {
    for (const [which, values] of Object.entries(results)) {
      const args = ['--expose-gc', ...flags, '--input-type=module', '--eval', `${beginnings[which]}\n${measure}`];
      const { stdout } = await inAProcess(process.execPath, args, { signal });
      values.push(Number(stdout));
    }
    say(
      `round ${round}: ${results.with.at(-1).toFixed(1)} ${unit} with hints, ${results.without.at(-1).toFixed(1)} without`,
    );
  }
  return results;
}
