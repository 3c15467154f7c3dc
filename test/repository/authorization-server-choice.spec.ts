/** `--authorization-server` of `npm start` and `npm test`: what is chosen, and what happens where it can't be had. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { KeycloakUnavailableError, startAuthorizationServer, type RunningServer } from 'keycloak-test-servers';
import { REALM_ENVIRONMENT } from '../../libs/keycloak-test-servers/contract/demo-realm.js';

interface Choice {
  readonly kind: string | undefined;
  readonly by: string | undefined;
  readonly baseUrl?: string;
}
type Environment = Readonly<Record<string, string>>;
interface Script {
  chooseServer(option: string | undefined, by: { variable: string; environment: Environment }): Choice;
  startServer(choice: Choice, options: object): Promise<RunningServer & { readonly standsIn?: string }>;
  nameOf(server: object): string;
}

const VARIABLE = 'KEYCLOAK_BASE_URL';
let script: Script;
beforeAll(async () => {
  script = (await import(new URL('../../scripts/authorization-server.mjs', import.meta.url).href)) as Script;
});

const choose = (option?: string, environment: Environment = {}): Choice =>
  script.chooseServer(option, { variable: VARIABLE, environment });

describe('the choice', () => {
  it.each(['embedded', 'keycloak', 'docker', 'distribution'])('is %s', (kind) => {
    expect(choose(kind)).toMatchObject({ kind });
  });

  it('is a URL, from the option or from the variable', () => {
    const external = { kind: 'external', baseUrl: 'http://localhost:8180' };
    expect(choose('http://localhost:8180/')).toEqual({ ...external, by: '--authorization-server' });
    expect(choose(undefined, { [VARIABLE]: 'http://localhost:8180/' })).toEqual({ ...external, by: VARIABLE });
  });

  it("is the option's, whatever the variable says", () => {
    expect(choose('embedded', { [VARIABLE]: 'http://localhost:8180' })).toMatchObject({ kind: 'embedded' });
  });

  it('is that of AUTHORIZATION_SERVER where the option says nothing', () => {
    const environment = { AUTHORIZATION_SERVER: 'docker', [VARIABLE]: 'http://localhost:8180' };
    expect(choose(undefined, environment)).toEqual({ kind: 'docker', by: 'AUTHORIZATION_SERVER=docker' });
    expect(choose('embedded', environment)).toMatchObject({ kind: 'embedded' });
    expect(() => choose(undefined, { AUTHORIZATION_SERVER: 'podman' })).toThrow(/^AUTHORIZATION_SERVER is one of/);
  });

  it.each([{}, { [VARIABLE]: '', AUTHORIZATION_SERVER: '' }])(
    "is this machine's where neither says anything (%j)",
    (environment) => {
      expect(choose(undefined, environment)).toEqual({ kind: undefined, by: undefined });
    },
  );

  it.each(['', 'podman', 'localhost:8080', 'ftp://localhost', 'https://'])(
    'is no %j: the error names the values',
    (option) => {
      expect(() => choose(option)).toThrow(/embedded, keycloak, docker, distribution .*URL/);
    },
  );
});

describe('the start', () => {
  let started: RunningServer | undefined;
  let asked: { readonly using?: string; readonly fetchTimeoutSeconds?: number } | undefined;
  afterEach(async () => {
    await started?.stop();
    [started, asked] = [undefined, undefined];
  });

  /** On a machine that has no Keycloak. */
  const start = async (choice: Choice, fallBack = true, failure?: Error) => {
    const startKeycloak = async (options: NonNullable<typeof asked>): Promise<never> => {
      asked = options;
      throw failure ?? new KeycloakUnavailableError('26.7.4', ['Docker: none', 'Java: none']);
    };
    const server = await script.startServer(choice, {
      realm: 'microservices',
      realmEnvironment: REALM_ENVIRONMENT,
      fallBack,
      say: () => undefined,
      signal: new AbortController().signal,
      loadTesting: async () => ({ startAuthorizationServer, startKeycloak }),
    });
    started = server;
    return server;
  };

  it('falls back on the embedded one, and says why and what is missed', async () => {
    const { kind, standsIn } = await start(choose());
    expect(kind).toBe('embedded');
    expect(standsIn).toMatch(/^[^\n]*Docker: none; Java: none[^\n]*embedded[^\n]*admin console[^\n]*$/);
  });

  it('does not wait long for a download where it can fall back, and as long as ever where it cannot', async () => {
    await start(choose());
    expect(asked?.fetchTimeoutSeconds).toBeLessThanOrEqual(180);
    await expect(start(choose(), false)).rejects.toThrow(KeycloakUnavailableError);
    expect(asked?.fetchTimeoutSeconds).toBeUndefined();
  });

  it.each(['keycloak', 'docker', 'distribution'])('never falls back from %s, chosen by hand', async (kind) => {
    await expect(start(choose(kind))).rejects.toThrow(new RegExp(`--authorization-server=${kind}: .*cannot be run`));
    expect(asked?.using).toBe(kind === 'keycloak' ? undefined : kind);
  });

  it('does not fall back from a Keycloak that was there and failed', async () => {
    await expect(start(choose(), true, new Error('ended before it was ready'))).rejects.toThrow('ended before');
  });

  it.each(['production', 'staging'])('is not that of the embedded one with NODE_ENV=%s', async (nodeEnv) => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = nodeEnv;
    try {
      await expect(start(choose())).rejects.toThrow(/Java: none[^]*NODE_ENV/);
      await expect(start(choose('embedded'))).rejects.toThrow(/^--authorization-server=embedded: NODE_ENV/);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('takes the embedded one that was chosen, without looking for another', async () => {
    const server = await start(choose('embedded'));
    expect(server).toMatchObject({ kind: 'embedded', realm: 'microservices' });
    expect(server.standsIn).toBeUndefined();
    expect(asked).toBeUndefined();
    expect(script.nameOf(server)).toContain('embedded');
  });

  it('takes the issuer of one that runs already', async () => {
    const running = await startAuthorizationServer({
      realm: 'keycloak/microservices-realm.json',
      environment: REALM_ENVIRONMENT,
    });
    try {
      expect(await start(choose(running.baseUrl))).toMatchObject({ kind: 'external', issuer: running.issuer });
    } finally {
      await running.stop();
    }
  });

  it('refuses a URL at which there is no such realm', async () => {
    const other = createServer((_, response) => void response.writeHead(404).end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const url = `http://localhost:${(other.address() as AddressInfo).port}`;
    await expect(start(choose(url))).rejects.toThrow(/no keycloak with the realm microservices .*it answered 404/i);
    await new Promise((resolve) => other.close(resolve));
  });
});
