import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  INTROSPECTION_CHANNEL,
  JWT_VERIFICATION_CHANNEL,
  REFUSAL_CHANNEL,
  TOKEN_CHANNEL,
  type IntrospectionMessage,
  type JwtVerificationMessage,
  type RefusalMessage,
  type TokenMessage,
} from 'nestjs-keycloak-s2s/diagnostics';
import type { RequestTrace, TracedCall } from './request-trace.js';
import { parseServerTiming } from './server-timing.js';
import { traceparent } from './traceparent.js';

/** undici documents `addHeader` as the way to propagate a trace. */
interface UndiciRequest {
  readonly origin: string;
  readonly path: string;
  readonly headers?: unknown;
  addHeader(name: string, value: string): unknown;
}

interface UndiciResponse {
  readonly statusCode: number;
  readonly headers: readonly Uint8Array[];
}

export interface TraceSourceOptions {
  readonly current: () => RequestTrace | undefined;
  readonly calls: Readonly<Record<string, string>>;
  /** Receives errors of subscribers, which would otherwise end the process. */
  readonly onFault: (error: unknown) => void;
}

export function listenToTraceSources({ current, calls, onFault }: TraceSourceOptions): () => void {
  // The base URLs are written like undici's origins, in lower case and without the default port.
  const services = Object.entries(calls).map(([name, baseUrl]) => ({ name, base: new URL(`${baseUrl}/`).href }));
  /** undici publishes an answer in the async context of the connection, not of the request. */
  const inFlight = new WeakMap<UndiciRequest, { readonly trace: RequestTrace; readonly call: TracedCall }>();

  const listeners: readonly (readonly [string, (message: never) => void])[] = [
    [
      INTROSPECTION_CHANNEL,
      ({ outcome, durationMs }: IntrospectionMessage) =>
        current()?.add({ step: 'introspection', description: outcome, durationMs }),
    ],
    [
      JWT_VERIFICATION_CHANNEL,
      ({ outcome, durationMs }: JwtVerificationMessage) =>
        current()?.add({ step: 'jwt', description: outcome, durationMs }),
    ],
    [
      TOKEN_CHANNEL,
      ({ grant, outcome, durationMs }: TokenMessage) => {
        const step = grant === 'client_credentials' ? 'client-credentials' : 'token-exchange';
        current()?.add({ step, description: outcome, durationMs });
      },
    ],
    [REFUSAL_CHANNEL, ({ code }: RefusalMessage) => current()?.add({ step: 'refused', description: code })],
    [
      'undici:request:create',
      ({ request }: { readonly request: UndiciRequest }) => {
        const trace = current();
        if (trace === undefined || trace.hasEnded) return;
        const url = request.origin + request.path;
        const called = services.find(({ base }) => url.startsWith(base));
        if (called === undefined) return;
        if (!hasTraceparent(request)) request.addHeader('traceparent', traceparent(trace.traceId));
        inFlight.set(request, { trace, call: trace.call(called.name) });
      },
    ],
    [
      'undici:request:headers',
      ({ request, response }: { readonly request: UndiciRequest; readonly response: UndiciResponse }) => {
        const { trace, call } = inFlight.get(request) ?? {};
        if (trace === undefined || response.statusCode < 200) return;
        call?.answered(response.statusCode, parseServerTiming(serverTiming(response), trace.service));
      },
    ],
    [
      'undici:request:error',
      ({ request }: { readonly request: UndiciRequest }) => inFlight.get(request)?.call.failed(),
    ],
  ];
  const subscriptions = listeners.map(([name, listener]) => {
    const subscriber = (message: unknown): void => {
      try {
        listener(message as never);
      } catch (error) {
        onFault(error);
      }
    };
    subscribe(name, subscriber);
    return () => unsubscribe(name, subscriber);
  });
  return () => {
    for (const end of subscriptions) end();
  };
}

const hasTraceparent = ({ headers }: UndiciRequest): boolean =>
  Array.isArray(headers) &&
  headers.some((name, at) => at % 2 === 0 && typeof name === 'string' && name.toLowerCase() === 'traceparent');

/** Joins the lines of the header to one list (RFC 9110 §5.3). */
function serverTiming({ headers }: UndiciResponse): string {
  const texts = headers.map((text) => Buffer.from(text).toString('latin1'));
  return texts.filter((_, at) => at % 2 === 1 && texts[at - 1]?.toLowerCase() === 'server-timing').join(', ');
}
