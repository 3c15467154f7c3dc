import type { Histogram, Meter } from '@opentelemetry/api';
import {
  INTROSPECTION_CHANNEL,
  JWT_VERIFICATION_CHANNEL,
  REFUSAL_REASON_CHANNEL,
  SERVICE_CALL_CHANNEL,
  TOKEN_CHANNEL,
  type IntrospectionMessage,
  type JwtVerificationMessage,
  type RefusalReasonMessage,
  type ServiceCallMessage,
  type TokenMessage,
} from '../diagnostics/index.js';
import {
  ACTIVE,
  AUDIENCE,
  builtOnce,
  CACHE,
  CODE,
  ERROR_TYPE,
  errorTypeOf,
  GRANT,
  grantName,
  known,
  METHOD,
  OUTCOME,
  REASON,
  SERVICE,
  STATUS,
  VALID,
} from './attributes.js';
import { CollectedCounter, type Series } from './collected-counter.js';
import { listenTo } from './subscriptions.js';

/** The bucket boundaries in seconds, which the semantic conventions recommend for HTTP requests. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function measureChannels(meter: Meter): () => void {
  const { lookups, refused } = countsOf(meter);
  const { introspections, jwtVerifications, tokens, serviceCalls } = histogramsOf(meter);
  return listenTo({
    [INTROSPECTION_CHANNEL]: ({ outcome, active, failed, durationMs }: IntrospectionMessage) => {
      count(lookups.introspections[outcome]);
      if (outcome === 'cached' || outcome === 'stale') return;
      introspections.record(durationMs / 1000, known({ [OUTCOME]: outcome, [ACTIVE]: active, [ERROR_TYPE]: failed }));
    },
    [JWT_VERIFICATION_CHANNEL]: ({ outcome, valid, failed, durationMs }: JwtVerificationMessage) => {
      count(lookups.jwts[outcome]);
      if (outcome === 'cached') return;
      jwtVerifications.record(durationMs / 1000, known({ [OUTCOME]: outcome, [VALID]: valid, [ERROR_TYPE]: failed }));
    },
    [TOKEN_CHANNEL]: ({ outcome, grant, audience, failed, durationMs }: TokenMessage) => {
      count(lookups.tokens[outcome]);
      if (outcome === 'reused') return;
      const wanted = { [GRANT]: grantName(grant), [AUDIENCE]: audience };
      tokens.record(durationMs / 1000, known({ [OUTCOME]: outcome, ...wanted, [ERROR_TYPE]: failed }));
    },
    [SERVICE_CALL_CHANNEL]: (message: ServiceCallMessage) => {
      serviceCalls.record(message.durationMs / 1000, serviceCallAttributes(message));
    },
    [REFUSAL_REASON_CHANNEL]: ({ code, reason }: RefusalReasonMessage) => {
      count(refused(code, reason));
    },
  });
}

const serviceCallAttributes = builtOnce(
  ({ service, method, outcome, status, failed, reason }: ServiceCallMessage) => [
    service,
    method,
    outcome,
    status,
    failed,
    reason,
  ],
  (message) => {
    const { service, method, outcome, status, failed } = message;
    const how = { [OUTCOME]: outcome, [STATUS]: status, [CODE]: failed, [ERROR_TYPE]: errorTypeOf(message) };
    return known({ [SERVICE]: service, [METHOD]: method, ...how });
  },
);

/** Another version of this library in the process may publish outcomes that this version does not know. */
function count(series: Series | undefined): void {
  if (series !== undefined) series.count += 1;
}

type Counts = ReturnType<typeof newCounts>;

/** An SDK collects once more after the application has closed, so the counts belong to the meter. */
const COUNTS = new WeakMap<Meter, Counts>();

function countsOf(meter: Meter): Counts {
  const counts = COUNTS.get(meter) ?? newCounts(meter);
  COUNTS.set(meter, counts);
  return counts;
}

function newCounts(meter: Meter) {
  const counter = (name: string, unit: string, description: string): CollectedCounter => {
    const counts = new CollectedCounter();
    meter.createObservableCounter(name, { unit, description }).addCallback(counts.observe);
    return counts;
  };
  const lookups = counter(
    'keycloak_s2s.cache.lookups',
    '{lookup}',
    'Requested introspection answers, token signatures and tokens of this service',
  );
  const refusals = counter('keycloak_s2s.refusals', '{refusal}', 'Requests that the library refused or failed');
  const series = new Map<string, Series>();
  return {
    lookups: {
      introspections: lookupsOf('introspections', INTROSPECTION_OUTCOMES, lookups),
      jwts: lookupsOf('jwts', JWT_OUTCOMES, lookups),
      tokens: lookupsOf('tokens', TOKEN_OUTCOMES, lookups),
    },
    refused: (code: string, reason: string): Series => {
      const name = `${code} ${reason}`;
      const counted = series.get(name) ?? refusals.series({ [CODE]: code, [REASON]: reason });
      series.set(name, counted);
      return counted;
    },
  };
}

function histogramsOf(meter: Meter) {
  const duration = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: BUCKETS } });
  return {
    introspections: duration(
      'keycloak_s2s.introspection.duration',
      'Waiting time of requests for an introspection answer that was not cached here',
    ),
    jwtVerifications: duration(
      'keycloak_s2s.jwt_verification.duration',
      'Waiting time of requests for a signature check that was not cached here, and for keys',
    ),
    tokens: duration('keycloak_s2s.token.duration', 'Waiting time of calls for a token that was not cached here'),
    serviceCalls: duration(
      'keycloak_s2s.service_call.duration',
      'Duration of calls to other services, including their token and their slot',
    ),
  };
}

type Lookup = 'hit' | 'joined' | 'shared' | 'stale' | 'miss';

function lookupsOf<T extends string>(
  cache: string,
  outcomes: Readonly<Record<T, Lookup>>,
  counter: CollectedCounter,
): Readonly<Record<T, Series>> {
  const entries = Object.entries<Lookup>(outcomes);
  const series = entries.map(([outcome, name]) => [outcome, counter.series({ [CACHE]: cache, [OUTCOME]: name })]);
  return Object.fromEntries(series) as Record<T, Series>;
}

const INTROSPECTION_OUTCOMES: Readonly<Record<IntrospectionMessage['outcome'], Lookup>> = {
  cached: 'hit',
  joined: 'joined',
  shared: 'shared',
  stale: 'stale',
  asked: 'miss',
};

const JWT_OUTCOMES: Readonly<Record<JwtVerificationMessage['outcome'], Lookup>> = {
  cached: 'hit',
  joined: 'joined',
  verified: 'miss',
};

const TOKEN_OUTCOMES: Readonly<Record<TokenMessage['outcome'], Lookup>> = {
  reused: 'hit',
  joined: 'joined',
  shared: 'shared',
  requested: 'miss',
};
