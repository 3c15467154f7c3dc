import { parseArgs } from 'node:util';
import { messageOf, paint } from './processes.mjs';

/**
 * For invalid arguments, prints an error of one line and exits.
 *
 * @template {import('node:util').ParseArgsConfig} Config
 * @param {Config} config
 * @returns {ReturnType<typeof parseArgs<Config>>}
 */
export function argumentsOf(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    const names = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    console.error(paint(31, `${messageOf(error)}. Options: ${names.join(', ') || 'none'}; --help describes them.`));
    return process.exit(1);
  }
}

/**
 * @param {readonly string[]} args
 * @param {Record<string, { readonly type: 'boolean' | 'string' }>} options
 */
export function takeOptions(args, options) {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const ours = new Set(
    tokens.flatMap((token) => {
      if (token.kind !== 'option' || !(token.name in options)) return [];
      const valueFollows = token.value !== undefined && token.inlineValue === false;
      return valueFollows ? [token.index, token.index + 1] : [token.index];
    }),
  );
  const own = Object.fromEntries(Object.entries(values).filter(([name]) => name in options));
  return { values: own, others: args.filter((_, index) => !ours.has(index)) };
}

/**
 * Moves `--selectProjects=…` to the end, because Jest reads every later argument as a project.
 *
 * @param {readonly string[]} args
 */
export function selectionLast(args) {
  const isSelection = (/** @type {string} */ arg) => arg.startsWith('--selectProjects=');
  return [...args.filter((arg) => !isSelection(arg)), ...args.filter(isSelection)];
}

/**
 * @param {unknown} option
 * @param {NodeJS.ProcessEnv} environment
 * @param {import('keycloak-test-servers').ServerChoice} [otherwise]
 * @returns {string} the choice, which startTestServer() validates
 */
export function chooseServer(option, environment, otherwise = 'available') {
  // The option is `true` if the user gave no value.
  if (option === '' || option === true) throw new Error('--authorization-server= must name a server');
  const choice = String(option ?? (environment.AUTHORIZATION_SERVER || otherwise));
  environment.AUTHORIZATION_SERVER = choice;
  return choice;
}

/** @param {string} choice */
export const runsAlready = (choice) => /^https?:/.test(choice);
