/** Login settings: what a service needs to know when users log in at it with a browser. */
import type { Variables } from './variables.js';

export interface LoginSettings {
  /** Where browsers reach the service: an origin, without a path. */
  readonly publicUrl: string;
  /** Seals what a browser keeps for the service while its user logs in. At least 32 characters. */
  readonly sessionSecret: string;
  /** A session that is not used for so long ends. */
  readonly sessionIdleSeconds: number;
  /** A session ends after so long, however much it is used. */
  readonly sessionMaxSeconds: number;
  /** Sessions that are kept; the one that was used longest ago goes first. */
  readonly maxSessions: number;
  /** Of one user; the one of them that was used longest ago goes first. */
  readonly maxSessionsPerUser: number;
}

export interface LoginSurroundings {
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

/**
 * Variables: `PUBLIC_URL` (default outside production: `http://localhost:<PORT>`), `<NAME>_SESSION_SECRET` or
 * `<NAME>_SESSION_SECRET_FILE` (has a published default in demo mode), `SESSION_IDLE_SECONDS` (default 1800),
 * `SESSION_MAX_SECONDS` (default 36000), `MAX_SESSIONS` (default 10000) and `MAX_SESSIONS_PER_USER` (default 20).
 */
export function readLoginSettings(
  variables: Variables,
  { prefix, port, production, demoMode, insecureAllowed }: LoginSurroundings,
): LoginSettings {
  const publicUrl =
    variables.optionalUrl('PUBLIC_URL', insecureAllowed) ?? (production ? '' : `http://localhost:${port}`);
  if (publicUrl === '') variables.fault('PUBLIC_URL is not set');
  else if (URL.canParse(publicUrl) && new URL(publicUrl).origin !== publicUrl) {
    variables.fault('PUBLIC_URL must be an origin: scheme, host and port, in lower case and without a path');
  }
  const name = `${prefix}_SESSION_SECRET`;
  const sessionSecret = variables.secret(name, demoMode ? DEMO_SESSION_SECRET : undefined);
  if (!demoMode && sessionSecret === DEMO_SESSION_SECRET) {
    variables.fault(`${name} is a published demo secret: use one of your own, or set DEMO_MODE=true`);
  }
  if (sessionSecret !== '' && sessionSecret.length < MIN_SECRET_CHARACTERS) {
    variables.fault(`${name} must have at least ${MIN_SECRET_CHARACTERS} characters`);
  }
  return {
    publicUrl,
    sessionSecret,
    sessionIdleSeconds: variables.wholeNumber('SESSION_IDLE_SECONDS', 1800, DAY, 1),
    sessionMaxSeconds: variables.wholeNumber('SESSION_MAX_SECONDS', 36_000, 7 * DAY, 1),
    maxSessions: variables.wholeNumber('MAX_SESSIONS', 10_000, 1_000_000, 1),
    maxSessionsPerUser: variables.wholeNumber('MAX_SESSIONS_PER_USER', 20, 1_000_000, 1),
  };
}
