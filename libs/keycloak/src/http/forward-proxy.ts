import type { Duplex } from 'node:stream';
import { buildConnector, Client, Pool, type Dispatcher } from 'undici';
import type { ProxyFailureReason } from '../protocol/connection-failures.js';
import { TimeLimit } from '../caching/time-limit.js';

export class ProxyFailure extends Error {
  constructor(
    readonly reason: ProxyFailureReason,
    readonly detail: string | undefined,
  ) {
    super(reason);
  }
}

export class ForwardProxy {
  readonly label: string;
  readonly #origin: string;
  // The field is private (`#`), so that a log of the object does not show the credentials.
  readonly #authorization: readonly string[];

  /** Sends the credentials of `url` only to the proxy. */
  constructor(url: URL) {
    this.#origin = url.origin;
    this.label = url.host;
    const credentials = [url.username, url.password].map(decodeURIComponent).join(':');
    this.#authorization =
      credentials === ':' ? [] : ['proxy-authorization', `Basic ${Buffer.from(credentials).toString('base64')}`];
  }

  /**
   * Opens a tunnel to `host`, which includes the port (RFC 9110 §9.3.6).
   *
   * @throws {ProxyFailure} After `timeoutMs` at the latest.
   */
  async tunnelTo(host: string, timeoutMs: number): Promise<Duplex> {
    const client = new Client(this.#origin, { connect: { timeout: timeoutMs, rejectUnauthorized: true } });
    const headers = ['host', host, ...this.#authorization];
    try {
      const opening = client.connect({ path: host, headers });
      const { statusCode, socket } = await before(timeoutMs, opening, discard);
      if (statusCode >= 200 && statusCode < 300) return socket;
      discard({ socket });
      throw new ProxyFailure('proxy_refused', `answered_${statusCode}`);
    } catch (error) {
      throw failureOf(error);
    } finally {
      void client.destroy().catch(() => undefined);
    }
  }

  /** For servers without TLS, the proxy reads and forwards each request (RFC 9112 §3.2.2). */
  forwarding(connections: number | null, timeoutMs: number): Pick<Dispatcher, 'dispatch'> {
    const connectToProxy = buildConnector({ timeout: timeoutMs, rejectUnauthorized: true });
    const pool = new Pool(this.#origin, {
      connections,
      connect: (options, callback) =>
        connectToProxy(options, (...[error, socket]) =>
          error === null ? callback(null, socket) : callback(failureOf(error), null),
        ),
    });
    return {
      dispatch: ({ origin = '', path, headers, ...request }, handler) => {
        const lines = Array.isArray(headers) ? headers : Object.entries(headers ?? {}).flat();
        const own = ['host', new URL(origin).host, ...this.#authorization];
        const options = { ...request, path: `${String(origin)}${path}`, headers: [...(lines as string[]), ...own] };
        return pool.dispatch(options, new ForwardedAnswer(handler));
      },
    };
  }
}

/** A 407 always comes from the proxy itself (RFC 9110 §15.5.8). */
class ForwardedAnswer implements Dispatcher.DispatchHandler {
  constructor(private readonly handler: Dispatcher.DispatchHandler) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: object): void {
    this.handler.onRequestStart?.(controller, context);
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    const [controller, status] = args;
    if (status === 407) controller.abort(new ProxyFailure('proxy_refused', 'answered_407'));
    else this.handler.onResponseStart?.(...args);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.handler.onResponseEnd?.(...args);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.handler.onResponseError?.(controller, error);
  }
}

function failureOf(error: unknown): ProxyFailure {
  if (error instanceof ProxyFailure) return error;
  const { code } = Object(error) as { readonly code?: unknown };
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new ProxyFailure('proxy_timeout', undefined);
  return new ProxyFailure('proxy_unreachable', typeof code === 'string' ? code : undefined);
}

const discard = ({ socket }: { readonly socket: Duplex }): void => {
  socket.on('error', () => undefined).destroy();
};

async function before<T>(timeoutMs: number, opening: Promise<T>, leaveOff: (late: T) => void): Promise<T> {
  let limit: TimeLimit | undefined;
  let isLate = false;
  void opening.then((opened) => (isLate ? leaveOff(opened) : undefined)).catch(() => undefined);
  const late = new Promise<never>((_, reject) => {
    limit = new TimeLimit(timeoutMs, () => {
      isLate = true;
      reject(new ProxyFailure('proxy_timeout', undefined));
    });
  });
  return Promise.race([opening, late]).finally(() => limit?.clear());
}
