import { runsAlready } from '../common/own-options.mjs';
import { namesValkey } from '../start/replicas.mjs';
import { runningKeycloak } from '../start/running-keycloak.mjs';
import { DESCRIPTION, poller, serviceEnvironment, services } from '../start/services.mjs';
import { feedEnvironment, hasSources, pollerEnvironment, withoutSources } from '../start/signals.mjs';
import { composeContainers, detailsIn, nodeIn, variablesOf } from './compose-stack.mjs';
import { detailsAt, feedFault, receivesRevocations } from './feed-state.mjs';
import { localStacks } from './local-stacks.mjs';

export const CLI = 'libs/keycloak/dist/cli/cli.js';
const ANSWER_MS = 5000;

/** @typedef {import('../../libs/keycloak/dist/checkup/finding.js').Finding} Finding */
/** @typedef {{ executable: string, args: string[], env: NodeJS.ProcessEnv }} Command */

/**
 * If `isSymptom` is true, another finding of doctor usually names the cause.
 *
 * @typedef {{ what: string, why: string, cure: string, check?: 'signals', level?: 'warning', isSymptom?: true }} ProcessFault
 */

/**
 * If several processes of a service have equal `settings`, only one process is examined.
 *
 * @typedef {object} Examined
 * @property {string} service
 * @property {string} name
 * @property {string} settings
 * @property {() => Promise<ProcessFault | undefined>} look
 * @property {((flags: readonly string[], variables: NodeJS.ProcessEnv) => Command) | undefined} command
 */

/** @typedef {{ title: string, baseUrl: string, processes: Examined[] }} Stack */

/**
 * If no stack runs, returns the processes that npm start would run with .env.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<Stack[]>}
 */
export async function stacksToExamine(environment) {
  const local = (await localStacks()).map(({ title, keycloak, processes }) => ({
    title,
    baseUrl: keycloak.baseUrl,
    processes: processes.map((one) => localProcess(one, keycloak.issuer)),
  }));
  const names = [...Object.keys(DESCRIPTION.services), DESCRIPTION.poller.name];
  const containers = await composeContainers(names);
  const isUp = containers.some(({ state }) => state === 'running');
  const { baseUrl, issuer } = runningKeycloak(environment);
  const composed = isUp
    ? [{ title: 'docker compose', baseUrl, processes: containers.map((one) => containerProcess(one, issuer)) }]
    : [];
  const found = [...local, ...composed];
  return found.length > 0 ? found : [settingsAlone(environment)];
}

/** @param {string} service */
const moduleOf = (service) => `dist/${service}.module.js#root`;

/**
 * @param {import('./local-stacks.mjs').LocalProcess} running
 * @param {string} issuer
 * @returns {Examined}
 */
function localProcess({ service, name, port, environment }, issuer) {
  const feed = async () =>
    receivesRevocations(service, environment) ? feedFault(service, issuer, detailsAt(port)) : undefined;
  return {
    service,
    name,
    settings: textOf(environment),
    look: async () => (await answers(`http://localhost:${port}/health/ready`)) ?? feed(),
    command: commandHere(service, environment),
  };
}

/**
 * @param {string} service
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NonNullable<Examined['command']>}
 */
function commandHere(service, environment) {
  return (flags, variables) => ({
    executable: process.execPath,
    args: [CLI, 'doctor', '--module', `apps/${service}/${moduleOf(service)}`, ...flags],
    env: { ...environment, ...variables },
  });
}

/**
 * @param {import('./compose-stack.mjs').Container} container
 * @param {string} issuer
 * @returns {Examined}
 */
function containerProcess(container, issuer) {
  const { service, name, environment, state, health } = container;
  const cli = `/app/${CLI}`;
  return {
    service,
    name,
    settings: environment.toSorted().join('\n'),
    look: async () => {
      const cure = `docker compose start ${service}. Its log says why it ended: docker logs ${name}.`;
      if (state !== 'running') return { what: 'Not running', why: state, cure };
      if (health !== undefined && health !== 'healthy') return notReady(health);
      const receives = receivesRevocations(service, variablesOf(container));
      return receives ? feedFault(service, issuer, (token) => detailsIn(container, token)) : undefined;
    },
    command:
      state === 'running'
        ? (flags, variables) => nodeIn(container, [cli, 'doctor', '--module', moduleOf(service), ...flags], variables)
        : undefined,
  };
}

/**
 * @param {NodeJS.ProcessEnv} given
 * @returns {Stack}
 */
function settingsAlone(given) {
  const keycloak = runningKeycloak(given);
  const environment = feedEnvironment(given, given.AUTHORIZATION_SERVER ?? '');
  const all = services(environment);
  const hasPoller = namesValkey(environment) && hasSources(environment);
  const ofServices = hasPoller ? withoutSources(environment) : environment;
  const context = { all, keycloak, environment: ofServices };
  const described = all.toReversed().map((service) => ({ service, env: serviceEnvironment(service, context) }));
  if (hasPoller) {
    const service = poller(environment);
    described.push({ service, env: pollerEnvironment(service, { keycloak, environment }) });
  }
  return {
    title: `the settings of ${runsAlready(given.AUTHORIZATION_SERVER ?? '') ? 'the environment' : '.env'}: neither npm start nor docker compose runs here`,
    baseUrl: keycloak.baseUrl,
    processes: described.map(({ service: { name }, env }) => ({
      service: name,
      name,
      settings: textOf(env),
      look: async () => undefined,
      command: commandHere(name, env),
    })),
  };
}

/**
 * @param {string} url
 * @returns {Promise<ProcessFault | undefined>}
 */
async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (response.ok) return undefined;
    const report = /** @type {any} */ (await response.json().catch(() => undefined));
    const [code] = Object.values(report?.error ?? {}).flatMap((/** @type {any} */ part) => part?.code ?? []);
    return notReady(String(code ?? response.status));
  } catch (error) {
    const { cause, name: kind } = /** @type {any} */ (error);
    const cure = 'Check whether the process still runs. If not, its last log lines say why.';
    return { what: 'No answer', why: cause?.code ?? kind, cure };
  }
}

/**
 * @param {string} why
 * @returns {ProcessFault}
 */
const notReady = (why) => ({
  what: 'Not ready',
  why,
  cure: 'Correct the other findings. If there are none, wait a moment and run doctor again.',
  isSymptom: true,
});

/**
 * The port is not included, since replicas differ only in the port.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
function textOf(environment) {
  return Object.entries(environment)
    .filter(([name]) => name !== 'PORT')
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join('\n');
}
