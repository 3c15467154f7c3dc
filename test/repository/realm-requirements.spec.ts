import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { realmCommand } from '../../libs/keycloak/spec-support/realm-command.js';
import { sharingEnvironment } from '../../scripts/start/replicas.mjs';
import { prefixOf } from '../../scripts/start/services.mjs';
import description from '../../services.json' with { type: 'json' };

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const rootOf = (service: string): string[] => ['--module', `${at(`apps/${service}/src/${service}.module.ts`)}#root`];

const REALM = ['--permissions', at('keycloak/keycloak-permissions.json'), '--realm-file'];
const DEMO_REALM = [...REALM, at('keycloak/microservices-realm.json')];

const SERVICES = Object.keys(description.services);
const POLLER = description.poller.name;

/** An unpublished secret, because the services refuse published secrets outside of demo mode. */
const ENVIRONMENT = {
  NODE_ENV: 'development',
  KEYCLOAK_BASE_URL: 'http://localhost:8080',
  KEYCLOAK_REALM: 'microservices',
  PUBLIC_URL: 'http://localhost:3000',
  ...Object.fromEntries(
    [...SERVICES, POLLER].map(prefixOf).flatMap((prefix) => [
      [`${prefix}_URL`, 'http://localhost:4711'],
      [`${prefix}_CLIENT_SECRET`, 'the-secret-of-this-spec'],
      [`${prefix}_SESSION_SECRET`, 'the-secret-of-the-sessions-of-this-spec'],
    ]),
  ),
};

const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

describe('keycloak/microservices-realm.json', () => {
  it('gives exactly the rights that the services need in demo mode', async () => {
    Object.assign(process.env, ENVIRONMENT, { DEMO_MODE: 'true' });
    const { exitCode, printed, failed } = await realmCommand(['check', ...SERVICES.flatMap(rootOf), ...DEMO_REALM]);
    expect(failed).toBe('');
    expect(printed).toContain('✓ permission      attacks.exchange is as required.');
    expect(printed).toMatch(/\n0 errors, 0 warnings, /);
    expect(exitCode).toBe(0);
  });

  it('gives the rights that the services need without demo mode', async () => {
    Object.assign(process.env, ENVIRONMENT);
    const { exitCode, printed, failed } = await realmCommand(['check', ...SERVICES.flatMap(rootOf), ...DEMO_REALM]);
    expect(failed).toBe('');
    expect(printed).not.toContain('attacks.exchange is as required');
    expect(printed).toMatch(/not need: attacks\.exchange, attacks\.replay, attacks\.run, signal-poller\.health\./);
    expect(printed).toMatch(/\n0 errors, 0 warnings, /);
    expect(exitCode).toBe(0);
  });

  it('gives exactly the rights that the signal poller needs', async () => {
    const sharing = sharingEnvironment([], {});
    Object.assign(process.env, ENVIRONMENT, sharing, { SHARED_STATE_URL: 'redis://127.0.0.1:9' });
    const { exitCode, printed, failed } = await realmCommand(['check', ...rootOf(POLLER), ...DEMO_REALM]);
    expect(failed).toBe('');
    expect(printed).toContain('signal-poller.health is as required.');
    expect(printed).toMatch(/\n0 errors, 0 warnings, /);
    expect(exitCode).toBe(0);
  });
});

describe('the realm of the quick start', () => {
  const example = (file: string): string => at(`examples/quick-start/${file}`);
  const SOURCE = [
    ...['orders', 'inventory'].flatMap((name) => ['--module', `${example('src/realm-plan.ts')}#${name}`]),
    '--permissions',
    example('keycloak-permissions.json'),
  ];

  it('gives exactly the rights that the services need', async () => {
    const { exitCode, printed } = await realmCommand(['check', ...SOURCE, '--realm-file', example('realm.json')]);
    expect(printed).toMatch(/\n0 errors, 0 warnings, 0 notes\.\n$/);
    expect(exitCode).toBe(0);
  });

  it('is described by realm-requirements.json', async () => {
    const { exitCode, printed } = await realmCommand([
      'plan',
      ...SOURCE,
      '--check',
      example('realm-requirements.json'),
    ]);
    expect(printed).toMatch(/realm-requirements\.json is what the code needs\.\n$/);
    expect(exitCode).toBe(0);
  });
});
