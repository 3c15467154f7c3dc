import type { ReceivedCall } from './received-call.adapter.js';

interface NatsHeaders {
  keys(): readonly string[];
  values(name: string): readonly string[];
}

interface Delivery {
  readonly properties?: { readonly headers?: Readonly<Record<string, unknown>> };
}

const NAME = 'authorization';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const isName = (name: string): boolean => name.toLowerCase() === NAME;

export function authorizationHeaders(received: ReceivedCall): string[] | undefined {
  switch (received.transport) {
    case 'grpc':
      return received.call.metadata.get(NAME).map(text);
    case 'nats': {
      const headers = received.context.getHeaders() as NatsHeaders | undefined;
      return (headers?.keys() ?? []).filter(isName).flatMap((name) => headers?.values(name) ?? []);
    }
    case 'rabbitmq': {
      const { headers } = (received.context.getMessage() as Delivery).properties ?? {};
      return Object.entries(headers ?? {}).flatMap(([name, value]) => (isName(name) ? [value].flat().map(text) : []));
    }
    case 'other':
      return undefined;
  }
}
