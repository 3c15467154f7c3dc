import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { listenOnFreePort } from '../free-port.js';
import { FaultSwitch, type ConnectionFault } from './connection-fault.js';
import { proxyConnection, type Target } from './proxied-connection.js';
import { resetSocket } from './reset-socket.js';

export interface StartFaultProxyOptions {
  /**
   * The URL of the server behind the proxy, such as `http://localhost:8080`. The proxy uses only the host and the port
   * of this URL.
   */
  readonly target: string;
  /** The TCP port of the proxy on loopback (default: a port from `freePort()`). */
  readonly port?: number;
}

export interface RunningFaultProxy {
  /** `target` with the host and port of the proxy, without a trailing slash. */
  readonly baseUrl: string;
  readonly port: number;
  readonly connections: { readonly open: number; readonly accepted: number };
  /** Sets a fault (`undefined`: none), and resolves when the change is in effect. */
  fault(fault: ConnectionFault | undefined): Promise<void>;
  /** Resets all open connections (TCP RST), like a crash of the server's machine. */
  resetConnections(): void;
  /** Closes the proxy and every connection through the proxy. A second call has no effect. */
  stop(): Promise<void>;
}

/**
 * Starts a proxy on 127.0.0.1 that forwards bytes unchanged until {@link RunningFaultProxy.fault} sets a fault. The
 * proxy does not parse HTTP, so a kept-alive connection counts as one connection. If the target is unreachable, the
 * proxy accepts and then resets each connection.
 *
 * For Keycloak, configure services with the proxy's `baseUrl` and with Keycloak's issuer.
 *
 * @throws Error if the port is taken.
 */
export async function startFaultProxy(options: StartFaultProxyOptions): Promise<RunningFaultProxy> {
  const url = new URL(options.target);
  const target: Target = {
    host: url.hostname.replaceAll(/[[\]]/g, ''),
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
  };
  const faults = new FaultSwitch();
  const open = new Set<Socket>();
  let accepted = 0;

  const accept = (client: Socket): void => {
    accepted += 1;
    open.add(client);
    client.once('close', () => open.delete(client));
    const fault = faults.current;
    if (fault?.kind === 'hang') {
      client.on('error', () => undefined);
      client.resume().on('end', () => client.destroy());
    } else if (fault?.kind === 'reset' && fault.afterBytes === undefined) {
      resetSocket(client);
      faults.countBroken();
    } else proxyConnection(client, target, faults);
  };
  const listen = async (port?: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true }, accept);
    if (port === undefined) await listenOnFreePort(server);
    else await once(server.listen(port, '127.0.0.1'), 'listening');
    return server;
  };
  let server: Server | undefined = await listen(options.port);
  const { port } = server.address() as { readonly port: number };
  const close = (): void => {
    server?.close();
    server = undefined;
  };
  url.port = String(port);
  url.hostname = 'localhost';

  return {
    baseUrl: url.origin,
    port,
    connections: {
      get open() {
        return open.size;
      },
      get accepted() {
        return accepted;
      },
    },
    async fault(fault) {
      faults.set(fault);
      if (fault?.kind === 'refuse') close();
      else server ??= await listen(port);
    },
    resetConnections() {
      for (const client of open) resetSocket(client);
    },
    async stop() {
      close();
      faults.set(undefined);
      for (const client of open) client.destroy();
    },
  };
}
