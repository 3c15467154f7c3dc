// What scripts read in their arguments: options of their own, and the choice of an authorization server.
import { parseArgs } from 'node:util';
import { messageOf, paint } from './processes.mjs';

/**
 * parseArgs() for what a script reads before anything else: what is wrong with the arguments ends it with one sentence.
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
    console.error(
      paint(31, `${messageOf(error)}. Options: ${names.join(', ') || 'none'}; --help says what they are for.`),
    );
    return process.exit(1);
  }
}

/**
 * The values of options of ours, and the arguments without them: those are for Jest.
 *
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
 * The arguments with `--selectProjects=…` behind all others: Jest takes every word after it for a project, the path of a test too.
 *
 * @param {readonly string[]} args
 */
export function selectionLast(args) {
  const isSelection = (/** @type {string} */ arg) => arg.startsWith('--selectProjects=');
  return [...args.filter((arg) => !isSelection(arg)), ...args.filter(isSelection)];
}

/**
 * Has the variable AUTHORIZATION_SERVER say which server is to be used: by `option`, the value of --authorization-server, by
 * what it says already, or by `otherwise`.
 *
 * @param {unknown} option
 * @param {NodeJS.ProcessEnv} environment
 * @param {import('keycloak-test-servers').ServerChoice} [otherwise]
 * @returns {string} that choice, which startTestServer() checks
 */
export function chooseServer(option, environment, otherwise = 'available') {
  // Without a word behind it the option is `true`.
  if (option === '' || option === true) throw new Error('--authorization-server= names no server');
  const choice = String(option ?? (environment.AUTHORIZATION_SERVER || otherwise));
  environment.AUTHORIZATION_SERVER = choice;
  return choice;
}

/**
 * Whether a choice is that of a server that runs already.
 *
 * @param {string} choice
 */
export const runsAlready = (choice) => /^https?:/.test(choice);
