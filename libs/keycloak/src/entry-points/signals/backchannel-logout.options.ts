import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import type { BackchannelLogoutListener } from './logout-listener.js';

export interface BackchannelLogoutOptions {
  /**
   * Path for Keycloak's notices, below the global prefix: letters, digits, `- . _ ~` and `/`. Default
   * `backchannel-logout`.
   */
  readonly path?: string;
  /**
   * Decorators for the route's handler, such as `[CsrfExempt()]` or `[SkipThrottle()]`; the handler is always
   * `@Public()`.
   */
  readonly decorators?: readonly MethodDecorator[];
}

const DEFAULT_PATH = 'backchannel-logout';

/** The characters without a special meaning in the path patterns of Express and Fastify. */
const PLAIN_PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/;

export function resolveLogoutOptions(given: BackchannelLogoutOptions): Required<BackchannelLogoutOptions> {
  const { path = DEFAULT_PATH, decorators = [], ...others } = Object(given) as BackchannelLogoutOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (typeof path !== 'string' || !PLAIN_PATH.test(path)) {
    faults.fault('path must consist of letters, digits, - . _ ~ and /, without a final slash');
  }
  if (!Array.isArray(decorators) || !decorators.every((each) => typeof each === 'function')) {
    faults.fault('decorators must be a list of method decorators, such as [CsrfExempt()]');
  }
  faults.throwIfFaulty(cantBeUsed);
  return { path, decorators };
}

export function checkedListener(given: unknown): BackchannelLogoutListener {
  const { ended, unverified } = Object(given) as Readonly<Record<string, unknown>>;
  if (typeof ended === 'function' && (unverified === undefined || typeof unverified === 'function')) {
    return given as BackchannelLogoutListener;
  }
  throw cantBeUsed(['useFactory must return a listener: { ended(logout), unverified?() }']);
}

export const cantBeUsed = (faults: readonly string[]): ConfigurationError =>
  new ConfigurationError("BackchannelLogoutModule can't be used", faults);
