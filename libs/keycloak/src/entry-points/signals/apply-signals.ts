import type { ComponentLog, RevocationList } from '../ports/signals.js';
import type { Signals } from './signal-source.js';
import type { SourceIssuer } from './source-context.js';
import { reasonOf } from './source-faults.js';

const MAX_AHEAD_SECONDS = 60;

export interface SignalTarget {
  readonly issuer: string;
  readonly revocations: Pick<RevocationList, 'deny' | 'recheck'>;
  readonly clockSkew: SourceIssuer['clockSkew'];
  readonly log: ComponentLog;
}

export function applySignals(signals: Signals, target: SignalTarget): boolean {
  try {
    applyEach(signals, target);
    return true;
  } catch (error) {
    target.log.error('Received revocations could not be applied. All tokens are introspected again', reasonOf(error));
    target.revocations.recheck({ issuer: target.issuer });
    return false;
  }
}

function applyEach({ denials, rechecks }: Signals, { issuer, revocations, clockSkew }: SignalTarget): void {
  // A denial with a future time would also deny the tokens of a later login.
  const latest = Math.ceil(clockSkew.latestSeconds()) + MAX_AHEAD_SECONDS;
  for (const denial of denials) {
    if ('sid' in denial) revocations.deny({ issuer, ...denial, exceptOffline: true });
    else revocations.deny({ issuer, ...denial, issuedBefore: Math.min(denial.issuedBefore, latest) });
  }
  for (const recheck of rechecks) {
    revocations.recheck(recheck === 'everything' ? { issuer } : { issuer, ...recheck });
  }
}
