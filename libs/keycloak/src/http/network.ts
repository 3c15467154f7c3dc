/** Network: how a service reaches other servers; tests put one of their own in its place. */
import { Agent, Pool, type Dispatcher } from 'undici';

/** What requests are sent over. */
export type Connections = Pick<Dispatcher, 'dispatch'>;

/** A service as it was registered. */
export interface ServiceAddress {
  readonly name: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxConcurrentCalls: number;
}

/** Connections are kept, and made on first need. */
export class Network {
  /** To any origin: the realm's, and the one that its discovery document names. */
  toAuthorizationServer(): Connections {
    return new Agent();
  }

  /** To the origin of the service alone. */
  toService({ baseUrl, timeoutMs, maxConcurrentCalls }: ServiceAddress): Connections {
    return new Pool(new URL(baseUrl).origin, { connections: maxConcurrentCalls, connect: { timeout: timeoutMs } });
  }
}
