import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort, listenOnFreePort } from './free-port.js';

const opened = new Set<ReturnType<typeof createServer>>();
const server = () => {
  const made = createServer();
  opened.add(made);
  return made;
};
afterEach(() => {
  for (const each of opened) each.close();
  opened.clear();
});

describe('freePort', () => {
  it('returns a port outside of the range of ephemeral ports', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(ports.filter((port) => port < 20_000 || port > 29_999)).toEqual([]);
  });

  it('returns each port only once, even if no server listens on the port', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(new Set(ports).size).toBe(200);
  });

  it('returns ports that differ in more than the last digit', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(new Set(ports.map((port) => Math.floor(port / 10))).size).toBe(200);
  });

  it('returns different ports to different workers of Jest or Vitest', () => {
    const portsOf = (env: Record<string, string>): string[] => {
      const code = `import('keycloak-test-servers').then(async ({ freePort }) => {
        for (let count = 0; count < 1000; count += 1) console.log(await freePort());
      })`;
      const { JEST_WORKER_ID: _, ...others } = process.env;
      const { stdout } = spawnSync(process.execPath, ['-e', code], { env: { ...others, ...env }, encoding: 'utf8' });
      return stdout.trim().split('\n');
    };
    const [first, second, vitest] = [{ JEST_WORKER_ID: '1' }, { JEST_WORKER_ID: '2' }, { VITEST_POOL_ID: '3' }].map(
      portsOf,
    );
    expect(first).toHaveLength(1000);
    expect(first?.filter((port) => second?.includes(port) || vitest?.includes(port))).toEqual([]);
    expect(second?.filter((port) => vitest?.includes(port))).toEqual([]);
  });

  it('skips a port that is in use', async () => {
    const [here, there] = [server(), server()];
    const [first, second] = [await freePort(), await freePort()];
    const taken = 20_000 + ((2 * second - first - 20_000 + 10_000) % 10_000);
    await new Promise<void>((resolve) => {
      // An error means that another process uses the port.
      here.once('error', () => resolve()).listen(taken, '127.0.0.1', resolve);
    });
    expect([await freePort(), await listenOnFreePort(there)]).not.toContain(taken);
    expect(there.listening).toBe(true);
  });
});
