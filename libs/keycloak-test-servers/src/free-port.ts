import { createServer, type Server } from 'node:net';

/**
 * The range ends below Kubernetes' node ports (30000) and ephemeral ports (Linux: 32768, macOS and Windows: 49152). An
 * ephemeral port may be taken before the server listens or during a restart. A client that connects to an unused
 * ephemeral port may even connect to itself.
 */
const PORTS = { first: 20_000, last: 29_999 } as const;

/**
 * The port's last digit identifies the Jest or Vitest worker. Successive ports differ in several digits, so URLs in
 * tokens look different.
 */
const DIGIT = Number(process.env['JEST_WORKER_ID'] ?? process.env['VITEST_POOL_ID'] ?? 0) % 10 || 0;

const COUNT = 1000;

/**
 * The search visits each port once, since 619 is coprime to `COUNT`. Successive ports are far apart, since 619 is near
 * the golden section of `COUNT`.
 */
const STEP = 619;

let next = Math.floor(Math.random() * COUNT);

/**
 * Returns a free loopback port from 20000 to 29999, outside the range for outgoing connections. Two workers of Jest or
 * Vitest never get the same port. The port is not reserved, so another process may take the port.
 *
 * @throws Error if none of the ports is free.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function listenOnFreePort(server: Server): Promise<number> {
  for (let tries = 0; tries < COUNT; tries += 1) {
    const port = PORTS.first + 10 * next + DIGIT;
    next = (next + STEP) % COUNT;
    if (await listens(server, port)) return port;
  }
  throw new Error(`No port from ${PORTS.first} to ${PORTS.last} that ends in ${DIGIT} is free on 127.0.0.1`);
}

/** A port may be in use, or reserved by the system (EACCES on Windows). */
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
