/** Received headers: the `authorization` headers of a message, in the form that each transport gives them. */

/** Metadata of @grpc/grpc-js. */
interface GrpcMetadata {
  get(name: string): readonly (string | Uint8Array)[];
  getMap(): object;
}

/** Headers of @nats-io/transport-node and of nats. */
interface NatsHeaders {
  keys(): readonly string[];
  values(name: string): readonly string[];
}

/** The context of Nest for a message of NATS, or of RabbitMQ. */
interface MessageContext {
  getHeaders?(): NatsHeaders | undefined;
  getMessage?(): { readonly properties?: { readonly headers?: Readonly<Record<string, unknown>> } };
}

const NAME = 'authorization';

/** What is no text is no token, and has no form of one. */
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const isName = (name: string): boolean => name.toLowerCase() === NAME;

/** The values of all `authorization` headers, whatever the case of their names; undefined where the transport has no headers. */
export function authorizationHeaders(context: unknown): string[] | undefined {
  const { get, getMap, getHeaders, getMessage } = Object(context) as Partial<GrpcMetadata & MessageContext>;
  if (get !== undefined && getMap !== undefined) return (context as GrpcMetadata).get(NAME).map(text);
  if (getHeaders !== undefined) {
    const headers = (context as Required<MessageContext>).getHeaders();
    return (headers?.keys() ?? []).filter(isName).flatMap((name) => headers?.values(name) ?? []);
  }
  // Kafka and MQTT have a message too, and other headers in it.
  if (getMessage === undefined || !hasChannel(context)) return undefined;
  const { headers } = (context as Required<MessageContext>).getMessage().properties ?? {};
  return Object.entries(headers ?? {}).flatMap(([name, value]) => (isName(name) ? [value].flat().map(text) : []));
}

const hasChannel = (context: unknown): boolean =>
  typeof (context as { readonly getChannelRef?: unknown }).getChannelRef === 'function';

/** What Nest gives of a delivery of RabbitMQ; undefined for other transports. */
export interface RabbitMqDelivery {
  getChannelRef(): { nack(message: unknown, allUpTo: boolean, requeue: boolean): void };
  getMessage(): object;
}

export function rabbitMqDelivery(context: unknown): RabbitMqDelivery | undefined {
  return typeof context === 'object' && context !== null && hasChannel(context)
    ? (context as RabbitMqDelivery)
    : undefined;
}
