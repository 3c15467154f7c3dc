import { spawn, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { CONNECTION_LIMITS } from '../../libs/service-defaults/src/connection-limits.js';
import { proofKeyPair } from '../../libs/keycloak/spec-support/proof-keys.js';
import { balancerConfiguration } from '../../scripts/start/balancer.mjs';
import {
  keepRunning,
  placesOf,
  replicasAsked,
  sharingEnvironment,
  toolsForReplicas,
} from '../../scripts/start/replicas.mjs';
import { poller, prefixOf, realmEnvironment, serviceEnvironment, services } from '../../scripts/start/services.mjs';
import { feedEnvironment, hasSources, pollerEnvironment, withoutSources } from '../../scripts/start/signals.mjs';
import { processUsers, usersFile, valkeyUsers } from '../../scripts/start/valkey-users.mjs';
import description from '../../services.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../', import.meta.url));
const pemBody = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Container {
  readonly [setting: string]: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
}
interface Compose {
  readonly 'x-hardened': object;
  readonly services: Readonly<Record<string, Container>>;
}

const reset = { tag: '!reset', collection: 'seq' as const, resolve: () => 'nothing' };
const compose = parse(read('compose.replicas.yml'), { merge: true, customTags: [reset] }) as Compose;
const single = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const all = services({});
const named: [string, (typeof all)[number]][] = all.map((service) => [service.name, service]);

describe('the settings of HAProxy', () => {
  it('keep the connection of a caller open for longer than the service promises in Keep-Alive', () => {
    const [, seconds] = /^ *timeout http-keep-alive (\d+)s$/m.exec(read('deploy/haproxy/common.cfg')) ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(CONNECTION_LIMITS.keepAliveTimeoutMs);
  });
});

describe('compose.replicas.yml', () => {
  it.each(named)('runs three replicas of %s, and publishes no port of a replica', (name) => {
    expect(compose.services[name]).toMatchObject({ deploy: { replicas: 3 }, ports: 'nothing' });
  });

  it.each(named)('routes the calls from and to %s through the balancer', (name, { port }) => {
    const urls = Object.entries(single.services[name]?.environment ?? {}).filter(([key]) =>
      /^SERVICE_.*_URL$/.test(key),
    );
    const balanced = urls.map(([key, url]) => [key, String(url).replace(/\/\/[^:]+/, '//haproxy')]);
    expect(compose.services[name]?.environment).toMatchObject(Object.fromEntries(balanced));
    const published = `127.0.0.1:\${${prefixOf(name)}_PORT:-${port}}:${port}`;
    expect(compose.services['haproxy']?.ports).toContain(published);
    const section = read('deploy/haproxy/compose.cfg')
      .split('\n\n')
      .find((text) => text.includes(`listen ${name}\n`));
    expect(section).toContain(`bind :${port}\n`);
    expect(section).toContain(`set-header Host ${name}:${port} if`);
    expect(section).toMatch(new RegExp(`server-template replica \\d+ ${name}:${port} resolvers`));
    expect(read('deploy/haproxy/compose.cfg')).toContain(`monitor fail if { nbsrv(${name}) 0 }`);
  });

  it("publishes the ports of docker-compose.yml, and routes Keycloak's calls to Service A through the balancer", () => {
    expect(compose.services['haproxy']?.ports).toHaveLength(all.length);
    expect(compose.services['valkey']?.ports).toBeUndefined();
    expect(compose.services['keycloak']?.environment).toEqual({ SERVICE_A_INTERNAL_URL: 'http://haproxy:3000' });
  });

  it('gives each service separate keys, and each key begins with DEMO/published', () => {
    const keys = named.map(([name]) => String(compose.services[name]?.environment?.['SHARED_STATE_KEYS']));
    for (const [at, [name]] of named.entries()) {
      expect(keys[at]).toMatch(
        new RegExp(`^\\$\\{${prefixOf(name)}_SHARED_STATE_KEYS:-DEMO/published/[\\w/+]{28}=\\}$`),
      );
    }
    expect(new Set(keys).size).toBe(named.length);
  });

  it('runs two pollers whose public key all services have', () => {
    const { environment, ...container } = compose.services['signal-poller'] ?? {};
    expect(container).toMatchObject({ deploy: { replicas: 2 }, profiles: 'nothing' });
    const shared = ['SHARED_DENIAL_KEYS', 'SIGNAL_PROOF_PUBLIC_KEYS', 'INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS'];
    for (const [name] of named) {
      const its = compose.services[name]?.environment;
      expect(shared.map((variable) => its?.[variable])).toEqual(shared.map((variable) => environment?.[variable]));
    }
    expect(environment).toMatchObject({ SHARED_ANSWERS_URL: '' });
    expect(environment).not.toHaveProperty('SHARED_STATE_KEYS');
    const listening = { SIGNAL_SOURCES: 'none', SIGNAL_POLLER_CLIENT_SECRET: '' };
    expect(compose.services['service-a']?.environment).toMatchObject({ ...listening, SIGNAL_PROOF_PRIVATE_KEY: '' });
    const [, privateKey = ''] = /:-([^}]+)\}/.exec(String(environment?.['SIGNAL_PROOF_PRIVATE_KEY'])) ?? [];
    const [, publicKey] = /:-([^}]+)\}/.exec(String(environment?.['SIGNAL_PROOF_PUBLIC_KEYS'])) ?? [];
    expect(privateKey).toContain('DEMO/published');
    const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
    expect(
      createPublicKey(key as never)
        .export({ type: 'spki', format: 'der' })
        .toString('base64'),
    ).toBe(publicKey);
  });

  it.each(['haproxy', 'valkey'])('hardens the container %s like the containers of the services', (name) => {
    const { cap_drop, security_opt, restart } = single.services['service-a'] ?? {};
    expect(compose.services[name]).toMatchObject({ cap_drop, security_opt, restart, read_only: true });
  });

  it('gives each process its own Valkey user from deploy/valkey/users.acl (OP-04)', () => {
    for (const [name] of [...named, [poller({}).name]]) {
      const its = compose.services[String(name)]?.environment;
      const url = `valkey://${name}:DEMO-published-${name}@valkey:6379`;
      expect(its?.['SHARED_STATE_URL']).toBe(url);
      expect(its?.['SHARED_ANSWERS_URL']).toBe(name === poller({}).name ? '' : `${url}/1`);
    }
    const [shell, option, script = ''] = compose.services['valkey']?.command ?? [];
    expect([shell, option, script]).toEqual(['sh', '-c', expect.stringContaining('--maxmemory-policy noeviction')]);
    expect(script).toContain('--proto-max-bulk-len 1mb');
    const sed = /^sed -nE '([^']+)' \/etc\/valkey\/users\.acl > (\S+) && exec valkey-server --aclfile \2 /.exec(
      script,
    )?.[1];
    const made = spawnSync('sed', ['-nE', sed ?? '', join(root, 'deploy/valkey/users.acl')], { encoding: 'utf8' });
    expect(made.stdout.trim()).toBe(usersFile((user) => `DEMO-published-${user}`));
    expect(compose.services['valkey']?.['healthcheck']).toMatchObject({
      test: ['CMD', 'sh', '-c', 'valkey-cli --no-auth-warning --user probe --pass probe ping | grep -qx PONG'],
    });
  });
});

describe('the Valkey users of deploy/valkey/users.acl', () => {
  const users = valkeyUsers();
  const commands = (rights: readonly string[]): string[] => rights.filter((right) => /^[+-]/.test(right));

  it('belong to the services, the poller and the probes, while the default user is disabled (OP-04)', () => {
    const names = [...all.map(({ name }) => name), poller({}).name];
    expect(users.map(({ name }) => name).toSorted()).toEqual(['default', 'probe', ...names].toSorted());
    expect(users.find(({ name }) => name === 'default')?.rights).toEqual([
      'off',
      'resetkeys',
      'resetchannels',
      '-@all',
    ]);
    const probe = 'on nopass resetkeys resetchannels -@all +ping';
    expect(users.find(({ name }) => name === 'probe')?.rights.join(' ')).toBe(probe);
  });

  it.each(processUsers().map(({ name, rights }) => [name, rights] as const))(
    'include %s, whose rights list single commands (OP-04)',
    (name, rights) => {
      const [first, ...given] = commands(rights);
      expect([first, ...given.slice(-2)]).toEqual(['-@all', '-@dangerous', '+info']);
      for (const one of given.slice(0, -2)) expect(one).toMatch(/^\+[a-z|_]+$/);
      const own = rights.filter((right) => /^~nestjs-keycloak-s2s:[^{]/.test(right));
      expect(own).toEqual(name === poller({}).name ? [] : [`~nestjs-keycloak-s2s:${name}:*`]);
      const guide = read('docs/valkey.md');
      for (const right of given) expect(guide).toContain(`\`${right.replace('|', '\\|')}\``);
    },
  );
});

describe('npm start -- --replicas', () => {
  it.each([
    [{}, undefined],
    [{ replicas: '3' }, 3],
    [{ replicas: '9' }, 9],
  ])('with the options %j starts this number of replicas: %s', (options, count) => {
    expect(replicasAsked(options)).toBe(count);
  });

  it.each([
    [{ replicas: '1' }, 'from 2 to 9, not 1'],
    [{ replicas: '10' }, 'from 2 to 9, not 10'],
    [{ replicas: 'three' }, 'from 2 to 9, not three'],
    [{ replicas: '' }, 'from 2 to 9, not nothing'],
    [{ replicas: '3', watch: true }, "--replicas can't be combined with --watch"],
  ])('with the options %j ends with an error', (options, words) => {
    expect(() => replicasAsked(options)).toThrow(words);
  });

  it('names missing tools, and says how to install the missing tools', () => {
    const has =
      (...names: string[]) =>
      (name: string) =>
        names.includes(name) ? `/bin/${name}` : undefined;
    expect(() => toolsForReplicas({}, has())).toThrow('needs haproxy and valkey-server on the PATH');
    expect(() => toolsForReplicas({}, has('haproxy'))).toThrow('apt-get install valkey-server\n');
    expect(() => toolsForReplicas({}, has('valkey-server'))).toThrow('brew install haproxy\n');
    expect(toolsForReplicas({}, has('haproxy', 'valkey-server'))).toEqual({
      haproxy: '/bin/haproxy',
      valkey: '/bin/valkey-server',
    });
    for (const name of ['SHARED_STATE_URL', 'SERVICE_A_SHARED_STATE_URL']) {
      expect(toolsForReplicas({ [name]: 'valkey://elsewhere' }, has('haproxy')).haproxy).toBe('/bin/haproxy');
    }
  });

  it('ends before the build if a tool is missing', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/start/start.mjs', '--replicas', '3'], {
      cwd: root,
      env: { PATH: '/nowhere', SHARED_STATE_URL: '' },
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(stderr).toContain('valkey-server on the PATH');
    expect(status).toBe(1);
    expect(stdout).not.toContain('Building');
  });

  it('prints no warning, even if 100 listeners wait for the stop signal', () => {
    const script = `import { stopSignal } from './scripts/common/processes.mjs';
      const signal = stopSignal();
      for (let n = 0; n < 100; n += 1) signal.addEventListener('abort', () => n);
      setImmediate(() => process.exit());`;
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect([stderr, status]).toEqual(['', 0]);
  });

  it('stops if nobody reads its output any more', async () => {
    const script = `import { stopSignal } from './scripts/common/processes.mjs';
      stopSignal().addEventListener('abort', () => process.exit(7));
      setInterval(() => process.stdout.write('x'.repeat(1000)), 10);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  it("gives each replica a separate port, to which the balancer forwards the service's port", async () => {
    let next = 2999;
    const places = await placesOf(all, 2, () => Promise.resolve((next += 1)));
    expect(places.map(({ name }) => name)).toEqual(all.flatMap(({ name }) => [`${name}.1`, `${name}.2`]));
    const ports = [...places, ...all].map(({ port }) => port);
    expect(new Set(ports).size).toBe(ports.length);
    expect(await placesOf(all, undefined, () => Promise.reject(new Error('no port is needed')))).toEqual(
      all.map((service) => ({ service, name: service.name, port: service.port })),
    );
    expect(
      balancerConfiguration([{ name: 'service-b', port: 3001, replicas: [40001, 40002], settings: ['retries 0'] }]),
    ).toBe(
      `listen service-b
  bind 127.0.0.1:3001
  retries 0
  server service-b.1 127.0.0.1:40001
  server service-b.2 127.0.0.1:40002
`,
    );
  });

  it('generates missing keys, and gives all replicas of a service the same keys', () => {
    const urls = Object.fromEntries(all.map(({ name }) => [name, `valkey://${name}@here`]));
    const environmentOf = (set: NodeJS.ProcessEnv) => sharingEnvironment(all, set, urls);
    const keycloak = { baseUrl: 'http://k', issuer: 'http://k/realms/r', realm: 'r' };
    const given = environmentOf({
      SHARED_DENIAL_KEYS: '',
      SERVICE_A_SHARED_STATE_KEYS: 'ours',
      SERVICE_A_MANAGEMENT_PORT: '9464',
    });
    const environments = new Map(
      all.map((service) => [service.name, serviceEnvironment(service, { all, keycloak, environment: given })]),
    );
    const of = (name: string, variable: string) => environments.get(name)?.[variable] ?? '';
    expect(of('service-a', 'SHARED_STATE_KEYS')).toBe('ours');
    expect(of('service-a', 'MANAGEMENT_PORT')).toBe('');
    expect(Buffer.from(of('service-b', 'SHARED_STATE_KEYS'), 'base64')).toHaveLength(32);
    expect(of('service-b', 'SHARED_STATE_KEYS')).not.toBe(of('service-c', 'SHARED_STATE_KEYS'));
    expect(Buffer.from(of('service-a', 'SHARED_DENIAL_KEYS'), 'base64')).toHaveLength(32);
    expect(of('service-a', 'SHARED_DENIAL_KEYS')).toBe(of('service-c', 'SHARED_DENIAL_KEYS'));
    const others = Object.keys(environments.get('service-a') ?? {}).filter((name) =>
      name.endsWith('_SHARED_STATE_KEYS'),
    );
    expect(others).toEqual([]);
    for (const { name } of all) {
      expect(of(name, 'SHARED_STATE_URL')).toBe(`valkey://${name}@here`);
      expect(of(name, 'SHARED_ANSWERS_URL')).toBe(`valkey://${name}@here/1`);
      expect(JSON.stringify(environments.get(name)).match(/valkey:\/\/[\w-]+/g)).toEqual(
        Array(2).fill(`valkey://${name}`),
      );
    }
    const elsewhere = sharingEnvironment(all, { SHARED_STATE_URL: 'valkey://there' });
    expect([elsewhere['SHARED_STATE_URL'], elsewhere['SHARED_ANSWERS_URL']]).toEqual(['valkey://there', undefined]);
    expect(environmentOf({})['SHARED_DENIAL_KEYS']).not.toBe(given['SHARED_DENIAL_KEYS']);
  });

  it('restarts a replica that ended unexpectedly, until the stop signal comes', async () => {
    const stop = new AbortController();
    const said: string[] = [];
    let starts = 0;
    const replica = { name: 'service-b.2', end: Promise.resolve<number | string>('SIGKILL') };
    const start = () => {
      starts += 1;
      stop.abort(new Error('time to stop'));
      return { ...replica, end: Promise.resolve<number | string>(0) };
    };
    const kept = keepRunning(replica, start, { say: (line) => void said.push(line), signal: stop.signal });
    await expect(kept).rejects.toThrow('time to stop');
    expect([starts, said]).toEqual([1, ['service-b.2 ended unexpectedly (SIGKILL): starting it again']]);
    expect(await replica.end).toBe(0);
  });

  it('knows every service', () => {
    expect(all.map(({ name }) => name).toSorted()).toEqual(Object.keys(description.services).toSorted());
  });
});

describe('the revocation poller of npm start', () => {
  const keycloak = { baseUrl: 'http://k', issuer: 'http://k/realms/r', realm: 'r' };
  const TTL = 'INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS';
  const OF_THE_FEED = ['SIGNAL_SOURCES', 'SIGNAL_POLLER_CLIENT_SECRET', TTL];
  const given = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
    Object.fromEntries(
      all.map((service) => {
        const its = serviceEnvironment(service, { all, keycloak, environment });
        return [service.name, OF_THE_FEED.map((name) => its[name] ?? '').join(' ')];
      }),
    );

  const toEach = (its: string) => Object.fromEntries(all.map(({ name }) => [name, its]));
  const nobody = toEach('  ');

  it('is Service A if the services share no state', () => {
    const environment = feedEnvironment({ SIGNAL_SOURCES: '' }, 'embedded');
    expect(given(environment)).toEqual({ ...nobody, 'service-a': 'events p-secret 300' });
    expect(realmEnvironment(environment, 3000)('localhost')).toMatchObject({ SIGNALS_EVENTS: 'true' });
    expect(realmEnvironment({}, 3000)('localhost')).not.toHaveProperty('SIGNALS_EVENTS');
  });

  it('is one process for all replicas, and lets the replicas cache results for 300 seconds', () => {
    const environment = sharingEnvironment(
      all,
      feedEnvironment({}, 'embedded'),
      Object.fromEntries([...all, poller({})].map(({ name }) => [name, `valkey://${name}@here`])),
    );
    expect(given(withoutSources(environment))).toEqual(toEach('  300'));
    const its = pollerEnvironment(poller({}), { keycloak, environment });
    expect(its).toMatchObject({
      PORT: '3010',
      SIGNAL_SOURCES: 'events',
      SIGNAL_POLLER_CLIENT_SECRET: 'p-secret',
      SHARED_STATE_URL: 'valkey://signal-poller@here',
      SHARED_DENIAL_KEYS: environment['SHARED_DENIAL_KEYS'],
      SHARED_ANSWERS_URL: '',
      SIGNAL_PROOF_PRIVATE_KEY: environment['SIGNAL_PROOF_PRIVATE_KEY'],
      [TTL]: '300',
    });
    expect(Object.keys(its).filter((name) => /SECRET|KEYS/.test(name))).toEqual([
      'SHARED_DENIAL_KEYS',
      'SIGNAL_PROOF_PUBLIC_KEYS',
      'SIGNAL_POLLER_CLIENT_SECRET',
    ]);
  });

  it('gets the private key for proofs, while all services get only the public key (RS-30)', () => {
    const environment = sharingEnvironment(all, feedEnvironment({}, 'embedded'), {
      'signal-poller': 'valkey://here',
    });
    const { SIGNAL_PROOF_PRIVATE_KEY: privateKey = '', SIGNAL_PROOF_PUBLIC_KEYS: publicKeys } = environment;
    const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
    const own = createPublicKey(key as never).export({ type: 'spki', format: 'der' });
    expect(own.toString('base64')).toBe(publicKeys);
    for (const service of all) {
      const its = serviceEnvironment(service, { all, keycloak, environment: withoutSources(environment) });
      expect(its).toMatchObject({ SIGNAL_PROOF_PUBLIC_KEYS: publicKeys });
      expect(its).not.toHaveProperty('SIGNAL_PROOF_PRIVATE_KEY');
    }
  });

  it('gets a missing public key from the private key (RS-30)', () => {
    const { privateKey, publicKeys } = proofKeyPair();
    for (const key of [privateKey, pemBody(privateKey)]) {
      const { SIGNAL_PROOF_PUBLIC_KEYS: derived } = sharingEnvironment(all, { SIGNAL_PROOF_PRIVATE_KEY: key });
      expect(derived).toBe(pemBody(publicKeys));
    }
    const alone = sharingEnvironment(all, { SIGNAL_PROOF_PUBLIC_KEYS: publicKeys, SIGNAL_PROOF_PRIVATE_KEY: '' });
    expect(alone).toMatchObject({ SIGNAL_PROOF_PUBLIC_KEYS: publicKeys });
    expect(alone).not.toHaveProperty('SIGNAL_PROOF_PRIVATE_KEY');
    expect(() => sharingEnvironment(all, { SIGNAL_PROOF_PRIVATE_KEY: 'no-key' })).toThrow(
      'SIGNAL_PROOF_PRIVATE_KEY is not a private key',
    );
  });

  it('is off if SIGNAL_SOURCES is "none", and by default with an external server', () => {
    const elsewhere = feedEnvironment({}, 'https://sso.example.com');
    expect([given(elsewhere), hasSources(elsewhere)]).toEqual([nobody, false]);
    const silent = feedEnvironment({ SIGNAL_SOURCES: 'none' }, 'embedded');
    expect([given(silent), hasSources(silent)]).toEqual([{ ...nobody, 'service-a': 'none  ' }, false]);
    const asked = feedEnvironment({ SIGNAL_SOURCES: 'events', [TTL]: '60' }, 'https://sso.example.com');
    expect([given(asked)['service-a'], hasSources(asked)]).toEqual(['events p-secret 60', true]);
  });
});
