import { isIP, type Socket } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, buildConnector, Pool, type Dispatcher } from 'undici';
import type { CaFile, CaFileEvent } from './ca-file.js';
import { EnvironmentProxies } from './environment-proxies.js';

export type Connections = Pick<Dispatcher, 'dispatch'>;

export interface TrustedAuthorities {
  readonly caFile?: CaFile | undefined;
}

export interface AuthorizationServerAddress {
  readonly realmUrl: string | URL;
  readonly timeoutMs: number;
  readonly tls?: TrustedAuthorities;
}

export interface ServiceAddress {
  readonly name: string;
  readonly baseUrl: string;
  readonly timeoutMs: number;
  readonly maxConcurrentCalls: number;
  readonly tls?: TrustedAuthorities;
}

export type NetworkLog = Readonly<Record<'log' | 'warn', (message: string, fields: object) => void>>;

const CONNECT_MS = 10_000;

/**
 * A certificate that can't be verified ends the connection, even if `NODE_TLS_REJECT_UNAUTHORIZED` is 0. A proxy can't
 * read the tunnel to a TLS server.
 */
export class Network {
  readonly #announced = new Set<string>();

  constructor(
    private readonly networkLog: NetworkLog = SILENT,
    private readonly proxies = EnvironmentProxies.ofProcess(),
  ) {}

  toAuthorizationServer(server: AuthorizationServerAddress): Connections {
    this.#announce('Keycloak', String(server.realmUrl));
    const agent = new Agent({ connect: this.#connector('Keycloak', { ...server, connectMs: CONNECT_MS }) });
    const forwarding = new Map<string, Connections>();
    return {
      dispatch: (options, handler) => {
        const origin = String(options.origin);
        const proxy = origin.startsWith('http:') ? this.proxies.proxyFor(origin) : undefined;
        if (proxy === undefined) return agent.dispatch(options, handler);
        const connections = forwarding.get(proxy.label) ?? proxy.forwarding(null, server.timeoutMs / 2);
        forwarding.set(proxy.label, connections);
        return connections.dispatch(options, handler);
      },
    };
  }

  toService(service: ServiceAddress): Connections {
    const { name, baseUrl, timeoutMs, maxConcurrentCalls: connections } = service;
    const { origin } = new URL(baseUrl);
    this.#announce(name, baseUrl);
    const proxy = origin.startsWith('http:') ? this.proxies.proxyFor(origin) : undefined;
    if (proxy !== undefined) return proxy.forwarding(connections, timeoutMs / 2);
    return new Pool(origin, { connections, connect: this.#connector(name, { ...service, connectMs: timeoutMs }) });
  }

  proxyLabel(url: string): string | undefined {
    return this.proxies.proxyFor(new URL(url).origin)?.label;
  }

  /** The proxy gets half of `timeoutMs`, so that a time-out of the proxy differs from a time-out of the server. */
  #connector(
    server: string,
    { tls, connectMs, timeoutMs }: Pick<ServiceAddress, 'tls' | 'timeoutMs'> & { readonly connectMs: number },
  ): buildConnector.connector {
    const caFile = tls?.caFile;
    let trusted: string | undefined;
    let connect = buildConnector({ timeout: connectMs, rejectUnauthorized: true });
    const open = async (options: buildConnector.Options): Promise<Socket> => {
      if (caFile !== undefined && options.protocol === 'https:') {
        const ca = await caFile.current((event) => this.#logCaFile(server, caFile.path, event));
        // After a change of the authorities, the old connector would resume TLS sessions with untrusted servers.
        if (ca !== trusted) connect = buildConnector({ timeout: connectMs, rejectUnauthorized: true, ca });
        trusted = ca;
      }
      const httpSocket = await this.#tunnel(options, timeoutMs / 2);
      return new Promise((resolve, reject) => {
        connect({ ...options, ...httpSocket, servername: serverNameOf(options.hostname) }, (...[error, socket]) =>
          error === null ? resolve(socket) : reject(error),
        );
      });
    };
    const opened = callbackify(open);
    return (options, callback) =>
      opened(options, (error: Error | null, socket) =>
        error === null ? callback(null, socket) : callback(error, null),
      );
  }

  async #tunnel(
    { protocol, hostname, host = hostname }: buildConnector.Options,
    timeoutMs: number,
  ): Promise<{ readonly httpSocket?: Socket }> {
    if (protocol !== 'https:') return {};
    const proxy = this.proxies.proxyFor(`https://${host}`);
    if (proxy === undefined) return {};
    const withPort = /:\d+$/.test(host) ? host : `${host}:443`;
    return { httpSocket: (await proxy.tunnelTo(withPort, timeoutMs)) as Socket };
  }

  #announce(server: string, url: string): void {
    const proxy = this.proxyLabel(url);
    if (proxy === undefined || this.#announced.has(server)) return;
    this.#announced.add(server);
    this.networkLog.log(`Calls to ${server} go through a proxy`, { proxy });
  }

  #logCaFile(server: string, file: string, event: CaFileEvent): void {
    if (event.kind === 'changed') {
      const { certificates } = event;
      this.networkLog.log(`The trusted certificates for ${server} have changed. New connections use them`, {
        file,
        certificates,
      });
    } else {
      const { reason } = event;
      this.networkLog.warn(
        `The trusted certificates for ${server} can't be read again. Connections keep using the last ones`,
        {
          file,
          reason,
        },
      );
    }
  }
}

/** The SNI name is the URL's host, not the `Host` header; empty for IP addresses (RFC 6066 §3). */
const serverNameOf = (hostname: string): string => (isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0 ? hostname : '');

const ignore = (): void => undefined;
const SILENT: NetworkLog = { log: ignore, warn: ignore };
