/** Message headers: the `authorization` headers of a message, in the form that each transport gives them. */

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

const isName = (name: string): boolean => name.toLowerCase() === NAME;

/** The values of all `authorization` headers, whatever the case of their names; undefined where the transport has no headers. */
export function authorizationHeaders(context: unknown): string[] | undefined {
  const { get, getMap, getHeaders, getMessage } = Object(context) as Partial<GrpcMetadata & MessageContext>;
  if (get !== undefined && getMap !== undefined) return (context as GrpcMetadata).get(NAME).map(String);
  if (getHeaders !== undefined) {
    const headers = (context as Required<MessageContext>).getHeaders();
    return (headers?.keys() ?? []).filter(isName).flatMap((name) => headers?.values(name) ?? []);
  }
  // Kafka and MQTT have a message too, and other headers in it.
  if (getMessage === undefined || !hasChannel(context)) return undefined;
  const { headers } = (context as Required<MessageContext>).getMessage().properties ?? {};
  return Object.entries(headers ?? {}).flatMap(([name, value]) => (isName(name) ? [value].flat().map(String) : []));
}

const hasChannel = (context: unknown): boolean =>
  typeof (context as { readonly getChannelRef?: unknown }).getChannelRef === 'function';

/** The channel and the message of RabbitMQ; undefined for other transports. */
export function rabbitMqDelivery(context: unknown): { readonly reject: () => void } | undefined {
  if (typeof context !== 'object' || context === null || !hasChannel(context)) return undefined;
  const { getChannelRef, getMessage } = context as {
    getChannelRef(): { nack(message: unknown, allUpTo: boolean, requeue: boolean): void };
    getMessage(): unknown;
  };
  return { reject: () => getChannelRef.call(context).nack(getMessage.call(context), false, false) };
}
