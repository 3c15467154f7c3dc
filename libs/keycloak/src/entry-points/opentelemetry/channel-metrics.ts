import type { Attributes, Meter } from '@opentelemetry/api';
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
import { listenTo } from './subscriptions.js';

/** The bucket boundaries in seconds, which the semantic conventions recommend for HTTP requests. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function measureChannels(meter: Meter): () => void {
  const lookups = meter.createCounter('keycloak_s2s.cache.lookups', {
    unit: '{lookup}',
    description: 'Requested introspection answers, token signatures and tokens of this service',
  });
  const duration = (name: string, description: string) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: BUCKETS } });
  const introspections = duration(
    'keycloak_s2s.introspection.duration',
    'Waiting time of requests for an introspection answer that was not cached here',
  );
  const jwtVerifications = duration(
    'keycloak_s2s.jwt_verification.duration',
    'Waiting time of requests for a signature check that was not cached here, and for keys',
  );
  const tokens = duration('keycloak_s2s.token.duration', 'Waiting time of calls for a token that was not cached here');
  const serviceCalls = duration(
    'keycloak_s2s.service_call.duration',
    'Duration of calls to other services, including their token and their slot',
  );
  const refusals = meter.createCounter('keycloak_s2s.refusals', {
    unit: '{refusal}',
    description: 'Requests that the library refused or failed',
  });
  return listenTo({
    [INTROSPECTION_CHANNEL]: ({ outcome, active, failed, durationMs }: IntrospectionMessage) => {
      lookups.add(1, INTROSPECTION_LOOKUPS[outcome]);
      if (outcome === 'cached' || outcome === 'stale') return;
      introspections.record(durationMs / 1000, known({ [OUTCOME]: outcome, [ACTIVE]: active, [ERROR_TYPE]: failed }));
    },
    [JWT_VERIFICATION_CHANNEL]: ({ outcome, valid, failed, durationMs }: JwtVerificationMessage) => {
      lookups.add(1, JWT_LOOKUPS[outcome]);
      if (outcome === 'cached') return;
      jwtVerifications.record(durationMs / 1000, known({ [OUTCOME]: outcome, [VALID]: valid, [ERROR_TYPE]: failed }));
    },
    [TOKEN_CHANNEL]: ({ outcome, grant, audience, failed, durationMs }: TokenMessage) => {
      lookups.add(1, TOKEN_LOOKUPS[outcome]);
      if (outcome === 'reused') return;
      const wanted = { [GRANT]: grantName(grant), [AUDIENCE]: audience };
      tokens.record(durationMs / 1000, known({ [OUTCOME]: outcome, ...wanted, [ERROR_TYPE]: failed }));
    },
    [SERVICE_CALL_CHANNEL]: (message: ServiceCallMessage) => {
      const { service, method, outcome, status, failed, durationMs } = message;
      const which = { [SERVICE]: service, [METHOD]: method };
      const how = { [OUTCOME]: outcome, [STATUS]: status, [CODE]: failed, [ERROR_TYPE]: errorTypeOf(message) };
      serviceCalls.record(durationMs / 1000, known({ ...which, ...how }));
    },
    [REFUSAL_REASON_CHANNEL]: ({ code, reason }: RefusalReasonMessage) =>
      refusals.add(1, { [CODE]: code, [REASON]: reason }),
  });
}

const lookup = (cache: string, outcome: 'hit' | 'joined' | 'shared' | 'stale' | 'miss'): Attributes => ({
  [CACHE]: cache,
  [OUTCOME]: outcome,
});

// The attribute objects are reused, because each request records a lookup.
const INTROSPECTION_LOOKUPS: Readonly<Record<IntrospectionMessage['outcome'], Attributes>> = {
  cached: lookup('introspections', 'hit'),
  joined: lookup('introspections', 'joined'),
  shared: lookup('introspections', 'shared'),
  stale: lookup('introspections', 'stale'),
  asked: lookup('introspections', 'miss'),
};

const JWT_LOOKUPS: Readonly<Record<JwtVerificationMessage['outcome'], Attributes>> = {
  cached: lookup('jwts', 'hit'),
  joined: lookup('jwts', 'joined'),
  verified: lookup('jwts', 'miss'),
};

const TOKEN_LOOKUPS: Readonly<Record<TokenMessage['outcome'], Attributes>> = {
  reused: lookup('tokens', 'hit'),
  joined: lookup('tokens', 'joined'),
  shared: lookup('tokens', 'shared'),
  requested: lookup('tokens', 'miss'),
};
