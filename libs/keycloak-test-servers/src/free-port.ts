/** freePort(): finds a free port that no outgoing connection takes. */
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that a system gives to outgoing connections and to servers that name none (Linux from 32768, macOS and Windows
 * from 49152), and below the node ports of Kubernetes (from 30000). A port of theirs may be taken before its server
 * listens, or while it restarts, and a client that connects to one where nobody listens may get it as its own and be
 * connected to itself.
 */
const PORTS = { first: 20_000, count: 10_000 } as const;

/**
 * From one to the next: has no divisor with their number, so that each comes once, and is their golden section, so that those of one process are not alike
 * in their first digits. Two URLs that differ in the last digit alone have so much in common that a token with one is seen
 * in a text with the other.
 */
const STEP = 6181;

// Processes begin at different ones.
let next = Math.floor(Math.random() * PORTS.count);

/**
 * Returns a port that is free on the loopback interface. It is from 20000 to 29999, where no default range of a system for
 * outgoing connections lies, and a process gets each of them once before it gets one twice. It is not reserved: another
 * process may take it.
 *
 * @throws Error if none of them is free.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Has a server listen on 127.0.0.1, on a port as {@link freePort} returns them, and returns it. */
export async function listenOnFreePort(server: Server): Promise<number> {
  for (let tries = 0; tries < PORTS.count; tries += 1) {
    const port = PORTS.first + next;
    next = (next + STEP) % PORTS.count;
    if (await listens(server, port)) return port;
  }
  throw new Error(`No port from ${PORTS.first} to ${PORTS.first + PORTS.count - 1} is free on 127.0.0.1`);
}

/** False for a port that is taken, or that the system keeps for itself (EACCES on Windows). */
async function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (error?: NodeJS.ErrnoException): void => {
      server.off('error', settle).off('listening', settle);
      if (error === undefined) resolve(true);
      else if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    };
    server.once('error', settle).once('listening', settle);
    server.listen(port, '127.0.0.1');
  });
}
