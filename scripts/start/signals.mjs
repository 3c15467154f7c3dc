// The process that polls for revocations when the scripts run the services: Service A, or one signal poller for all replicas.
import { runsAlready } from '../common/own-options.mjs';
import { serviceEnvironment } from './services.mjs';

/** @typedef {import('./services.mjs').NamedService} Service */

/** Longer than any token of the demonstration lives. */
const LONG_TTL_SECONDS = '300';

/**
 * Our environment, where it does not say itself who is to hear: with a realm that saves events, and answers that serve long meanwhile. The realm of a server that ran before is its owner's: nobody listens there unless
 * the environment says so.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} choice of the authorization server
 * @returns {NodeJS.ProcessEnv}
 */
export function hearingEnvironment(environment, choice) {
  if (runsAlready(choice)) return environment;
  const defaults = {
    SIGNALS_EVENTS: 'true',
    SIGNAL_SOURCES: 'events',
    INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: LONG_TTL_SECONDS,
  };
  // An empty variable counts as not set.
  return { ...defaults, ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value)) };
}

/** Whether somebody is to hear. */
export const isHeard = (/** @type {NodeJS.ProcessEnv} */ { SIGNAL_SOURCES: sources = '' }) =>
  !['', 'none'].includes(sources);

/**
 * The environment of services whose revocations a process of its own hears of.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export const withoutSources = (environment) => ({ ...environment, SIGNAL_SOURCES: '' });

/**
 * Of the process that hears: it calls nobody, and keeps no answers.
 *
 * @param {Service} poller
 * @param {Omit<Parameters<typeof serviceEnvironment>[1], 'all'>} context
 * @returns {NodeJS.ProcessEnv}
 */
export const pollerEnvironment = (poller, { keycloak, environment }) => {
  const sources = environment.SIGNAL_SOURCES || 'events';
  const own = { ...environment, SIGNAL_SOURCES: sources, [`${poller.prefix}_SHARED_ANSWERS_URL`]: '' };
  return { ...serviceEnvironment(poller, { all: [], keycloak, environment: own }), SHARED_ANSWERS_URL: '' };
};
