/** Trace sources: the diagnostics channels that a trace is made of, each message turned into what it means for one. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  INTROSPECTION_CHANNEL,
  REFUSAL_CHANNEL,
  TOKEN_CHANNEL,
  type IntrospectionMessage,
  type RefusalMessage,
  type TokenMessage,
} from 'nestjs-keycloak-s2s';
import type { RequestTrace, TracedCall } from './request-trace.js';
import { parseServerTiming } from './server-timing.js';
import { traceparent } from './traceparent.js';

/** What undici's channels give of a request, of which `addHeader` is the documented way to pass a trace on. */
interface UndiciRequest {
  readonly origin: string;
  readonly path: string;
  addHeader(name: string, value: string): unknown;
}

interface UndiciResponse {
  readonly statusCode: number;
  /** Names and values in turn. */
  readonly headers: readonly Uint8Array[];
}

export interface TraceSourceOptions {
  /** The trace of the request in whose async context this is asked. */
  readonly current: () => RequestTrace | undefined;
  /** The base URLs of the services that are called, by name. A request to any other address is none of them. */
  readonly calls: Readonly<Record<string, string>>;
  /** Told what went wrong in here: thrown, it would end the process. */
  readonly onFault: (error: unknown) => void;
}

/** Listens until the function that it gives is called. */
export function listenToTraceSources({ current, calls, onFault }: TraceSourceOptions): () => void {
  // As undici writes them: without a default port, in lower case.
  const services = Object.entries(calls).map(([name, baseUrl]) => ({ name, base: new URL(`${baseUrl}/`).href }));
  /** An answer is told in the context of the connection that it came over, so calls are known by their request. */
  const underWay = new WeakMap<UndiciRequest, { readonly trace: RequestTrace; readonly call: TracedCall }>();

  const listeners: readonly (readonly [string, (message: never) => void])[] = [
    [
      INTROSPECTION_CHANNEL,
      ({ outcome, durationMs }: IntrospectionMessage) =>
        current()?.add({ step: 'introspection', description: outcome, durationMs }),
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
        if (trace === undefined || trace.isOver) return;
        const url = request.origin + request.path;
        const called = services.find(({ base }) => url.startsWith(base));
        if (called === undefined) return;
        request.addHeader('traceparent', traceparent(trace.traceId));
        underWay.set(request, { trace, call: trace.call(called.name) });
      },
    ],
    [
      'undici:request:headers',
      ({ request, response }: { readonly request: UndiciRequest; readonly response: UndiciResponse }) => {
        const { trace, call } = underWay.get(request) ?? {};
        if (trace === undefined || response.statusCode < 200) return;
        call?.answered(response.statusCode, parseServerTiming(serverTiming(response), trace.service));
      },
    ],
    [
      'undici:request:error',
      ({ request }: { readonly request: UndiciRequest }) => underWay.get(request)?.call.failed(),
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

/** All lines of the header as one, as HTTP has it. */
function serverTiming({ headers }: UndiciResponse): string {
  const texts = headers.map((text) => Buffer.from(text).toString('latin1'));
  return texts.filter((_, at) => at % 2 === 1 && texts[at - 1]?.toLowerCase() === 'server-timing').join(', ');
}
