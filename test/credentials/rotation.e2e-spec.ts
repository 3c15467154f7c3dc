import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { privateKeyJwt, type PublicJwks } from 'nestjs-keycloak-s2s/client-authentication';
import { Administrator } from '../../libs/keycloak-test-servers/contract/administrator.js';
import { Browser } from '../../libs/keycloak-test-servers/contract/browser.js';
import {
  prefixOf,
  publicUrl,
  REALM,
  startEmbeddedServer,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { logInAt } from '../support/login-at.js';
import { unchanged, withRealm } from '../support/realm-copy.js';
import { RunningServices, type ServerAddress } from '../support/running-services.js';
import { type Variables } from '../support/running-service.js';
import { OK, underSteadyLoad } from '../support/steady-load.js';

const CLIENTS = ['service-a', 'service-b', 'service-c'] as const;
type Client = (typeof CLIENTS)[number];

interface RealmUnderTest extends ServerAddress {
  readonly administrator: Administrator;
}

type WithRealm = (use: (realm: RealmUnderTest) => Promise<void>) => Promise<void>;

const onEmbedded: WithRealm = async (use) => {
  const server = await startEmbeddedServer();
  try {
    await use({ ...server, administrator: new Administrator(server.baseUrl, REALM) });
  } finally {
    await server.stop();
  }
};

const onKeycloak: WithRealm = (use) => withRealm(unchanged, use);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotation-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (client: Client, what: string): string => join(folder, `${client}-${what}`);

/** Replaces the file atomically, so that no service reads an incomplete file. */
function write(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const variablesOf = (client: Client, variable: string, file: string): Variables => ({
  [`${prefixOf(client)}_CLIENT_SECRET`]: '',
  [`${prefixOf(client)}_${variable}`]: file,
});

const newKey = (): string =>
  String(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }));

async function pathOf(administrator: Administrator, client: Client): Promise<string> {
  const [found] = await administrator.read<{ readonly id: string }[]>(`/clients?clientId=${client}`);
  return `/clients/${found?.id}`;
}

async function regenerate(administrator: Administrator, client: Client): Promise<string> {
  const response = await administrator.ask('POST', `${await pathOf(administrator, client)}/client-secret`);
  return ((await response.json()) as { readonly value: string }).value;
}

const publicKeysIn = (keyFile: string): Promise<PublicJwks> => privateKeyJwt({ keyFile }).publicKeys();

async function publish(administrator: Administrator, client: Client, keys: PublicJwks): Promise<void> {
  const path = await pathOf(administrator, client);
  const representation = await administrator.read<{ readonly attributes: object }>(path);
  const attributes = {
    ...representation.attributes,
    'use.jwks.string': 'true',
    'jwks.string': JSON.stringify(keys),
    'token.endpoint.auth.signing.alg': 'RS256',
  };
  await administrator.change('PUT', path, { ...representation, clientAuthenticatorType: 'client-jwt', attributes });
}

/** A higher rate would overload a Keycloak that has just started. */
const PER_SECOND = 10;

async function failuresOf(services: RunningServices, change: () => Promise<void>): Promise<readonly unknown[]> {
  const send = async (): Promise<string> => {
    const response = await fetch(`${services.a.url}/run-service-b`);
    const text = await response.text();
    return response.status === 200 ? OK : `${response.status} ${text}`;
  };
  expect(await send()).toBe(OK);
  const { made, failures } = await underSteadyLoad({ perSecond: PER_SECOND, send }, change);
  expect(made).toBeGreaterThan(PER_SECOND);
  return failures;
}

const servers: [string, WithRealm][] = [['the embedded server', onEmbedded]];
if (testServer().kind !== 'embedded') servers.push(['Keycloak', onKeycloak]);

describe.each(servers)('credentials of services that use %s', (_, withARealm) => {
  it('can be replaced by new secrets without a failed request, even if Keycloak is updated before the files (CC-08)', async () => {
    await withARealm(async ({ administrator, ...server }) => {
      const secrets = new Map<Client, string>();
      const all: string[] = [];
      for (const client of CLIENTS) secrets.set(client, await regenerate(administrator, client));
      const own = Object.fromEntries(
        CLIENTS.map((client) => {
          write(fileOf(client, 'secret'), `${secrets.get(client)}\n`);
          return [client, variablesOf(client, 'CLIENT_SECRET_FILE', fileOf(client, 'secret'))];
        }),
      );
      const services = await RunningServices.start({ server, own });
      try {
        const failures = await failuresOf(services, async () => {
          for (const client of [...CLIENTS, ...CLIENTS]) {
            const secret = await regenerate(administrator, client);
            all.push(secret);
            await sleep(50);
            write(fileOf(client, 'secret'), secret);
            await sleep(300);
          }
        });
        expect(failures).toEqual([]);
        expect(services.printed()).toContain('The client credential was replaced');
        for (const secret of all) expect(services.printed()).not.toContain(secret);
      } finally {
        await services.stop();
      }
    });
  });

  it('can be replaced by new private keys without a failed request, even if keys do not overlap (CC-08)', async () => {
    await withARealm(async ({ administrator, ...server }) => {
      const keys = new Map<Client, string>();
      // Keycloak must know the public key before the service signs with the private key.
      const set = async (client: Client, text: string): Promise<void> => {
        write(fileOf(client, 'next-key'), text);
        await publish(administrator, client, await publicKeysIn(fileOf(client, 'next-key')));
        write(fileOf(client, 'key'), text);
      };
      for (const client of CLIENTS) {
        keys.set(client, newKey());
        await set(client, keys.get(client) ?? '');
      }
      const own = Object.fromEntries(
        CLIENTS.map((client) => [client, variablesOf(client, 'CLIENT_KEY_FILE', fileOf(client, 'key'))]),
      );
      const services = await RunningServices.start({ server, own });
      try {
        const jwks = await fetch(`${services.b.url}/.well-known/jwks.json`);
        expect(await jwks.json()).toEqual(await publicKeysIn(fileOf('service-b', 'key')));
        const failures = await failuresOf(services, async () => {
          for (const client of CLIENTS) {
            const [old, next] = [keys.get(client) ?? '', newKey()];
            await set(client, old + next);
            write(fileOf(client, 'key'), next + old);
            keys.set(client, next);
          }
          await sleep(500);
          for (const client of CLIENTS) await set(client, newKey());
          await sleep(500);
        });
        expect(failures).toEqual([]);
      } finally {
        await services.stop();
      }
    });
  });
});

describe('a login at Service A', () => {
  it('succeeds after the client secret is replaced, and an existing session continues (CC-08)', async () => {
    await onEmbedded(async ({ administrator, baseUrl, issuer }) => {
      const file = fileOf('service-a', 'login-secret');
      write(file, await regenerate(administrator, 'service-a'));
      const own = { 'service-a': variablesOf('service-a', 'CLIENT_SECRET_FILE', file) };
      const services = await RunningServices.start({
        server: { baseUrl, issuer },
        own,
        direct: true,
        variables: { PUBLIC_URL: publicUrl },
      });
      try {
        const browser = new Browser();
        expect((await logInAt(services.a.url, browser, 'alice')).status).toBe(303);
        write(file, await regenerate(administrator, 'service-a'));
        expect((await logInAt(services.a.url, new Browser(), 'bob')).status).toBe(303);
        const chain = await browser.send(`${services.a.url}/run-service-b`);
        expect(chain.status).toBe(200);
      } finally {
        await services.stop();
      }
    });
  });
});
