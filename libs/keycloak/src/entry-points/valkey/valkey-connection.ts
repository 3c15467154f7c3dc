import type { createClient, ErrorReply } from '@redis/client';
import { isEncrypted, type ValkeyAddress } from './valkey-address.js';
import { answeredError, ValkeyError } from './valkey-error.js';

interface ClientLibrary {
  readonly createClient: typeof createClient;
  readonly ErrorReply: typeof ErrorReply;
}

const CONNECT_MS = 2000;

const LATE = 'timeout';
/** A deadline consists of several timers in sequence, so a pause of this process uses up only one part. */
const DEADLINE_PARTS = 5;
/** A time-out closes the connection after 0.9 s of silence; a shorter silence may mean a busy server or process. */
const SILENT_MS = 900;

export class ValkeyConnection {
  readonly #client: ReturnType<typeof createClient>;
  /** Aborts a connection attempt, since the client can't close a socket that it does not know yet. */
  readonly #ending = new AbortController();
  readonly #user: string;
  #failure: ValkeyError | undefined;
  #unanswered = 0;
  #lastAnswerMs = -Infinity;

  private constructor(
    private readonly library: ClientLibrary,
    address: ValkeyAddress,
  ) {
    const { url, ca } = address;
    this.#user = decodeURIComponent(url.username) || 'default';
    const withTls = isEncrypted(address);
    const { signal } = this.#ending;
    const socket = { connectTimeout: CONNECT_MS, reconnectStrategy: false, signal } as const;
    this.#client = library.createClient({
      url: url.href.replace(/^[a-z]+:/, withTls ? 'rediss:' : 'redis:'),
      RESP: 2,
      disableOfflineQueue: true,
      // `send` has a deadline of its own. The client's time-out would keep a timer for five seconds after each answer.
      commandOptions: { timeout: 0 },
      socket: withTls ? { ...socket, tls: true, ...serverName(url), ...(ca === undefined ? {} : { ca }) } : socket,
    });
    // An `error` event that has no listener ends the process. The client continues after some errors, so the listener
    // closes the connection.
    this.#client.on('error', (error: unknown) => {
      this.#failure ??= this.#failureOf(error);
      this.close();
    });
  }

  /** Throws `ValkeyError`. */
  static async open(address: ValkeyAddress, deadlineMs = CONNECT_MS): Promise<ValkeyConnection> {
    const connection = new ValkeyConnection(await clientLibrary(), address);
    await connection.#within(deadlineMs, connection.#client.connect());
    return connection;
  }

  get isOpen(): boolean {
    return this.#failure === undefined && this.#client.isReady;
  }

  /** Throws `ValkeyError`; the connection stays open only after an error answer or a short silence. */
  async send(args: readonly string[], deadlineMs: number): Promise<unknown> {
    if (this.#unanswered === 0) this.#lastAnswerMs = performance.now();
    this.#unanswered += 1;
    const answer = this.#client.sendCommand(args).finally(() => {
      this.#unanswered -= 1;
      this.#lastAnswerMs = performance.now();
    });
    return this.#within(deadlineMs, answer, () => performance.now() - this.#lastAnswerMs < SILENT_MS);
  }

  close(): void {
    this.#failure ??= new ValkeyError('closed');
    if (this.#client.isOpen) this.#client.destroy();
    this.#ending.abort();
  }

  async #within<T>(deadlineMs: number, answer: Promise<T>, isAnswering = () => false): Promise<T> {
    try {
      return await within(deadlineMs, answer);
    } catch (error) {
      const failure = this.#failureOf(error);
      const isLate = failure.message === LATE && isAnswering();
      if (!(error instanceof this.library.ErrorReply) && !isLate) {
        this.#failure ??= failure;
        this.close();
      }
      throw failure;
    }
  }

  #failureOf(error: unknown): ValkeyError {
    if (error instanceof ValkeyError) return error;
    if (error instanceof this.library.ErrorReply) return answeredError(error.message, this.#user);
    // `instanceof Error` is false in tests, because Node's errors come from a different JavaScript realm.
    const { code, name } = Object(error) as { readonly code?: unknown; readonly name?: unknown };
    // Node uses the code UNSPECIFIED if OpenSSL considers a key or digest too weak.
    if (code === 'UNSPECIFIED') return new ValkeyError('certificate_refused');
    const own = name === 'Error' ? (Object(error) as object).constructor.name : name;
    return new ValkeyError(String(code ?? own ?? 'unknown').toLowerCase());
  }
}

export function within<T>(deadlineMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let part = 0;
    let timer: NodeJS.Timeout | undefined;
    let reading: NodeJS.Immediate | undefined;
    const wait = (): void => {
      if (part === DEADLINE_PARTS) return reject(new ValkeyError(LATE));
      part += 1;
      // Node reads pending input after timers and before `setImmediate` callbacks.
      timer = setTimeout(() => (reading = setImmediate(wait)), Math.max(0, deadlineMs / DEADLINE_PARTS));
    };
    const stop = (): void => {
      clearTimeout(timer);
      clearImmediate(reading);
    };
    wait();
    answer.finally(stop).then(resolve, reject);
  });
}

/** Returns the server name for TLS, because Node sends a name only if this option is set (RFC 6066 §3). */
function serverName({ hostname }: URL): { readonly servername?: string } {
  const isAddress = hostname.includes(':') || /^[\d.]+$/.test(hostname);
  return isAddress ? {} : { servername: hostname };
}

/** Loads the library on first use, so that services without shared state start faster. */
async function clientLibrary(): Promise<ClientLibrary> {
  try {
    return await import('@redis/client');
  } catch {
    throw new ValkeyError('client_not_installed');
  }
}
