/** Server spans: one for each introspection and each token that Keycloak was asked for. */
import { SpanKind, SpanStatusCode, type Attributes, type Tracer } from '@opentelemetry/api';
import { INTROSPECTION_CHANNEL, TOKEN_CHANNEL, type IntrospectionMessage, type TokenMessage } from '../index.js';
import { ACTIVE, AUDIENCE, ERROR_TYPE, GRANT, grantName, known, METHOD, SCOPE, serverOf } from './attributes.js';
import { listenTo } from './subscriptions.js';

/**
 * They are made when they are over, in the context of the request that asked, and nothing is below them. `realmUrls` are those of the applications of this process:
 * of several different ones nobody knows which was asked. Returns what ends it.
 */
export function traceServerCalls(tracer: Tracer, realmUrls: () => readonly string[]): () => void {
  const span = (name: string, durationMs: number, failed: string | undefined, attributes: Attributes): void => {
    const [url, ...others] = new Set(realmUrls());
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
    [INTROSPECTION_CHANNEL]: ({ outcome, active, failed, durationMs }: IntrospectionMessage) => {
      if (outcome === 'asked') span('keycloak introspection', durationMs, failed, { [ACTIVE]: active });
    },
    [TOKEN_CHANNEL]: ({ outcome, grant, audience, scope, failed, durationMs }: TokenMessage) => {
      if (outcome !== 'requested') return;
      const wanted = { [GRANT]: grantName(grant), [AUDIENCE]: audience, [SCOPE]: scope };
      span('keycloak token', durationMs, failed, wanted);
    },
  });
}
