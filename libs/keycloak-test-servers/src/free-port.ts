/** freePort(): finds a free port that no outgoing connection takes. */
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that a system gives to outgoing connections and to servers that name none (Linux from 32768, macOS and Windows
 * from 49152), and below the node ports of Kubernetes (from 30000). A port of theirs may be taken before its server
 * listens, or while it restarts, and a client that connects to one where nobody listens may get it as its own and be
 * connected to itself.
 */
const PORTS = { first: 20_000, last: 29_999 } as const;

/**
 * The last digit of all ports of this process. The workers of Jest and Vitest have different ones: a server that starts slowly would lose its port to
 * a spec in another worker. In one process no two ports differ in the last digit alone: two such URLs have so much in common that a token with one is seen
 * in a text with the other.
 */
const DIGIT = Number(process.env['JEST_WORKER_ID'] ?? process.env['VITEST_POOL_ID'] ?? 0) % 10 || 0;

/** How many ports have that digit. */
const COUNT = 1000;

/** From one to the next. It has no divisor with their number, so each comes once, and is their golden section, so neighbours are far apart. */
const STEP = 619;

// Processes begin at different ones.
let next = Math.floor(Math.random() * COUNT);

/**
 * Returns a port that is free on the loopback interface. It is from 20000 to 29999, where no default range of a system for
 * outgoing connections lies. A process gets each of a thousand ports once before it gets one twice. Two workers of Jest or Vitest never get the same
 * one. It is not reserved: another process may take it.
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
  for (let tries = 0; tries < COUNT; tries += 1) {
    const port = PORTS.first + 10 * next + DIGIT;
    next = (next + STEP) % COUNT;
    if (await listens(server, port)) return port;
  }
  throw new Error(`No port from ${PORTS.first} to ${PORTS.last} that ends in ${DIGIT} is free on 127.0.0.1`);
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
