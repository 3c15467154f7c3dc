import type { History } from './history.js';

export const TTL_SECONDS = 2;
/** Within this time, every replica applies an acknowledged denial while Valkey works. */
const DENIED_WITHIN_MS = 1000;
const HANGS_AFTER_MS = 15_000;

export interface Answer {
  readonly path: string;
  readonly status: number;
  /** The error code, the kind of error page, `no answer` or `hangs`. */
  readonly code: string | undefined;
  readonly user: string | undefined;
  readonly clearsCookie: boolean;
  readonly startedMs: number;
  readonly endedMs: number;
}

export type CredentialKind = 'session' | 'token' | 'none' | 'wrong';

export interface Credential {
  readonly kind: CredentialKind;
  readonly username: string;
  readonly sinceMs: number;
  endingMs?: number;
  endedAtKeycloakMs?: number;
  deniedMs?: number;
  loggedOutMs?: number;
  /** After this time, the ended session must never work again. */
  deadMs?: number;
}

export function faultOf(answer: Answer, credential: Credential, history: History): string | undefined {
  const { status, code, startedMs, endedMs } = answer;
  if (code === 'hangs' || endedMs - startedMs > HANGS_AFTER_MS) return 'no answer within 15 s';
  if (status === 500) return 'an internal error';
  if (code !== undefined && status !== 401) {
    const isExcused = isRefusedFurtherOn(answer, credential) || history.excuses(code, startedMs, endedMs);
    return isExcused ? undefined : 'an error that no fault excuses';
  }
  const isAdmitted =
    status === 200 && (credential.kind !== 'session' || answer.user !== undefined || answer.path !== '/');
  if (!isAdmitted && status !== 200 && status !== 401) return 'an answer of an unexpected kind';
  return isAdmitted ? faultOfAdmission(answer, credential, history) : faultOfRefusal(answer, credential, history);
}

const isRefusedFurtherOn = ({ path, code = '', endedMs }: Answer, { endingMs = Infinity }: Credential): boolean =>
  path === '/run-service-b' && endedMs >= endingMs && ['service_refused', 'service_failed'].includes(code);

function faultOfAdmission(answer: Answer, credential: Credential, history: History): string | undefined {
  const { user, startedMs } = answer;
  const { kind, username, deadMs, loggedOutMs } = credential;
  if (kind === 'wrong') return 'a wrong credential is accepted';
  if (user !== undefined && user !== username) return `the answer is for ${user}`;
  if (answer.clearsCookie) return 'the cookie of a session that lives is cleared';
  if (deadMs !== undefined && startedMs > deadMs) return 'an ended session is accepted again';
  if (loggedOutMs !== undefined && startedMs > loggedOutMs) return 'a session is accepted after its logout';
  if (startedMs > refusedFromMs(answer, credential, history)) return 'an ended credential is accepted';
  return undefined;
}

function refusedFromMs(
  { path, startedMs }: Answer,
  { kind, endedAtKeycloakMs, deniedMs }: Credential,
  history: History,
): number {
  // The start page checks only the session store, which Keycloak's notice updates.
  const asksKeycloak = kind === 'token' || path !== '/';
  const byKeycloak =
    asksKeycloak && endedAtKeycloakMs !== undefined && !history.mayHaveStaleAnswer(startedMs)
      ? endedAtKeycloakMs + TTL_SECONDS * 1000
      : Infinity;
  if (deniedMs === undefined) return byKeycloak;
  const byNotice = deniedMs + DENIED_WITHIN_MS;
  return history.delaysDenials(deniedMs, byNotice) ? byKeycloak : Math.min(byKeycloak, byNotice);
}

function faultOfRefusal(
  { path, clearsCookie, endedMs }: Answer,
  credential: Credential,
  history: History,
): string | undefined {
  const { kind, endingMs, sinceMs } = credential;
  if (kind === 'wrong') return undefined;
  if (kind === 'none') return 'a request that needs no credential is refused';
  // A refused session stays refused, but another replica may still accept a refused token.
  if (kind === 'session' && (clearsCookie || path === '/')) {
    credential.deadMs = Math.min(credential.deadMs ?? Infinity, endedMs);
  }
  if (endingMs !== undefined && endedMs >= endingMs) return undefined;
  if (kind === 'token') return 'a token that nobody ended is refused';
  return history.mayHaveLostSession(sinceMs, endedMs) ? undefined : 'a session that nobody ended is gone';
}
