import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from 'keycloak-test-servers';
import { freeze } from '../../libs/keycloak/spec-support/frozen-process.js';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { SECRETS, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { tellWhatRuns, type LocalProcess } from '../../scripts/doctor/local-stacks.mjs';
import { sharingEnvironment } from '../../scripts/start/replicas.mjs';
import { poller, serviceEnvironment, services } from '../../scripts/start/services.mjs';
import { pollerEnvironment } from '../../scripts/start/signals.mjs';
import { rightsOf } from '../../scripts/start/valkey-users.mjs';
import { endService, spawnService, untilReady, type BuiltService } from '../support/built-service.js';
import { startSignalsRealm } from '../support/signals-realm.js';

const RIGHTS = [...new Set(['service-c', 'signal-poller'].flatMap(rightsOf))];
const root = fileURLToPath(new URL('../../', import.meta.url));
const POLLER = 'signal-poller';
const PASSWORD = 'the-password-4711';
const OTHER_KEYS = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('base64');

interface Ran {
  readonly exitCode: number;
  readonly printed: string;
  readonly toCorrect: readonly string[];
}

interface Fault {
  readonly what: string;
  readonly make: () => Promise<() => unknown>;
  readonly finding: RegExp;
}

(valkeyPath === undefined ? describe.skip : describe)('npm run doctor for running services (OP-02)', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'doctor-'));
  let server: ContractServer;
  let valkey: Valkey;
  const running: (LocalProcess & { readonly built: BuiltService })[] = [];
  let processes: LocalProcess[] = [];
  let stopTelling: (() => Promise<unknown>) | undefined;

  beforeAll(async () => {
    server = await startSignalsRealm();
    valkey = await Valkey.start(valkeyPath ?? '');
    await setUser(PASSWORD, RIGHTS);
    const keycloak = { baseUrl: server.baseUrl, issuer: server.issuer, realm: realmOf(server.issuer) };
    const all = services({});
    const url = valkey.url.replace('//', `//services:${PASSWORD}@`);
    const environment = sharingEnvironment(
      all,
      { PATH: process.env['PATH'], INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS: '300' },
      { 'service-c': url, [POLLER]: url },
    );
    for (const service of [...all.filter(({ name }) => name === 'service-c'), poller({})]) {
      const settings =
        service.name === POLLER
          ? pollerEnvironment(service, { keycloak, environment })
          : serviceEnvironment(service, { all, keycloak, environment });
      const port = await freePort();
      const own = { ...settings, PORT: String(port) };
      const built = spawnService(service.name, own as Record<string, string>);
      running.push({ service: service.name, name: service.name, port, environment: own, built });
      await untilReady(`http://127.0.0.1:${port}`, built);
    }
    processes = [...running];
    const folder = join(temporary, `nestjs-keycloak-s2s-${userInfo().uid}`);
    const told = () => ({
      title: 'a stack of this spec',
      keycloak,
      processes: processes.map(({ service, name, port, environment: own }) => ({
        service,
        name,
        port,
        environment: own,
      })),
    });
    stopTelling = await tellWhatRuns(told, folder, root);
  });
  afterAll(async () => {
    await stopTelling?.();
    for (const { built } of running) await endService(built);
    await valkey?.remove();
    await server?.stop();
    rmSync(temporary, { recursive: true });
  });

  const setUser = (password: string, rights: readonly string[]): Promise<unknown> =>
    valkey.command(['ACL', 'SETUSER', 'services', 'reset', 'on', `>${password}`, ...rights]);

  async function doctor(): Promise<Ran> {
    const child = spawn(process.execPath, [join(root, 'scripts/doctor/doctor.mjs')], {
      // Nothing listens at this Docker address, so doctor examines no containers of this machine.
      env: { PATH: process.env['PATH'], TMPDIR: temporary, DOCKER_HOST: 'tcp://127.0.0.1:1', NO_COLOR: '1' },
    });
    const [printed, said, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number]>,
    ]);
    for (const secret of [...Object.values(SECRETS), PASSWORD, OTHER_KEYS, 'eyJ']) {
      expect(printed + said).not.toContain(secret);
    }
    const [, toCorrect = ''] = printed.split('To correct:\n');
    return { exitCode, printed: printed + said, toCorrect: toCorrect.split(/\n(?=[✗!])/).filter((one) => one !== '') };
  }

  it('exits with 0 if doctor finds no error and no warning', async () => {
    const { exitCode, printed } = await doctor();
    expect(printed).toContain('Examined: a stack of this spec');
    expect(printed).toContain('A poller runs: it wrote a proof during this examination.');
    expect(printed).toContain('All is well: 2 processes, no error and no warning.');
    expect(exitCode).toBe(0);
  });

  const changeEvents = async (change: object): Promise<void> => {
    const settings = await server.administrator.read<object>('/events/config');
    await server.administrator.change('PUT', '/events/config', { ...settings, ...change });
  };

  const changePoller = async (change: object): Promise<void> => {
    const [client] = await server.administrator.read<readonly { readonly id: string }[]>(`/clients?clientId=${POLLER}`);
    await server.administrator.change('PUT', `/clients/${client?.id ?? ''}`, { ...client, ...change });
  };

  const processOf = (name: string): BuiltService => {
    const found = running.find(({ service }) => service === name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found.built;
  };

  const FAULTS: readonly Fault[] = [
    {
      what: 'user events that are switched off',
      make: async () => {
        await changeEvents({ eventsEnabled: false });
        return () => changeEvents({ eventsEnabled: true });
      },
      finding:
        /^✗ keycloak_events: .* by the client signal-poller \(events_disabled\)\. \(signal-poller\)\n +→ Switch on "Save events"/,
    },
    {
      what: 'admin events that are switched off',
      make: async () => {
        await changeEvents({ adminEventsEnabled: false });
        return () => changeEvents({ adminEventsEnabled: true });
      },
      finding: /\(admin_events_disabled\)/,
    },
    {
      what: "a poller's secret that was rotated at Keycloak",
      make: async () => {
        await changePoller({ secret: 'rotated' });
        return () => changePoller({ secret: SECRETS[POLLER] });
      },
      finding:
        /^✗ Keycloak refuses the credentials of signal-poller: .* \(signal-poller\)\n +→ .*Compare clientId and clientSecret/,
    },
    {
      what: 'a Valkey whose user has another password',
      make: async () => {
        await setUser('another-one', RIGHTS);
        return () => setUser(PASSWORD, RIGHTS);
      },
      finding:
        /^✗ Valkey at 127\.0\.0\.1:\d+, database 0 refuses the user services or its password \(wrongpass\)\. \(service-c, signal-poller\)\n/,
    },
    {
      what: 'a missing right of the Valkey user',
      make: async () => {
        await setUser(PASSWORD, [...RIGHTS, '-xadd']);
        return () => setUser(PASSWORD, RIGHTS);
      },
      finding:
        /^✗ .*: the user services has no right to the commands xadd\. \(service-c, signal-poller\)\n +→ .* docs\/valkey\.md/,
    },
    {
      what: 'a Valkey that does not answer',
      make: async () => {
        valkey.freeze();
        return () => valkey.thaw();
      },
      finding: /^✗ Valkey at .* is unreachable \(timeout\)\. \(service-c, signal-poller\)\n +→ Start the server/,
    },
    {
      what: 'a service whose denial keys differ from the keys of the poller',
      make: async () => {
        const before = processes;
        processes = before.map((one) =>
          one.service === POLLER
            ? one
            : { ...one, environment: { ...one.environment, SHARED_DENIAL_KEYS: OTHER_KEYS } },
        );
        return () => (processes = before);
      },
      finding:
        /^✗ The keys of denials differ between processes \(fingerprints: .*service-c: [0-9a-f]{8}; signal-poller: /,
    },
    {
      what: 'a poller that hangs',
      make: async () => {
        const { process: child } = processOf(POLLER);
        freeze(child);
        return () => child.kill('SIGCONT');
      },
      finding:
        /^✗ No answer: signal-poller \(TimeoutError\)\. \(signal-poller\)\n +→ Check whether the process still runs/,
    },
  ];

  it.each(FAULTS)('reports $what, says how to correct this fault, and exits with 2', async ({ make, finding }) => {
    const undo = await make();
    let ran: Ran;
    try {
      ran = await doctor();
    } finally {
      await undo();
    }
    expect(ran.toCorrect).toEqual([expect.stringMatching(finding)]);
    expect(ran.exitCode).toBe(2);
  });

  it('reports that no poller runs if the service receives no proof', async () => {
    const { built } = running.find(({ service }) => service === POLLER) ?? {};
    if (built === undefined) throw new Error('No poller was started');
    await endService(built);
    processes = processes.filter(({ service }) => service !== POLLER);
    const { exitCode, toCorrect } = await doctor();
    expect(toCorrect).toEqual([
      expect.stringMatching(/^✗ No poller runs, or it can't poll Keycloak: .*\(service-c\)\n +→ Start the process/),
    ]);
    expect(exitCode).toBe(2);
  });
});
