/** Back-channel logout options: where notices are taken, and the check at boot. */
import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import type { BackchannelLogoutListener } from './logout-listener.js';

export interface BackchannelLogoutOptions {
  /** Where Keycloak posts its notices, below the application's global prefix: letters, digits, `- . _ ~` and `/`. Default `backchannel-logout`. */
  readonly path?: string;
  /**
   * Put on the route's handler, for what the application's own guards and documents want to know: `[CsrfExempt()]`, `[SkipThrottle()]`, `[ApiExcludeEndpoint()]`. The route is `@Public()` already.
   */
  readonly decorators?: readonly MethodDecorator[];
}

const DEFAULT_PATH = 'backchannel-logout';

/** Routers of Express and Fastify take each other character for itself. */
const PLAIN_PATH = /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/;

/** Throws `ConfigurationError`, which lists every fault. */
export function resolveLogoutOptions(given: BackchannelLogoutOptions): Required<BackchannelLogoutOptions> {
  const { path = DEFAULT_PATH, decorators = [], ...others } = Object(given) as BackchannelLogoutOptions;
  const faults = new ConfigurationFaults();
  for (const other of Object.keys(others)) faults.fault(`unknown option "${other}"`);
  if (typeof path !== 'string' || !PLAIN_PATH.test(path)) {
    faults.fault('path must be a path of letters, digits, - . _ ~ and /, without a final slash');
  }
  if (!Array.isArray(decorators) || !decorators.every((each) => typeof each === 'function')) {
    faults.fault('decorators must be a list of decorators of methods, such as [CsrfExempt()]');
  }
  faults.throwIfFaulty(cantBeUsed);
  return { path, decorators };
}

/** What a factory gave. Throws `ConfigurationError` for what can't listen. */
export function checkedListener(given: unknown): BackchannelLogoutListener {
  const { ended, unverified } = Object(given) as Readonly<Record<string, unknown>>;
  if (typeof ended === 'function' && (unverified === undefined || typeof unverified === 'function')) {
    return given as BackchannelLogoutListener;
  }
  throw cantBeUsed(['useFactory must give a listener: { ended(logout), unverified?() }']);
}

export const cantBeUsed = (faults: readonly string[]): ConfigurationError =>
  new ConfigurationError("BackchannelLogoutModule can't be used", faults);
