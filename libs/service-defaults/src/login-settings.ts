/** Login settings: the settings of a service at which users log in with a browser. */
import type { Variables } from './variables.js';

export interface LoginSettings {
  /** The origin, without a path, at which browsers reach the service. */
  readonly publicUrl: string;
  /** The first one encrypts the cookies that hold a login in progress, each decrypts them. At least 32 characters each. */
  readonly sessionSecrets: readonly string[];
  /** A session ends when it has not been used for this long. */
  readonly sessionIdleSeconds: number;
  /** A session ends after this long, even when it is in use. */
  readonly sessionMaxSeconds: number;
  /** Sessions that are kept; beyond that, the least recently used one is evicted. */
  readonly maxSessions: number;
  /** Sessions of one user; beyond that, the user's least recently used one is evicted. */
  readonly maxSessionsPerUser: number;
  /** The levels of authentication (`acr`) for which a login may be asked; other ones are not asked of the authorization server. */
  readonly acrValues: readonly string[];
}

export interface LoginContext {
  readonly prefix: string;
  readonly port: number;
  readonly production: boolean;
  readonly demoMode: boolean;
  readonly insecureAllowed: boolean;
}

/** DEMO: published with the repository, so it protects nothing. */
const DEMO_SESSION_SECRET = 'demo-session-secret-that-everybody-knows';

const MIN_SECRET_CHARACTERS = 32;
const DAY = 86_400;

const MAX_ACR_VALUES = 10;
const ACR_VALUE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

/**
 * Reads `PUBLIC_URL`. Its default outside production is `http://localhost:<PORT>`, unless the port is 0.
 *
 * Reads `<NAME>_SESSION_SECRET` or `<NAME>_SESSION_SECRET_FILE`. It holds one secret, or several, each on a line of its own. In demo
 * mode it has a published default.
 *
 * Reads `SESSION_IDLE_SECONDS` (default 1800), `SESSION_MAX_SECONDS` (default 36000), `MAX_SESSIONS` (default 10000) and
 * `MAX_SESSIONS_PER_USER` (default 20). Reads `LOGIN_ACR_VALUES`, with blanks between the values (default `1 2`).
 *
 * `SESSION_IDLE_SECONDS` is at most `SESSION_MAX_SECONDS`, and `MAX_SESSIONS_PER_USER` at most `MAX_SESSIONS`: a higher value is a fault, and a default is lowered.
 */
export function readLoginSettings(
  variables: Variables,
  { prefix, port, production, demoMode, insecureAllowed }: LoginContext,
): LoginSettings {
  // Port 0 is any that is free, which no browser could be told.
  const fallback = production || port === 0 ? '' : originOf(`http://localhost:${port}`);
  const publicUrl = variables.optionalUrl('PUBLIC_URL', insecureAllowed) ?? fallback;
  if (publicUrl === '') variables.fault('PUBLIC_URL is not set');
  else if (originOf(publicUrl) !== publicUrl) {
    variables.fault(
      'PUBLIC_URL must be an origin: scheme, host and port, in lower case, without a path, and without a default port (80 of http, 443 of https)',
    );
  }
  const name = `${prefix}_SESSION_SECRET`;
  const sessionSecrets = variables
    .secret(name, demoMode ? DEMO_SESSION_SECRET : undefined)
    .split('\n')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');
  if (!demoMode && sessionSecrets.includes(DEMO_SESSION_SECRET)) {
    variables.fault(`${name} is a published demo secret: use one of your own, or set DEMO_MODE=true`);
  }
  if (sessionSecrets.some((secret) => secret.length < MIN_SECRET_CHARACTERS)) {
    variables.fault(`${name} must have at least ${MIN_SECRET_CHARACTERS} characters, and each of several`);
  }
  return { publicUrl, sessionSecrets, ...readSessionBounds(variables), acrValues: readAcrValues(variables) };
}

type SessionBounds = Pick<
  LoginSettings,
  'sessionIdleSeconds' | 'sessionMaxSeconds' | 'maxSessions' | 'maxSessionsPerUser'
>;

/** A bound above the bound that it is part of would have no effect. */
function readSessionBounds(variables: Variables): SessionBounds {
  const sessionMaxSeconds = variables.wholeNumber('SESSION_MAX_SECONDS', 36_000, 7 * DAY, 1);
  const maxSessions = variables.wholeNumber('MAX_SESSIONS', 10_000, 1_000_000, 1);
  const longest = { name: 'SESSION_MAX_SECONDS', value: sessionMaxSeconds };
  const all = { name: 'MAX_SESSIONS', value: maxSessions };
  return {
    sessionIdleSeconds: variables.wholeNumberWithin(longest, 'SESSION_IDLE_SECONDS', 1800, DAY),
    sessionMaxSeconds,
    maxSessions,
    maxSessionsPerUser: variables.wholeNumberWithin(all, 'MAX_SESSIONS_PER_USER', 20, 1_000_000),
  };
}

/** As browsers write it, so without the default port; what is no URL, as it is. */
const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);

function readAcrValues(variables: Variables): readonly string[] {
  const values = variables.text('LOGIN_ACR_VALUES', '1 2').split(/ +/);
  if (values.length > MAX_ACR_VALUES || values.some((value) => !ACR_VALUE.test(value))) {
    variables.fault(
      `LOGIN_ACR_VALUES must be at most ${MAX_ACR_VALUES} words of printable ASCII without quotes, with blanks between them`,
    );
  }
  return values;
}
