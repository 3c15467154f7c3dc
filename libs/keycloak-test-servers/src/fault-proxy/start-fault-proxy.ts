/** A TCP proxy in front of a real server, whose connections fail as a test wants. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { FaultSwitch, type ConnectionFault } from './connection-fault.js';
import { proxyConnection, type Target } from './proxied-connection.js';
import { resetSocket } from './reset-socket.js';

export interface StartFaultProxyOptions {
  /** URL of the server that it leads to, such as `http://localhost:8080`. Only host and port count. */
  readonly target: string;
  /** TCP port of the loopback interface. Default: a free one. */
  readonly port?: number;
}

export interface RunningFaultProxy {
  /** `target` with the proxy's address in the place of its own, with no slash at its end. */
  readonly baseUrl: string;
  readonly port: number;
  /** Connections of clients: those that are there now, and all that ever were. */
  readonly connections: { readonly open: number; readonly accepted: number };
  /** From now on, on all connections if the fault says no other; `undefined` takes it back. Resolves when it is so. */
  fault(fault: ConnectionFault | undefined): Promise<void>;
  /** TCP RST on every connection that is there now, as when the server's machine loses them. */
  resetConnections(): void;
  /** Closes it and every connection through it. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a proxy for tests that passes bytes on unchanged, on 127.0.0.1 only, until {@link RunningFaultProxy.fault} says
 * otherwise. It knows nothing of HTTP, so a kept-alive connection is one connection. When the target itself is not there,
 * a client is accepted and then reset.
 *
 * For Keycloak: give the services `baseUrl` to reach it at, and the issuer that it has without the proxy.
 *
 * @throws Error when the port is taken.
 */
export async function startFaultProxy(options: StartFaultProxyOptions): Promise<RunningFaultProxy> {
  const url = new URL(options.target);
  const target: Target = {
    // The brackets of an IPv6 address belong to the URL.
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
      // What comes is dropped; unless it is read, a client that gives up is never noticed.
      client.resume().on('end', () => client.destroy());
    } else if (fault?.kind === 'reset' && fault.afterBytes === undefined) {
      resetSocket(client);
      faults.strike();
    } else proxyConnection(client, target, faults);
  };
  const listen = async (port: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true }, accept).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server: Server | undefined = await listen(options.port ?? 0);
  const { port } = server.address() as { readonly port: number };
  const close = (): void => {
    // It calls back when the last connection is gone, but listens no more from now on.
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
