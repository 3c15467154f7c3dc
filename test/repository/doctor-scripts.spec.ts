import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { feedFault, receivesRevocations } from '../../scripts/doctor/feed-state.mjs';
import { localStacks, tellWhatRuns, type LocalStack } from '../../scripts/doctor/local-stacks.mjs';
import { distinctFaults, faultsOf } from '../../scripts/doctor/print.mjs';
import { examineStack, type Section } from '../../scripts/doctor/examine-stack.mjs';
import { clientSecrets } from '../../scripts/start/services.mjs';

const STACK: LocalStack = {
  title: 'a stack',
  keycloak: { baseUrl: 'http://localhost:1', realm: 'r', issuer: 'http://localhost:1/realms/r' },
  processes: [{ service: 'service-a', name: 'service-a', port: 1, environment: { SECRET: '4711' } }],
};

const PAUSE_MS = 10;

describe('the description of running services that npm start gives to doctor (OP-02)', () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'told-'));
    folder = join(parent, 'sockets');
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('always contains the current services, and is removed at the end of npm start', async () => {
    let current = STACK;
    const stop = await tellWhatRuns(() => current, folder);
    expect(await localStacks(folder)).toEqual([STACK]);
    current = { ...STACK, title: 'another' };
    expect(await localStacks(folder)).toEqual([current]);
    await stop();
    expect(await localStacks(folder)).toEqual([]);
  });

  it('is readable only for the current user in the current clone', async () => {
    const stop = await tellWhatRuns(() => STACK, folder, parent);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await localStacks(folder)).toEqual([]);
    await stop();
  });

  it('is not written or read if other users may open the folder', async () => {
    const stop = await tellWhatRuns(() => STACK, folder);
    chmodSync(folder, 0o755);
    expect(await localStacks(folder)).toEqual([]);
    await expect(tellWhatRuns(() => STACK, folder)).rejects.toThrow('others may open it');
    await stop();
  });

  it('is found even if a killed npm start has left a socket in the folder', async () => {
    const stop = await tellWhatRuns(() => STACK, folder);
    const module = new URL('../../scripts/doctor/local-stacks.mjs', import.meta.url).href;
    const program = `const { tellWhatRuns } = await import('${module}'); await tellWhatRuns(() => ({}), '${folder}'); process.kill(process.pid, 'SIGKILL');`;
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', program]).signal).toBe('SIGKILL');
    expect(await localStacks(folder)).toEqual([STACK]);
    await stop();
  });
});

describe('the summary of doctor (OP-02)', () => {
  const section = (name: string, ...findings: Section['report']['findings']): Section => ({
    names: [name],
    services: [name],
    report: { findings },
  });
  const away = { check: 'shared_state', level: 'error', message: 'Valkey is away.', cure: 'Start it.' } as const;
  const symptom = { check: 'signals', level: 'error', message: 'No poller runs.', cure: '', isSymptom: true } as const;

  it('shows each finding once, with the names of all affected processes', () => {
    const ok = { check: 'tls', level: 'ok', message: 'well' } as const;
    expect(distinctFaults([section('a', ok, away), section('b', away)])).toEqual([
      { finding: away, names: ['a', 'b'] },
    ]);
  });

  it('omits a symptom only if the summary names the cause of the symptom', () => {
    expect(distinctFaults([section('a', symptom), section('b', away)])).toEqual([{ finding: away, names: ['b'] }]);
    expect(distinctFaults([section('a', symptom)])).toEqual([{ finding: symptom, names: ['a'] }]);
  });

  it('shows a symptom if its cause is in another stack of services', () => {
    const [local, composed] = [
      { title: 'npm start', sections: [section('a', symptom)] },
      { title: 'docker compose', sections: [section('a', away)] },
    ] as const;
    expect(faultsOf([local])).toEqual([{ finding: symptom, where: 'a' }]);
    expect(faultsOf([local, composed])).toEqual([
      { finding: symptom, where: 'npm start: a' },
      { finding: away, where: 'docker compose: a' },
    ]);
  });
});

describe('an answer that doctor receives from a server or a process (OP-02)', () => {
  it('is printed on one line without the secrets that doctor sent', async () => {
    const secret = clientSecrets(process.env)['OPERATOR_CLIENT_SECRET'] ?? '';
    const look = async () => ({
      what: 'Not ready',
      why: `bad \u001b[2J\r\n${secret} eyJhbGciOiJub25lIn0 UNABLE_TO_VERIFY_LEAF_SIGNATURE`,
      cure: 'Look.',
    });
    const one = { service: 'service-a', name: 'service-a', settings: '', look, command: undefined };
    const [section] = await examineStack({ title: 'a stack', baseUrl: '', processes: [one] }, [], async () => ({}));
    expect(section?.report.findings).toMatchObject([
      { message: 'Not ready: service-a (bad  [2J  *** *** UNABLE_TO_VERIFY_LEAF_SIGNATURE).' },
    ]);
  });
});

describe('the signal feed of a process (OP-02)', () => {
  it('is checked at each service that polls or receives proofs, but not at the separate poller', () => {
    expect(receivesRevocations('service-a', { SIGNAL_SOURCES: 'events' })).toBe(true);
    expect(receivesRevocations('service-b', { SHARED_STATE_URL: 'valkey://valkey' })).toBe(true);
    expect(receivesRevocations('service-a', { SIGNAL_SOURCES: 'none' })).toBe(false);
    expect(
      receivesRevocations('signal-poller', { SIGNAL_SOURCES: 'events', SHARED_STATE_URL: 'valkey://valkey' }),
    ).toBe(false);
  });

  it('is reported as faulty if the health details do not show a healthy feed within seconds', async () => {
    let issued = 0;
    const server = createServer((_, response) => response.end(`{"access_token":"token-${(issued += 1)}"}`));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const states = ['silent', 'healthy'];
    const looks: string[] = [];
    const read = async (token: string): Promise<object> => {
      looks.push(token);
      return { details: { signals: { state: states.shift() ?? 'silent', lastHealthySecondsAgo: 42 } } };
    };
    try {
      expect(await feedFault('service-a', issuer, read, PAUSE_MS)).toBeUndefined();
      expect(looks).toEqual(['token-1', 'token-2']);
      expect(await feedFault('service-a', issuer, read, PAUSE_MS)).toMatchObject({
        what: 'Signal feed silent',
        why: 'silent for 42 s',
      });
      const refused = async (): Promise<object> => ({
        details: { signals: { state: 'silent', reason: 'no_public_key' } },
      });
      expect(await feedFault('service-a', issuer, refused, PAUSE_MS)).toMatchObject({ why: 'no_public_key' });
      let gaps = 0;
      const withGaps = (until: number) => async (): Promise<object> => ({
        details: { signals: (gaps += 1) < until ? { state: 'silent', reason: 'gaps' } : { state: 'healthy' } },
      });
      expect(await feedFault('service-a', issuer, withGaps(50), 1)).toBeUndefined();
      gaps = 0;
      expect(await feedFault('service-a', issuer, withGaps(1000), 1)).toMatchObject({ why: 'gaps' });
    } finally {
      server.close();
    }
  });

  it.each([
    ['an unreachable authorization server', undefined, 'Keycloak issues no token (ECONNREFUSED)'],
    ['a client that the realm refuses', [401, '{"error":"invalid_client"}'], 'Keycloak answers 401 invalid_client'],
  ] as const)('has an unknown state because of %s', async (_, answer, why) => {
    const server = createServer((_request, response) => response.writeHead(answer?.[0] ?? 0).end(answer?.[1]));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    if (answer === undefined) await new Promise((resolve) => void server.close(resolve));
    const fault = await feedFault('service-a', `http://127.0.0.1:${port}`, async () => ({}));
    server.close();
    expect(fault).toMatchObject({ what: 'The state of the signal feed could not be read', why, level: 'warning' });
  });

  it('has an unknown state if the health details of the process cannot be read', async () => {
    const server = createServer((_, response) => response.end('{"access_token":"a-token"}'));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = await feedFault('service-a', issuer, async () => ({ code: 'insufficient_scope' }));
    const failed = await feedFault('service-a', issuer, async () => {
      throw new Error('late');
    });
    const without = await feedFault('service-a', issuer, async () => ({ details: {} }));
    server.close();
    expect(refused).toMatchObject({ level: 'warning', why: 'its health details: insufficient_scope' });
    expect(failed).toMatchObject({ level: 'warning', why: 'its health details: late' });
    expect(without).toBeUndefined();
  });
});
