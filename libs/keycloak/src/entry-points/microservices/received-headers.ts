/** Received headers: the `authorization` headers of a message, in the form that each transport gives them. */
import type { ReceivedCall } from './received-call.adapter.js';

/** Headers of @nats-io/transport-node and of nats. */
interface NatsHeaders {
  keys(): readonly string[];
  values(name: string): readonly string[];
}

/** A delivery of amqplib. Its headers can have values of any type. */
interface Delivery {
  readonly properties?: { readonly headers?: Readonly<Record<string, unknown>> };
}

const NAME = 'authorization';

/** A value that is not text can't be a token. */
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const isName = (name: string): boolean => name.toLowerCase() === NAME;

/** The values of all `authorization` headers, whatever the case of their names; undefined for a transport whose headers are not read. */
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
