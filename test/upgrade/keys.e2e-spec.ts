import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { proofKeyPair } from '../../libs/keycloak/spec-support/proof-keys.js';
import { canReplicate } from '../support/replicated-services.js';
import type { Variables } from '../support/running-service.js';
import { POLLER } from '../support/services.js';
import { until } from '../support/until.js';
import { MixedReplicas } from './mixed-replicas.js';
import { StageChecks } from './stage-checks.js';

const TAKES_MS = 900_000;
const SERVICES = ['service-a', 'service-b', 'service-c'];

const newKey = (): string => randomBytes(32).toString('base64');

/** The keys of the rollouts in docs/valkey.md: the old key, a second key, the second key first, only the new key. */
const rollouts = <T>(old: T, added: T): readonly T[][] => [[old], [old, added], [added, old], [added]];

const DENIAL_KEYS = rollouts(newKey(), newKey());
const SESSION_SECRETS = rollouts(newKey(), newKey());
const STATE_KEYS = Object.fromEntries(SERVICES.map((name) => [name, rollouts(newKey(), newKey())]));
const PROOF_KEYS = rollouts(proofKeyPair(), proofKeyPair());

const listed = (keys: readonly string[] = []): string => keys.join('\n');

function variablesOf(service: string, rollout: number): Variables {
  const proofKeys = PROOF_KEYS[rollout] ?? [];
  return {
    SHARED_DENIAL_KEYS: listed(DENIAL_KEYS[rollout]),
    SHARED_STATE_KEYS: listed(STATE_KEYS[service]?.[rollout]),
    SERVICE_A_SESSION_SECRET: listed(SESSION_SECRETS[rollout]),
    SIGNAL_PROOF_PUBLIC_KEYS: listed(proofKeys.map(({ publicKeys }) => publicKeys)),
    ...(service === POLLER ? { SIGNAL_PROOF_PRIVATE_KEY: proofKeys[0]?.privateKey ?? '' } : {}),
  };
}

(canReplicate ? describe : describe.skip)('replicas whose shared keys are replaced', () => {
  let all: MixedReplicas | undefined;

  afterEach(async () => all?.stop());

  it(
    'lose no denial and no session during the three rollouts of new keys',
    async () => {
      const replicas = await MixedReplicas.start('0', (rollout, { service }) => ({
        variables: variablesOf(service.name, Number(rollout)),
      }));
      all = replicas;
      const { valkey } = replicas.services;
      // The name of a cached result depends on the first key.
      const firstKeyOf = (rollout: string) => STATE_KEYS['service-b']?.[Number(rollout)]?.[0];
      const checks = new StageChecks(
        replicas,
        (what, one, other) => what !== 'results' || firstKeyOf(one) === firstKeyOf(other),
      );
      /** Before a key is removed, everything that the key has encrypted must have ended. */
      const endOldEntries = async (): Promise<void> => {
        checks.sessions.length = 0;
        const [stream = ''] = (await valkey.command(['KEYS', '*:revocations'])) as string[];
        await valkey.command(['DEL', stream, `${stream}:state`]);
        const length = async (): Promise<number> => Number(await valkey.command(['XLEN', stream]));
        await until(async () => (await length()) >= checks.denied.length, 'the replicas append their denials again');
      };
      const counts = await checks.underLoad(async () => {
        await checks.run();
        for (const rollout of ['1', '2', '3']) {
          if (rollout === '3') await endOldEntries();
          await replicas.replaceReplicas(0, rollout);
          await checks.run();
          await replicas.replaceReplicas(1, rollout);
          await replicas.replacePollers(rollout);
        }
        await checks.run();
      });
      expect(checks.counts.denials).toBeGreaterThan(0);
      console.log(`Three rollouts of all shared keys: ${counts}`);
    },
    TAKES_MS,
  );
});
