import { afterEach, describe, expect, it } from '@jest/globals';
import type { StartKeycloakOptions } from './real/start-keycloak.js';
import { KeycloakUnavailableError } from './real/keycloak-unavailable-error.js';
import type { RunningServer } from './running-server.js';
import { startAvailableServer } from './start-available-server.js';
import { allSecrets, REALM_FILE } from '../spec-support/test-realm.js';

describe('the choice "available" on a machine without a Keycloak', () => {
  let started: RunningServer | undefined;
  let asked: StartKeycloakOptions | undefined;
  let progress: string[] = [];
  afterEach(async () => {
    await started?.stop();
    [started, asked, progress] = [undefined, undefined, []];
  });

  const start = async (failure?: Error): Promise<RunningServer> => {
    const onProgress = (line: string): void => void progress.push(line);
    const options = { realm: REALM_FILE, environment: allSecrets('x'), onProgress };
    started = await startAvailableServer(options, async (given): Promise<never> => {
      asked = given;
      throw failure ?? new KeycloakUnavailableError('26.7.4', ['Docker: none', 'Java: none']);
    });
    return started;
  };

  it('starts the embedded server, and reports what is missing', async () => {
    const { kind, fallbackReason } = await start();
    expect(kind).toBe('embedded');
    expect(fallbackReason).toMatch(/^[^\n]*Docker: none; Java: none[^\n]*embedded[^\n]*admin console[^\n]*$/);
    expect(progress).toContain(fallbackReason);
  });

  it('limits the time for a download', async () => {
    await start();
    expect(asked?.fetchTimeoutSeconds).toBeLessThanOrEqual(180);
  });

  it('fails if the started Keycloak ends too early', async () => {
    await expect(start(new Error('ended before it was ready'))).rejects.toThrow('ended before');
  });

  it.each(['production', 'staging'])('does not fall back to the embedded server with NODE_ENV=%s', async (nodeEnv) => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = nodeEnv;
    try {
      await expect(start()).rejects.toThrow(/Java: none[^]*NODE_ENV/);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('starts a real Keycloak if Keycloak is available', async () => {
    const real = { kind: 'docker' } as Awaited<ReturnType<typeof import('./real/start-keycloak.js').startKeycloak>>;
    expect(await startAvailableServer({ realm: REALM_FILE }, async () => real)).toBe(real);
  });
});
