/** History: which faults were on when, and what that excuses. */
import type { FaultKind, PlannedFault } from './schedule.js';

export interface SeenFault {
  readonly planned: PlannedFault;
  readonly what: string;
  readonly fromMs: number;
  /** Undefined while it is on. */
  toMs: number | undefined;
}

/** Codes of the services; `balancer` is HAProxy itself, `page` an error page for browsers, and `no answer` a connection that broke. */
const KEYCLOAK = ['authorization_server_unavailable'];
const NEXT = ['service_unavailable', 'service_failed', 'service_timeout'];
const LOST = [...NEXT, ...KEYCLOAK, 'sessions_unavailable', 'balancer', 'no answer'];

/** What an answer may be while a fault is on, and `graceMs` after it. What is not named changes no answer. */
const EXCUSED: Readonly<Partial<Record<FaultKind, { readonly codes: readonly string[]; readonly graceMs: number }>>> = {
  'replica-killed': { codes: LOST, graceMs: 1000 },
  'replica-frozen': { codes: LOST, graceMs: 2000 },
  'store-frozen': { codes: ['sessions_unavailable'], graceMs: 2000 },
  'store-restarted-empty': { codes: ['sessions_unavailable'], graceMs: 2000 },
  'store-restarted-as-it-was': { codes: ['sessions_unavailable'], graceMs: 2000 },
  'server-slow': { codes: [...KEYCLOAK, ...NEXT], graceMs: 3000 },
  'server-refuses': { codes: [...KEYCLOAK, ...NEXT], graceMs: 3000 },
  'server-resets': { codes: [...KEYCLOAK, ...NEXT], graceMs: 3000 },
  'server-hangs': { codes: [...KEYCLOAK, ...NEXT], graceMs: 3000 },
};

/** After which sessions may be gone: the store is empty, or what is garbled is no session. */
const LOSES_SESSIONS: readonly FaultKind[] = ['store-restarted-empty', 'state-flushed', 'state-garbled'];

/** With which a denial may take longer than a second to reach every replica. */
const DELAYS_DENIALS: readonly FaultKind[] = [
  'replica-frozen',
  'store-frozen',
  'store-restarted-empty',
  'store-restarted-as-it-was',
  'store-full',
  'state-flushed',
  'state-garbled',
];

/** While such a one is on, and shortly after, nobody may be able to log in or out. */
const HINDERS_LOGINS_FOR_MS = 3000;

export class History {
  readonly faults: SeenFault[] = [];
  /** When a notice of Keycloak was answered otherwise than by 200: all sessions are asked about then. */
  readonly unverifiedNoticesMs: number[] = [];

  begin(planned: PlannedFault, what: string): SeenFault {
    const seen: SeenFault = { planned, what, fromMs: performance.now(), toMs: undefined };
    this.faults.push(seen);
    return seen;
  }

  /** Whether an answer with this code, to a request of that time, is due to a fault. */
  excuses(code: string, startedMs: number, endedMs: number): boolean {
    return this.faults.some((fault) => {
      const excuse = EXCUSED[fault.planned.kind];
      return excuse?.codes.includes(code) === true && overlaps(fault, startedMs, endedMs, excuse.graceMs);
    });
  }

  mayHaveLostSession(sinceMs: number, untilMs: number): boolean {
    const isLost = this.faults.some(
      (fault) => LOSES_SESSIONS.includes(fault.planned.kind) && overlaps(fault, sinceMs, untilMs, 0),
    );
    return isLost || this.unverifiedNoticesMs.some((atMs) => atMs >= sinceMs && atMs <= untilMs);
  }

  delaysDenials(fromMs: number, toMs: number): boolean {
    return this.faults.some(
      (fault) => DELAYS_DENIALS.includes(fault.planned.kind) && overlaps(fault, fromMs, toMs, 1000),
    );
  }

  hindersLogins(fromMs: number, toMs: number): boolean {
    return this.faults.some(
      (fault) => fault.planned.kind !== 'replica-ended' && overlaps(fault, fromMs, toMs, HINDERS_LOGINS_FOR_MS),
    );
  }

  /** The last ones, for people. */
  lastLines(count: number, beganMs: number): string[] {
    const at = (ms: number): string => `${((ms - beganMs) / 1000).toFixed(2)} s`;
    return this.faults
      .slice(-count)
      .map(({ what, fromMs, toMs }) => `  ${at(fromMs)} to ${toMs === undefined ? 'now' : at(toMs)}: ${what}`);
  }
}

const overlaps = ({ fromMs, toMs = Infinity }: SeenFault, startedMs: number, endedMs: number, graceMs: number) =>
  fromMs <= endedMs && toMs + graceMs >= startedMs;
