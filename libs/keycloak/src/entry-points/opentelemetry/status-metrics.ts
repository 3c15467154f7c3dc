import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type {
  CallsState,
  CircuitState,
  KeycloakStatusSnapshot,
  RevocationChannelState,
  SignalFeedState,
} from '../../index.js';
import { CHANNEL_REFUSALS } from '../ports/channel-refusals.js';
import { CACHE, CALLED, CALLS, ISSUER, REASON, STATE } from './attributes.js';
import { enforcementMeters, observeEnforcement } from './enforcement-metrics.js';

export function measureStatus(meter: Meter, read: () => readonly KeycloakStatusSnapshot[]): () => void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(`keycloak_s2s.${name}`, { unit, description });
  const gauges = {
    running: gauge('calls.running', '{call}', 'Calls that are under way'),
    queued: gauge('calls.queued', '{call}', 'Calls that wait for a slot'),
    circuit: gauge('circuit.state', '1', '1 for the current state of a circuit, 0 for the others'),
    entries: gauge('cache.entries', '{entry}', 'Entries in the caches of this process'),
    revocations: gauge('revocations', '{denial}', 'Denials in this process'),
    channel: gauge(
      'revocation_channel.state',
      '1',
      '1 for the current state of the channel of denials, 0 for the others',
    ),
    signals: gauge('signals.state', '1', '1 for the current state of the feed of revocations, 0 for the others'),
    unreadable: gauge(
      'revocation_channel.unreadable',
      '{entry}',
      'Entries and proofs in the channel without a key in this process, or from a newer version',
    ),
    refused: meter.createObservableCounter('keycloak_s2s.revocation_channel.refused', {
      unit: '{entry}',
      description: 'Entries and proofs of the channel that this process did not accept',
    }),
    gaps: meter.createObservableCounter('keycloak_s2s.revocation_channel.gaps', {
      unit: '{gap}',
      description: 'Interruptions, after which earlier cached answers are reused for the short time only',
    }),
    unshared: gauge('revocation_channel.unshared', '{denial}', 'Denials that other replicas do not have yet'),
  };
  const enforcement = enforcementMeters(meter);
  const observe = (result: BatchObservableResult): void => {
    for (const status of read()) {
      observeStatus(result, gauges, status);
      observeEnforcement(result, enforcement, status.enforcement);
    }
  };
  const all = [...Object.values(gauges), ...Object.values(enforcement)];
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

type Gauges = Readonly<
  Record<
    | 'running'
    | 'queued'
    | 'circuit'
    | 'entries'
    | 'revocations'
    | 'channel'
    | 'unshared'
    | 'unreadable'
    | 'refused'
    | 'gaps'
    | 'signals',
    Observable
  >
>;

function observeStatus(result: BatchObservableResult, gauges: Gauges, status: KeycloakStatusSnapshot): void {
  const { authorizationServer, otherIssuers, services, caches, revocationChannel, signals } = status;
  observeCalls(result, gauges, { [CALLED]: 'authorization_server' }, authorizationServer);
  for (const [issuer, calls] of Object.entries(otherIssuers)) {
    observeCalls(result, gauges, { [CALLED]: 'authorization_server', [ISSUER]: issuer }, calls);
  }
  observeCalls(result, gauges, { [CALLED]: 'service' }, services);
  for (const [cache, name] of Object.entries(CACHES) as [keyof typeof CACHES, string][]) {
    result.observe(gauges.entries, caches[cache], { [CACHE]: name });
  }
  result.observe(gauges.revocations, caches.revocations);
  for (const state of CHANNEL_STATES) {
    result.observe(gauges.channel, Number(state === revocationChannel.state), { [STATE]: state });
  }
  result.observe(gauges.unshared, revocationChannel.unshared);
  result.observe(gauges.unreadable, revocationChannel.unreadable);
  for (const reason of CHANNEL_REFUSALS) {
    result.observe(gauges.refused, revocationChannel.refused[reason], { [REASON]: reason });
  }
  for (const [reason, count] of Object.entries(revocationChannel.gaps)) {
    result.observe(gauges.gaps, count, { [REASON]: reason });
  }
  for (const state of SIGNAL_STATES) {
    result.observe(gauges.signals, Number(state === signals.state), { [STATE]: state });
  }
}

function observeCalls(
  result: BatchObservableResult,
  { running, queued, circuit }: Gauges,
  called: Attributes,
  all: Readonly<Record<string, CallsState>>,
): void {
  for (const [calls, now] of Object.entries(all)) {
    const whose = { ...called, [CALLS]: calls };
    result.observe(running, now.running, whose);
    result.observe(queued, now.queued, whose);
    for (const state of CIRCUIT_STATES)
      result.observe(circuit, Number(state === now.circuit), { ...whose, [STATE]: state });
  }
}

const CIRCUIT_STATES: readonly CircuitState[] = ['closed', 'half-open', 'open'];
const SIGNAL_STATES: readonly SignalFeedState[] = ['none', 'silent', 'healthy'];
const CHANNEL_STATES: readonly RevocationChannelState[] = ['none', 'reading', 'caught_up', 'lost'];
const CACHES = {
  introspections: 'introspections',
  inactiveIntrospections: 'inactive_introspections',
  verifiedJwts: 'jwts',
  tokens: 'tokens',
} as const;
