import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint } from '../common/processes.mjs';

const { values: flags, positionals } = argumentsOf({ options: { brief: { type: 'boolean' } }, allowPositionals: true });
/** @type {Map<string, () => Promise<unknown>>} */
const steps = new Map();

export const print = flags.brief ? () => undefined : console.log;

/**
 * @template Given, Needed
 * @param {string} name
 * @param {string} sentence
 * @param {(needed: Needed) => Promise<Given>} act
 * @param {() => Promise<Needed>} [need]
 * @returns {() => Promise<Given>}
 */
export function step(name, sentence, act, need) {
  /** @type {Promise<Given> | undefined} */
  let taken;
  const take = async () => {
    const needed = /** @type {Needed} */ (await need?.());
    if (!flags.brief) console.log(`\n${paint(1, `${name}: ${sentence}`)}`);
    const given = await act(needed);
    if (flags.brief) console.log(`${paint(32, '✓')} ${name}: ${sentence}`);
    return given;
  };
  const run = () => (taken ??= take());
  steps.set(name, run);
  return run;
}

export async function takeSteps() {
  try {
    const unknown = positionals.find((name) => !steps.has(name));
    if (unknown !== undefined)
      throw new Error(`Unknown step "${unknown}". The steps are ${[...steps.keys()].join(', ')}`);
    for (const [name, run] of steps) if (positionals.length === 0 || positionals.includes(name)) await run();
    console.log(paint(32, '\nEverything went as it should.'));
  } catch (error) {
    console.error(paint(31, `\n${messageOf(error)}`));
    process.exitCode = 1;
  }
}
