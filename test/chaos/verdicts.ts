/** What must hold of every answer, whatever is broken. */
import type { History } from './history.js';

/** `INTROSPECTION_TTL_SECONDS` of the run. */
export const TTL_SECONDS = 2;
/** Within which a denial that was acknowledged holds everywhere, while Valkey is well. */
const DENIED_WITHIN_MS = 1000;
const HANGS_AFTER_MS = 15_000;

export interface Answer {
  readonly path: string;
  readonly status: number;
  /** Of an error: that of its body, or which kind of page it is; `no answer` and `hangs` where there is none. */
  readonly code: string | undefined;
  /** Whom it names. */
  readonly user: string | undefined;
  readonly clearsCookie: boolean;
  readonly startedMs: number;
  readonly endedMs: number;
}

export type CredentialKind = 'session' | 'token' | 'none' | 'wrong';

/** What a request is sent with, and what became of it. */
export interface Credential {
  readonly kind: CredentialKind;
  readonly username: string;
  readonly sinceMs: number;
  /** Somebody began to end it. */
  endingMs?: number;
  /** Keycloak has ended it: no later introspection says that it is active. */
  endedAtKeycloakMs?: number;
  /** A notice about it was acknowledged by Service A. */
  deniedMs?: number;
  /** The session was ended in the store, and who asked for it was told so. */
  loggedOutMs?: number;
  /** Of a session: Service A said that it has ended, so it has for ever. */
  deadMs?: number;
}

/** The invariant that an answer breaks; undefined for a good one. Notes in the credential that its session has ended. */
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

/** Of a token that was ended, Service B or C may know first: whoever called it has failed then. */
const isRefusedFurtherOn = ({ path, code = '', endedMs }: Answer, { endingMs = Infinity }: Credential): boolean =>
  path === '/run-service-b' && endedMs >= endingMs && ['service_refused', 'service_failed'].includes(code);

function faultOfAdmission(answer: Answer, credential: Credential, history: History): string | undefined {
  const { user, startedMs } = answer;
  const { kind, username, deadMs, loggedOutMs } = credential;
  if (kind === 'wrong') return 'a wrong credential is taken';
  if (user !== undefined && user !== username) return `the answer is for ${user}`;
  if (answer.clearsCookie) return 'the cookie of a session that lives is cleared';
  if (deadMs !== undefined && startedMs > deadMs) return 'a session that had ended is taken again';
  if (loggedOutMs !== undefined && startedMs > loggedOutMs) return 'a session is taken after its logout';
  if (startedMs > refusedFromMs(answer, credential, history)) return 'what was ended is taken';
  return undefined;
}

/** From when on nothing that is sent may be admitted. */
function refusedFromMs({ path }: Answer, { kind, endedAtKeycloakMs, deniedMs }: Credential, history: History): number {
  // The start page asks nobody but the store, which learns of it by the notice.
  const asksKeycloak = kind === 'token' || path !== '/';
  const byKeycloak =
    asksKeycloak && endedAtKeycloakMs !== undefined ? endedAtKeycloakMs + TTL_SECONDS * 1000 : Infinity;
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
  // Of a token each replica knows by itself, and that of Service B may do so before Service A.
  if (kind === 'session' && (clearsCookie || path === '/')) {
    credential.deadMs = Math.min(credential.deadMs ?? Infinity, endedMs);
  }
  if (endingMs !== undefined && endedMs >= endingMs) return undefined;
  if (kind === 'token') return 'a token that nobody ended is refused';
  return history.mayHaveLostSession(sinceMs, endedMs) ? undefined : 'a session that nobody ended is gone';
}
