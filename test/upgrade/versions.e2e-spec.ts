import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { canReplicate } from '../support/replicated-services.js';
import { POLLER } from '../support/services.js';
import { MixedReplicas } from './mixed-replicas.js';
import { previousVersion, type PreviousVersion } from './previous-version.js';
import { StageChecks } from './stage-checks.js';

const TAKES_MS = 900_000;

(canReplicate ? describe : describe.skip)('replicas of two versions that share a Valkey', () => {
  let previous: PreviousVersion;
  let all: MixedReplicas | undefined;

  beforeAll(async () => {
    previous = await previousVersion();
  }, TAKES_MS);
  afterEach(async () => all?.stop());

  it.each([
    ['previous', 'present'],
    ['present', 'previous'],
  ])(
    'lose no denial and misread nothing while the %s version is replaced by the %s version',
    async (from, to) => {
      const replicas = await MixedReplicas.start(from, (version, { service }, { url }) => {
        if (version === 'present') return {};
        // Before the first release, the keys did not match the rights in users.acl.
        const answers = service.name === POLLER ? {} : { SHARED_ANSWERS_URL: `${url}/1` };
        const unrestricted = { SHARED_STATE_URL: url, ...answers };
        return { checkout: previous.folder, variables: previous.sharesAll ? {} : unrestricted };
      });
      all = replicas;
      const checks = new StageChecks(replicas, (_, one, other) => previous.sharesAll || one === other);
      const counts = await checks.underLoad(async () => {
        await checks.run();
        await replicas.replaceReplicas(0, to);
        await checks.run();
        await replicas.replacePollers(to);
        await checks.run();
        await replicas.replaceReplicas(1, to);
        await checks.run();
      });
      expect(checks.counts.denials).toBeGreaterThan(0);
      console.log(`${previous.name}: the ${from} version replaced by the ${to} version: ${counts}`);
    },
    TAKES_MS,
  );
});
