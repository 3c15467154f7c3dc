import type { Variables } from './variables.js';

export interface LoginSettings {
  /** Browsers reach the service at this origin. */
  readonly publicUrl: string;
  /** The first secret encrypts the cookies of pending logins, and every secret can decrypt these cookies. */
  readonly sessionSecrets: readonly string[];
  readonly sessionIdleSeconds: number;
  readonly sessionMaxSeconds: number;
  /** Above this number, the service evicts the least recently used session. */
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly acrValues: readonly string[];
}

export interface LoginContext {
  readonly prefix: string;
  readonly port: number;
  readonly production: boolean;
  readonly demoMode: boolean;
  readonly insecureAllowed: boolean;
}

/** DEMO: a secret that is published with the repository, so it protects nothing. */
const DEMO_SESSION_SECRET = 'demo-session-secret-that-everybody-knows';

const MIN_SECRET_CHARACTERS = 32;
const DAY = 86_400;

const MAX_ACR_VALUES = 10;
const ACR_VALUE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

export function readLoginSettings(
  variables: Variables,
  { prefix, port, production, demoMode, insecureAllowed }: LoginContext,
): LoginSettings {
  // With port 0, browsers can't know the port that the system chooses.
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
    variables.fault(`${name} must have at least ${MIN_SECRET_CHARACTERS} characters in each secret`);
  }
  return { publicUrl, sessionSecrets, ...readSessionBounds(variables), acrValues: readAcrValues(variables) };
}

type SessionBounds = Pick<
  LoginSettings,
  'sessionIdleSeconds' | 'sessionMaxSeconds' | 'maxSessions' | 'maxSessionsPerUser'
>;

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

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);

function readAcrValues(variables: Variables): readonly string[] {
  const values = variables.text('LOGIN_ACR_VALUES', '1 2').split(/ +/);
  if (values.length > MAX_ACR_VALUES || values.some((value) => !ACR_VALUE.test(value))) {
    variables.fault(
      `LOGIN_ACR_VALUES must be at most ${MAX_ACR_VALUES} words of printable ASCII without quotes, separated by spaces`,
    );
  }
  return values;
}
