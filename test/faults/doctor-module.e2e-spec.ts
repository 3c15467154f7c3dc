import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { sharingEnvironment } from '../../scripts/start/replicas.mjs';
import { poller } from '../../scripts/start/services.mjs';
import { pollerEnvironment } from '../../scripts/start/signals.mjs';
import { SECRETS, realmOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startSignalsRealm } from '../support/signals-realm.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const POLLER = 'signal-poller';
const DOCTOR = [
  at('libs/keycloak/dist/cli/cli.js'),
  'doctor',
  '--module',
  at(`apps/${POLLER}/dist/${POLLER}.module.js`),
];

interface Ran {
  readonly exitCode: number;
  readonly printed: string;
}

/** Runs doctor with a Valkey address at which no server runs, so doctor reports one error. */
async function doctor({ baseUrl, issuer }: ContractServer): Promise<Ran> {
  const keycloak = { baseUrl, issuer, realm: realmOf(issuer) };
  const described = poller({});
  const environment = sharingEnvironment(
    [described],
    { PATH: process.env['PATH'] },
    {
      [described.name]: 'redis://127.0.0.1:9',
    },
  );
  const child = spawn(process.execPath, [...DOCTOR], { env: pollerEnvironment(described, { keycloak, environment }) });
  const [printed, errors, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  for (const output of [printed, errors]) {
    expect(output).not.toContain(SECRETS[POLLER]);
    expect(output).not.toContain('eyJ');
  }
  return { exitCode, printed };
}

describe('the command doctor for a module with a signal feed', () => {
  it('checks whether the feed works, and says how to correct a faulty feed', async () => {
    const server = await startSignalsRealm();
    try {
      const well = await doctor(server);
      expect(well.printed).toContain(`keycloak_events: revocations would be received, by the client ${POLLER}.`);
      expect(well.printed).toMatch(/✗ shared_state +Valkey at 127\.0\.0\.1:9, .* is unreachable \(econnrefused\)/);
      expect(well.printed).toContain('\n1 error, ');
      const settings = await server.administrator.read<object>('/events/config');
      await server.administrator.change('PUT', '/events/config', { ...settings, eventsEnabled: false });
      const faulty = await doctor(server);
      expect(faulty.printed).toMatch(
        /✗ signals +keycloak_events: .* by the client signal-poller \(events_disabled\)\.\n +→ Switch on "Save events"/,
      );
      expect(faulty.exitCode).toBe(2);
    } finally {
      await server.stop();
    }
  });
});
