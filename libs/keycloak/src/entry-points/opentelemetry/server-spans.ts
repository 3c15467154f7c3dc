import { context, SpanKind, SpanStatusCode, type Attributes, type Tracer } from '@opentelemetry/api';
import {
  INTROSPECTION_CHANNEL,
  TOKEN_CHANNEL,
  type IntrospectionMessage,
  type TokenMessage,
} from '../diagnostics/index.js';
import { ACTIVE, AUDIENCE, ERROR_TYPE, GRANT, grantName, known, METHOD, SCOPE, serverOf } from './attributes.js';
import { isIgnored } from './ignored-requests.js';
import { listenTo } from './subscriptions.js';

export interface ReachedIssuer {
  readonly issuer: string;
  readonly realmUrl: string;
}

type AskedIssuer = Pick<TokenMessage, 'issuer' | 'durationMs' | 'failed'>;

/** The span has no server address if two applications of the process reach the issuer at different URLs. */
export function traceServerCalls(tracer: Tracer, issuers: () => readonly ReachedIssuer[]): () => void {
  const span = (asked: AskedIssuer, name: string, attributes: Attributes): void => {
    if (isIgnored(context.active())) return;
    const { issuer: askedIssuer, durationMs, failed } = asked;
    const reached = issuers().filter(({ issuer }) => issuer === askedIssuer);
    const [url, ...others] = new Set(reached.map(({ realmUrl }) => realmUrl));
    const endTime = Date.now();
    const made = tracer.startSpan(name, {
      kind: SpanKind.CLIENT,
      startTime: endTime - durationMs,
      attributes: known({
        [METHOD]: 'POST',
        ...(url === undefined || others.length > 0 ? {} : serverOf(url)),
        ...attributes,
        [ERROR_TYPE]: failed,
      }),
    });
    if (failed !== undefined) made.setStatus({ code: SpanStatusCode.ERROR });
    made.end(endTime);
  };
  return listenTo({
    [INTROSPECTION_CHANNEL]: (message: IntrospectionMessage) => {
      const { outcome, active } = message;
      if (outcome === 'asked') span(message, 'keycloak introspection', { [ACTIVE]: active });
    },
    [TOKEN_CHANNEL]: (message: TokenMessage) => {
      const { outcome, grant, audience, scope } = message;
      if (outcome !== 'requested') return;
      span(message, 'keycloak token', { [GRANT]: grantName(grant), [AUDIENCE]: audience, [SCOPE]: scope });
    },
  });
}
