import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { isForBrowsers } from '../../scripts/common/processes.mjs';
import { sharingEnvironment } from '../../scripts/start/replicas.mjs';
import { services as servicesOf, servicesAsked, sharedPorts } from '../../scripts/start/services.mjs';
import { readServiceSettings } from '../../libs/service-defaults/src/service-settings.js';
import description from '../../services.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly port: number;
  readonly demoSecret: string;
  readonly calls: readonly string[];
  readonly attacks?: readonly string[];
  readonly isAlso?: readonly string[];
  readonly signals?: boolean;
}

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly build?: { readonly args: { readonly SERVICE: string } };
        readonly environment?: Readonly<Record<string, unknown>>;
        readonly ports: readonly string[];
        readonly depends_on: object;
      }
    >
  >;
}

const services: [string, Service][] = Object.entries(description.services);
const { poller } = description;
const portOf = new Map(services.map(([name, { port }]) => [name, port]));
const clients = Object.entries({ ...description.services, ...description.otherClients });
const composeFile = read('docker-compose.yml');
const compose = parse(composeFile, { merge: true }) as Compose;
const prefixOf = (client: string): string => client.toUpperCase().replaceAll('-', '_');
const secretVariable = (client: string): string => `${prefixOf(client)}_CLIENT_SECRET`;

describe('npm start', () => {
  const all = servicesOf({});
  const names = all.map(({ name }) => name);

  it.each([
    [undefined, names],
    ['service-b', ['service-b']],
    ['service-a,service-c', names.filter((name) => name === 'service-a' || name === 'service-c')],
    ['none', []],
  ])('with --only=%s starts these services: %j', (only, started) => {
    expect(servicesAsked(all, only).map(({ name }) => name)).toEqual(started);
  });

  it('lists the services if --only names an unknown service', () => {
    for (const [only, shown] of [
      ['service-z', 'service-z'],
      ['', 'nothing'],
    ] as const) {
      expect(() => servicesAsked(all, only)).toThrow(
        `--only must be none or a list of ${names.join(', ')}, not ${shown}.`,
      );
    }
  });

  it('names services with the same port, and the variables that set the ports', () => {
    const needed = [
      { who: 'service-c', variable: 'SERVICE_C_PORT', port: 3002 },
      { who: 'service-b', variable: 'SERVICE_B_PORT', port: 3000 },
      { who: 'service-a', variable: 'SERVICE_A_PORT', port: 3000 },
    ];
    expect(sharedPorts(needed)).toEqual([
      "service-b and service-a can't both have port 3000: set SERVICE_B_PORT or SERVICE_A_PORT.",
    ]);
    expect(sharedPorts(needed.slice(0, 2))).toEqual([]);
  });

  it('recognizes ports that browsers refuse', async () => {
    const ports = [6000, 6666, 10_080, 5999, 6001];
    await expect(Promise.all(ports.map(isForBrowsers))).resolves.toEqual([false, false, false, true, true]);
  });
});

describe('the description of all services in services.json', () => {
  it('lists every service and the poller with a separate port and a separate demo secret', () => {
    const names = [...services.map(([name]) => name), poller.name];
    expect(names.toSorted()).toEqual(readdirSync(join(root, 'apps')).toSorted());
    expect(new Set([...portOf.values(), poller.port]).size).toBe(names.length);
    expect(description.otherClients).toHaveProperty(poller.name);
    expect(new Set(clients.map(([, { demoSecret }]) => demoSecret)).size).toBe(clients.length);
  });

  it('lists the confidential clients of the realm', () => {
    const realm = JSON.parse(read('keycloak/microservices-realm.json')) as {
      readonly clients: readonly { readonly clientId: string; readonly publicClient?: boolean }[];
    };
    const confidential = realm.clients.filter(({ publicClient }) => publicClient !== true);
    expect(confidential.map(({ clientId }) => clientId).toSorted()).toEqual(clients.map(([name]) => name).toSorted());
  });

  it('contains the same name and port of the poller as the code of the poller', () => {
    const code = read(join('apps', poller.name, 'src/config.ts'));
    expect(code).toContain(`{ name: '${poller.name}', port: ${poller.port}, calls: {}, signals: 'own' }`);
  });

  it.each(services)('contains the same value of `signals` as the code of %s', (name, { signals = false }) => {
    const code = read(
      join(
        'apps',
        name,
        'src',
        `${existsSync(join(root, 'apps', name, 'src/config.ts')) ? 'config' : `${name}.module`}.ts`,
      ),
    );
    expect(code.includes("signals: 'shared'")).toBe(signals);
  });

  it.each(services)(
    'has the name, the port and the called services that the code of %s has',
    (name, { port, calls }) => {
      const files = ['config.ts', `${name}.module.ts`].map((file) => join('apps', name, 'src', file));
      const code = files
        .filter((file) => existsSync(join(root, file)))
        .map(read)
        .join('\n');
      const [, own, portInCode, callsInCode = ''] =
        /serviceConfig\(\{\s*name: '([^']+)',\s*port: (\d+),\s*calls: \{((?:[^{}]|\{[^}]*\})*)\}/.exec(code) ?? [];
      expect([own, Number(portInCode)]).toEqual([name, port]);
      expect([...callsInCode.matchAll(/'([^']+)': \{/g)].map(([, called]) => called)).toEqual(calls);
    },
  );
});

describe('docker-compose.yml', () => {
  it('has the services, and gives Keycloak the secret of each client', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual(
      ['demo-client', 'grafana', 'keycloak', 'prometheus', poller.name, ...portOf.keys()].toSorted(),
    );
    for (const [client, { demoSecret }] of clients) {
      const variable = secretVariable(client);
      expect(compose.services['keycloak']?.environment?.[variable]).toBe(`\${${variable}:-${demoSecret}}`);
    }
  });

  it.each(services)('gives %s a port, a secret and the URLs of the called services', (name, service) => {
    const { port, demoSecret, calls, attacks = [], isAlso = [] } = service;
    const { build, environment, ports, depends_on: after } = compose.services[name] ?? {};
    expect(build?.args.SERVICE).toBe(name);
    expect(environment).toMatchObject({
      PORT: port,
      [secretVariable(name)]: `\${${secretVariable(name)}:-${demoSecret}}`,
      SHARED_STATE_KEYS: `\${${prefixOf(name)}_SHARED_STATE_KEYS:-}`,
      RESOURCE_URL: `\${${prefixOf(name)}_RESOURCE_URL:-}`,
    });
    const urls = Object.entries(environment ?? {}).filter(([variable]) => /^SERVICE_.*_URL$/.test(variable));
    const known = [...calls, ...attacks].map((other) => [
      `${prefixOf(other)}_URL`,
      `http://${other}:${portOf.get(other)}`,
    ]);
    expect(Object.fromEntries(urls)).toEqual(Object.fromEntries(known));
    expect(ports).toEqual([`127.0.0.1:\${${prefixOf(name)}_PORT:-${port}}:${port}`]);
    const added = isAlso.filter((client) => client in description.addedClients).map(() => 'demo-client');
    expect(Object.keys(after ?? {}).toSorted()).toEqual(['keycloak', ...calls, ...added].toSorted());
  });

  it('lets Service A poll for revocations by default, and lets Keycloak save and send events', () => {
    const feed = {
      SIGNAL_SOURCES: '${SIGNAL_SOURCES:-events}',
      SIGNALS_POLL_SECONDS: '${SIGNALS_POLL_SECONDS:-}',
      SIGNAL_POLLER_CLIENT_SECRET: '${SIGNAL_POLLER_CLIENT_SECRET:-p-secret}',
    };
    const listens = ([, { environment = {} }]: [string, Compose['services'][string]]): boolean =>
      Object.keys(feed).some((name) => name !== 'SIGNAL_POLLER_CLIENT_SECRET' && name in environment);
    const listening = Object.entries(compose.services).filter(listens);
    expect(listening.map(([name]) => name).toSorted()).toEqual(['service-a', poller.name]);
    for (const [, { environment }] of listening) expect(environment).toMatchObject(feed);
    expect(compose.services[poller.name]).toMatchObject({
      profiles: ['replicas'],
      build: { args: { SERVICE: poller.name } },
      environment: { PORT: poller.port },
    });
    expect(compose.services[poller.name]).not.toHaveProperty('ports');
    expect(compose.services['keycloak']).toMatchObject({
      command: ['start-dev', '--import-realm', '--features=ssf'],
      environment: { SIGNALS_EVENTS: '${SIGNALS_EVENTS:-true}', SIGNALS_SSF: '${SIGNALS_SSF:-true}' },
    });
  });

  it('allows no login at Grafana', () => {
    expect(compose.services['grafana']?.environment).toMatchObject({
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
      GF_USERS_ALLOW_SIGN_UP: 'false',
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
    });
    expect(composeFile).not.toMatch(/GF_SECURITY_ADMIN_(USER|PASSWORD)/);
  });

  it('adds clients outside the realm file, and gives each secret to the services that use the client', () => {
    const added = Object.entries(description.addedClients);
    expect(added).not.toEqual([]);
    for (const [client, { demoSecret }] of added) {
      const secret = { [secretVariable(client)]: `\${${secretVariable(client)}:-${demoSecret}}` };
      const holders = services.filter(([, { isAlso = [] }]) => isAlso.includes(client)).map(([name]) => name);
      const having = Object.entries(compose.services).filter(
        ([, { environment = {} }]) => secretVariable(client) in environment,
      );
      expect(having.map(([name]) => name).toSorted()).toEqual(['demo-client', ...holders].toSorted());
      for (const [, { environment }] of having) expect(environment).toMatchObject(secret);
    }
  });
});

const OF_A_SERVICE =
  /^(?:INTROSPECTION_TTL_SECONDS|SHUTDOWN_DELAY_SECONDS|SESSION_(?:IDLE|MAX)_SECONDS|MAX_SESSIONS|LOGIN_ACR_VALUES|TOKEN_VERIFICATION)/;
const LOGIN_SERVICE = { name: 'service-a', port: 3000, calls: {}, login: true } as const;

describe('.env.example', () => {
  const defaults = new Map([...composeFile.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name, value]) => [name, value]));
  const shown = [...read('.env.example').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]);

  it('shows the default values of the compose file', () => {
    expect(shown.length).toBeGreaterThan(8);
    expect(shown).toEqual(shown.map(([name]) => [name, defaults.get(name)]));
  });

  it('shows the values that a service has by default in development', () => {
    const needed = { ...Object.fromEntries(shown), NODE_ENV: 'development', DEMO_MODE: 'true', KEYCLOAK_REALM: 'shop' };
    const given: NodeJS.ProcessEnv = { ...needed, KEYCLOAK_BASE_URL: 'http://localhost:8080', SHARED_STATE_URL: '' };
    const set = Object.fromEntries(Object.entries(given).filter(([name]) => !OF_A_SERVICE.test(name)));
    const { login, shutdownDelaySeconds, keycloak } = readServiceSettings(given, LOGIN_SERVICE);
    const { introspectionTtlSeconds } = keycloak as { introspectionTtlSeconds?: number };
    const own = readServiceSettings(set, LOGIN_SERVICE);
    expect({ login, shutdownDelaySeconds }).toEqual({
      login: own.login,
      shutdownDelaySeconds: own.shutdownDelaySeconds,
    });
    expect(own.keycloak).toMatchObject({ introspectionTtlSeconds });
  });

  it('leaves the shutdown delay to npm start, which sets 2 seconds for replicas', () => {
    const environment = Object.fromEntries(shown) as NodeJS.ProcessEnv;
    expect(sharingEnvironment([], environment)).toMatchObject({
      SHUTDOWN_DELAY_SECONDS: '2',
    });
  });

  it('shows every variable of the compose file, with Service A as the example', () => {
    const ofEach = [...portOf.keys()].flatMap((name) => [
      secretVariable(name),
      `${prefixOf(name)}_PORT`,
      `${prefixOf(name)}_SHARED_STATE_KEYS`,
      `${prefixOf(name)}_RESOURCE_URL`,
    ]);
    const asked = [...defaults.keys()].filter((name = '') => name.startsWith('SERVICE_A_') || !ofEach.includes(name));
    expect(shown.map(([name]) => name).toSorted()).toEqual(asked.toSorted());
  });
});

describe('tsconfig.json', () => {
  it('refers to every package, because tsc -b checks only referenced packages', () => {
    const paths = ['libs/*/tsconfig.lib.json', 'apps/*/tsconfig.app.json'].flatMap((pattern) => {
      const [top = '', , file = ''] = pattern.split('/');
      return readdirSync(join(root, top)).map((name) => `${top}/${name}/${file}`);
    });
    const referred = (file: string) =>
      (JSON.parse(read(file)) as { references: readonly { path: string }[] }).references.map(({ path }) => path);
    for (const file of ['tsconfig.json', 'tsconfig.spec.json'])
      expect([file, ...referred(file).toSorted()]).toEqual([file, ...paths.toSorted()]);
  });
});
