// What npm test reads in its arguments, all others being Jest's: options of its own, and the projects that were asked for.
import { parseArgs } from 'node:util';

/** What Node runs Jest by. */
export const JEST = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

/** The value of an option of ours, and the arguments without it. */
export function takeOption(args, name) {
  const { tokens } = parseArgs({ args, options: { [name]: { type: 'string' } }, strict: false, tokens: true });
  const ours = tokens.filter((token) => token.name === name);
  const places = new Set(ours.flatMap(({ index, inlineValue }) => (inlineValue ? [index] : [index, index + 1])));
  const value = ours.at(-1);
  return [value && (value.value ?? ''), args.filter((_, index) => !places.has(index))];
}

/** Whether an option of ours that has no value is there, and the arguments without it. */
export function takeFlag(args, name) {
  const others = args.filter((arg) => arg !== `--${name}`);
  return [others.length < args.length, others];
}

/** The values of Jest's --selectProjects, which takes all words up to the next option. */
export function selectedProjects(args) {
  return args.flatMap((arg, index) => {
    if (arg.startsWith('--selectProjects=')) return [arg.slice('--selectProjects='.length)];
    return belongsToSelection(args, index) && arg !== '--selectProjects' ? [arg] : [];
  });
}

/** The arguments without that. */
export function withoutSelection(args) {
  return args.filter((arg, index) => !arg.startsWith('--selectProjects') && !belongsToSelection(args, index));
}

function belongsToSelection(args, index) {
  const option = args.slice(0, index + 1).findLast((arg) => arg.startsWith('-'));
  return option === '--selectProjects';
}
