import { PARTS, type FaultKind } from './schedule.js';

export interface SeenFault {
  readonly kind: FaultKind;
  readonly target: string;
  readonly what: string;
  readonly fromMs: number;
  toMs?: number;
  readonly isStall?: true;
}

const KEYCLOAK = ['authorization_server_unavailable'];
const NEXT = ['service_unavailable', 'service_failed', 'service_timeout'];
/** The code `balancer` means an error of HAProxy, and `no answer` means a broken connection. */
const LOST = [...NEXT, ...KEYCLOAK, 'sessions_unavailable', 'balancer', 'no answer'];

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

const STOPS_ITS_TARGET: readonly FaultKind[] = [
  ...PARTS.replicas,
  'store-frozen',
  'store-restarted-empty',
  'store-restarted-as-it-was',
];

const LOSES_SESSIONS: readonly FaultKind[] = ['store-restarted-empty', 'state-flushed', 'state-garbled'];

const DELAYS_DENIALS: readonly FaultKind[] = [
  'replica-frozen',
  'store-frozen',
  'store-restarted-empty',
  'store-restarted-as-it-was',
  'store-full',
  'state-flushed',
  'state-garbled',
];

const HINDERS_LOGINS_FOR_MS = 3000;

const OUTAGES: readonly FaultKind[] = ['server-slow', 'server-refuses', 'server-resets', 'server-hangs'];
/** After an outage, a replica learns within this time that the server answers, and introspects its tokens. */
const STALE_ENDS_WITHIN_MS = 5000;

export class History {
  /** True if services use expired introspection results during an outage of the authorization server. */
  allowsStaleAnswers = false;
  readonly faults: SeenFault[] = [];
  /** The times of rejected logout notices, after which Service A checks every session at Keycloak. */
  readonly unverifiedNoticesMs: number[] = [];

  begin(kind: FaultKind, target: string, what: string): SeenFault {
    const seen: SeenFault = { kind, target, what, fromMs: performance.now() };
    this.faults.push(seen);
    return seen;
  }

  addStall(kind: FaultKind, target: string, fromMs: number, toMs: number): void {
    this.faults.push({ kind, target, what: `the machine stalled ${target}`, fromMs, toMs, isStall: true });
  }

  mayHaveStaleAnswer(startedMs: number): boolean {
    return (
      this.allowsStaleAnswers &&
      this.faults.some(
        (fault) => OUTAGES.includes(fault.kind) && overlaps(fault, startedMs, startedMs, STALE_ENDS_WITHIN_MS),
      )
    );
  }

  wasStopped(target: string, fromMs: number, toMs: number): boolean {
    return this.faults.some(
      (fault) =>
        fault.target === target &&
        fault.isStall !== true &&
        STOPS_ITS_TARGET.includes(fault.kind) &&
        overlaps(fault, fromMs, toMs, 0),
    );
  }

  excuses(code: string, startedMs: number, endedMs: number): boolean {
    return this.faults.some((fault) => {
      const excuse = EXCUSED[fault.kind];
      return excuse?.codes.includes(code) === true && overlaps(fault, startedMs, endedMs, excuse.graceMs);
    });
  }

  mayHaveLostSession(sinceMs: number, untilMs: number): boolean {
    const isLost = this.faults.some(
      (fault) => LOSES_SESSIONS.includes(fault.kind) && overlaps(fault, sinceMs, untilMs, 0),
    );
    return isLost || this.unverifiedNoticesMs.some((atMs) => atMs >= sinceMs && atMs <= untilMs);
  }

  delaysDenials(fromMs: number, toMs: number): boolean {
    return this.faults.some((fault) => DELAYS_DENIALS.includes(fault.kind) && overlaps(fault, fromMs, toMs, 1000));
  }

  hindersLogins(fromMs: number, toMs: number): boolean {
    return this.faults.some(
      (fault) => fault.kind !== 'replica-ended' && overlaps(fault, fromMs, toMs, HINDERS_LOGINS_FOR_MS),
    );
  }

  lastLines(count: number, beganMs: number): string[] {
    const at = (ms: number): string => `${((ms - beganMs) / 1000).toFixed(2)} s`;
    return this.faults
      .toSorted((one, other) => one.fromMs - other.fromMs)
      .slice(-count)
      .map(({ what, fromMs, toMs }) => `  ${at(fromMs)} to ${toMs === undefined ? 'now' : at(toMs)}: ${what}`);
  }
}

const overlaps = ({ fromMs, toMs = Infinity }: SeenFault, startedMs: number, endedMs: number, graceMs: number) =>
  fromMs <= endedMs && toMs + graceMs >= startedMs;
