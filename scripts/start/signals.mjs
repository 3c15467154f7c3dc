import { runsAlready } from '../common/own-options.mjs';
import { serviceEnvironment } from './services.mjs';

/** @typedef {import('./services.mjs').NamedService} Service */

/** The TTL with a healthy feed: the longest token lifetime in the demonstration. */
const LONG_TTL_SECONDS = '300';

/**
 * An authorization server that was already running keeps its settings.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} choice of the authorization server
 * @returns {NodeJS.ProcessEnv}
 */
export function feedEnvironment(environment, choice) {
  if (runsAlready(choice)) return environment;
  const defaults = {
    SIGNALS_EVENTS: 'true',
    SIGNAL_SOURCES: 'events',
    INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: LONG_TTL_SECONDS,
  };
  return { ...defaults, ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value)) };
}

export const hasSources = (/** @type {NodeJS.ProcessEnv} */ { SIGNAL_SOURCES: sources = '' }) =>
  !['', 'none'].includes(sources);

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export const withoutSources = (environment) => ({ ...environment, SIGNAL_SOURCES: '' });

/**
 * @param {Service} poller
 * @param {Omit<Parameters<typeof serviceEnvironment>[1], 'all'>} context
 * @returns {NodeJS.ProcessEnv}
 */
export const pollerEnvironment = (poller, { keycloak, environment }) => {
  const sources = environment.SIGNAL_SOURCES || 'events';
  const own = { ...environment, SIGNAL_SOURCES: sources, [`${poller.prefix}_SHARED_ANSWERS_URL`]: '' };
  return { ...serviceEnvironment(poller, { all: [], keycloak, environment: own }), SHARED_ANSWERS_URL: '' };
};
