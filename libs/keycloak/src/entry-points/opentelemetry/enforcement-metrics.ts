import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { KeycloakStatusSnapshot } from '../../index.js';
import { CLIENT, CODE, known, OUTCOME, REASON, ROUTE, STATE } from './attributes.js';

type EnforcementStatus = KeycloakStatusSnapshot['enforcement'];

export function enforcementMeters(meter: Meter) {
  return {
    state: meter.createObservableGauge('keycloak_s2s.enforcement.state', {
      unit: '1',
      description: '1 for the current value of the option enforcement, 0 for the other value',
    }),
    judgements: meter.createObservableCounter('keycloak_s2s.observed.judgements', {
      unit: '{call}',
      description: 'Calls that were judged without enforcement',
    }),
    refusals: meter.createObservableCounter('keycloak_s2s.observed.refusals', {
      unit: '{call}',
      description: 'Calls that the service answered, and that the library would refuse',
    }),
  };
}

export function observeEnforcement(
  result: BatchObservableResult,
  meters: Readonly<Record<'state' | 'judgements' | 'refusals', Observable>>,
  status: EnforcementStatus,
): void {
  for (const mode of MODES) result.observe(meters.state, Number(mode === status.mode), { [STATE]: mode });
  if (status.mode === 'enforce') return;
  const { admitted, refused, refusedByBoth, failed, dropped } = status.calls;
  const outcomes = { admitted, refused, refused_by_both: refusedByBoth, dropped };
  for (const [outcome, count] of Object.entries(outcomes)) {
    result.observe(meters.judgements, count, { [OUTCOME]: outcome });
  }
  for (const [reason, count] of Object.entries(failed)) {
    result.observe(meters.judgements, count, { [OUTCOME]: 'failed', [REASON]: reason });
  }
  for (const { code, reason, route, client, count } of status.refusals) {
    result.observe(meters.refusals, count, known({ [CODE]: code, [REASON]: reason, [ROUTE]: route, [CLIENT]: client }));
  }
}

const MODES: readonly EnforcementStatus['mode'][] = ['enforce', 'observe'];
