import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import setUp from './jest-setup.js';
import tearDown from './jest-teardown.js';
import { allSecrets } from '../../spec-support/test-realm.js';
import type { RunningServer } from '../running-server.js';
import { startSharedServer } from './shared-server.js';
import { publishToEnv, testServer } from './test-server.js';
import * as vitest from './vitest-setup.js';

const rootDir = fileURLToPath(new URL('../../../..', import.meta.url));
const authorizationServer = { realm: 'keycloak/microservices-realm.json', environment: allSecrets('x') };

const isUp = (baseUrl: string): Promise<boolean> =>
  fetch(`${baseUrl}/realms/microservices`).then(
    ({ ok }) => ok,
    () => false,
  );

const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

describe('jest-setup and jest-teardown', () => {
  const choice = process.env['AUTHORIZATION_SERVER'];
  beforeAll(() => {
    process.env['AUTHORIZATION_SERVER'] = 'embedded';
  });
  afterEach(() => tearDown());
  afterAll(() => {
    process.env['AUTHORIZATION_SERVER'] = choice ?? '';
  });

  it('start a server for all specs, and stop the server', async () => {
    const before = listeners();
    await setUp({}, { rootDir, globals: { authorizationServer } });
    const server = testServer();
    expect(Object.keys(server).toSorted()).toEqual(
      ['adminPassword', 'adminUsername', 'baseUrl', 'features', 'issuer', 'kind', 'realm', 'version'].toSorted(),
    );
    expect(server).toMatchObject({
      kind: 'embedded',
      realm: 'microservices',
      issuer: `${server.baseUrl}/realms/microservices`,
    });
    expect(await isUp(server.baseUrl)).toBe(true);
    await tearDown();
    expect(await isUp(server.baseUrl)).toBe(false);
    expect(() => testServer()).toThrow(/globalSetup: 'keycloak-test-servers\/jest-setup'/);
    expect(listeners()).toBe(before);
  });

  it('replace the server at each run in watch mode', async () => {
    await setUp({}, { rootDir, globals: { authorizationServer } });
    const first = testServer();
    await setUp({}, { rootDir, globals: { authorizationServer } });
    expect(testServer().baseUrl).not.toBe(first.baseUrl);
    expect(await isUp(first.baseUrl)).toBe(false);
  });

  it('can be replaced by your own set-up, which may choose a different server', async () => {
    process.env['AUTHORIZATION_SERVER'] = 'docker';
    try {
      const options = { realm: join(rootDir, 'keycloak/microservices-realm.json'), environment: allSecrets('x') };
      const server = await startSharedServer(options, 'embedded');
      expect(testServer()).toMatchObject({ kind: 'embedded', baseUrl: server.baseUrl });
    } finally {
      process.env['AUTHORIZATION_SERVER'] = 'embedded';
    }
  });

  it('write once to standard error what the embedded server ignores', async () => {
    const written: string[] = [];
    const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const folder = await mkdtemp(join(tmpdir(), 'shared-server-'));
    try {
      await writeFile(join(folder, 'realm.json'), JSON.stringify({ realm: 'shop', verifyEmail: true }));
      await setUp({}, { rootDir: folder, globals: { authorizationServer: { realm: 'realm.json' } } });
    } finally {
      write.mockRestore();
      await rm(folder, { recursive: true });
    }
    expect(written.filter((line) => line.includes('ignores these parts of the realm shop: verifyEmail'))).toHaveLength(
      1,
    );
  });

  it('tell the specs why the embedded server replaces Keycloak', () => {
    publishToEnv({ fallbackReason: 'No Keycloak can be run here' } as RunningServer);
    expect(testServer().fallbackReason).toBe('No Keycloak can be run here');
  });

  it.each([{}, { authorizationServer: {} }, { authorizationServer: { realm: 1 } }])(
    'report what is missing in %j',
    async (globals) => {
      await expect(setUp({}, { rootDir, globals })).rejects.toThrow(/globals.authorizationServer[^]*no "realm"/);
    },
  );

  it('have an equivalent for Vitest', async () => {
    const provide = jest.fn();
    await vitest.setup({ config: { root: rootDir, provide: { authorizationServer } }, provide });
    const server = testServer();
    expect(provide.mock.calls).toEqual([['testServer', server]]);
    expect(await isUp(server.baseUrl)).toBe(true);
    await vitest.teardown();
    expect(await isUp(server.baseUrl)).toBe(false);
    await expect(vitest.setup({ config: { root: rootDir }, provide })).rejects.toThrow(
      /provide.authorizationServer[^]*no "realm"/,
    );
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stop the server when the run is interrupted (%s), and then end the process',
    async (signal) => {
      const before = listeners();
      await setUp({}, { rootDir, globals: { authorizationServer } });
      const { baseUrl } = testServer();
      const killed = new AbortController();
      const kill = jest.spyOn(process, 'kill').mockImplementation(() => {
        killed.abort();
        return true;
      });
      // Simulates the listener of testcontainers, which ends the process if no other listener exists.
      const others: number[] = [];
      const other = (): unknown => others.push(process.listenerCount(signal));
      process.on(signal, other);
      try {
        const ended = once(killed.signal, 'abort');
        process.emit(signal, signal);
        await ended;
        expect(kill).toHaveBeenCalledWith(process.pid, signal);
        expect(others).toEqual([2]);
        expect(await isUp(baseUrl)).toBe(false);
      } finally {
        process.off(signal, other);
        kill.mockRestore();
      }
      expect(listeners()).toBe(before);
    },
  );

  it('remove all listeners if the server does not start', async () => {
    const before = listeners();
    const globals = { authorizationServer: { ...authorizationServer, environment: {} } };
    await expect(setUp({}, { rootDir, globals })).rejects.toThrow(/CLIENT_SECRET/);
    expect(() => testServer()).toThrow('No server was started');
    await tearDown();
    expect(listeners()).toBe(before);
  });
});
