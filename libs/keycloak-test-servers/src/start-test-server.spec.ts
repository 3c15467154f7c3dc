import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerChoice } from './server-choice.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import { startTestServer } from './start-test-server.js';
import { allSecrets, REALM_FILE } from '../spec-support/test-realm.js';

const OPTIONS = { realm: REALM_FILE, environment: allSecrets('x') };

const before = process.env['AUTHORIZATION_SERVER'];
beforeEach(() => {
  delete process.env['AUTHORIZATION_SERVER'];
});
afterAll(() => {
  if (before !== undefined) process.env['AUTHORIZATION_SERVER'] = before;
});

describe('startTestServer', () => {
  it.each<[string, string | undefined, ServerChoice | undefined]>([
    ['there is no choice', undefined, undefined],
    ['the variable is empty', '', undefined],
    ['the variable chooses it', 'embedded', undefined],
    ['the caller chooses it, whatever the variable says', 'docker', 'embedded'],
  ])('starts the embedded server when %s', async (_, variable, choice) => {
    if (variable !== undefined) process.env['AUTHORIZATION_SERVER'] = variable;
    const server = await startTestServer(OPTIONS, choice);
    try {
      expect(server).toMatchObject({ kind: 'embedded', realm: 'microservices', adminUsername: 'admin' });
      const discovery = await fetch(`${server.issuer}/.well-known/openid-configuration`);
      expect(await discovery.json()).toMatchObject({ issuer: server.issuer });
    } finally {
      await server.stop();
    }
  });

  it('uses a new port each time', async () => {
    const servers = await Promise.all([startTestServer(OPTIONS), startTestServer(OPTIONS)]);
    expect(new Set(servers.map(({ baseUrl }) => baseUrl)).size).toBe(2);
    for (const server of servers) await server.stop();
  });

  it('refuses an invalid choice, and lists the valid choices', async () => {
    process.env['AUTHORIZATION_SERVER'] = 'podman';
    await expect(startTestServer(OPTIONS)).rejects.toThrow(
      'AUTHORIZATION_SERVER is "podman"; it must be one of embedded, keycloak, docker, distribution, available',
    );
    await expect(startTestServer(OPTIONS, 'toString' as ServerChoice)).rejects.toThrow(RangeError);
  });

  it('names the choice in the error if Keycloak is unavailable', async () => {
    process.env['AUTHORIZATION_SERVER'] = 'docker';
    const host = process.env['DOCKER_HOST'];
    process.env['DOCKER_HOST'] = 'tcp://127.0.0.1:9';
    try {
      const failure = startTestServer(OPTIONS);
      await expect(failure).rejects.toThrow(
        /^AUTHORIZATION_SERVER=docker: Keycloak \S+ cannot be run on this machine:/,
      );
      await expect(failure).rejects.toBeInstanceOf(KeycloakUnavailableError);
    } finally {
      if (host === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = host;
    }
  });

  it('does not start the embedded server in production, even if the choice is embedded', async () => {
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(startTestServer(OPTIONS, 'embedded')).rejects.toThrow(/^NODE_ENV is "production"/);
    } finally {
      process.env['NODE_ENV'] = 'test';
    }
  });

  it.each(['keycloak', 'docker', 'distribution', 'available'] as const)(
    'does not fall back if %s fails',
    async (choice) => {
      const aborted = AbortSignal.abort(new Error('the caller aborted the start'));
      await expect(startTestServer({ ...OPTIONS, signal: aborted }, choice)).rejects.toThrow(
        'the caller aborted the start',
      );
      await expect(startTestServer({ ...OPTIONS, realm: '/no/such/realm.json' }, choice)).rejects.toThrow(/realm/);
    },
  );
});
