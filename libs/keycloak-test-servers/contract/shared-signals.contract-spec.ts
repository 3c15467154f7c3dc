import { describe, expect, it } from '@jest/globals';
import { testServer } from 'keycloak-test-servers';
import { connectToDemoRealm, describeOnKeycloakWith, hasFeature } from './describe-servers.js';
import { connectForCases, holdCases, holdDifferences, type CaseGroup } from './hold-cases.js';
import { request } from './requests.js';
import { startEmbedded } from './server.js';
import { SSF_FEATURE } from './signalling-realm.js';
import { SSF_ACCESS_CASES } from './ssf-access-cases.js';
import { SSF_ADMIN_CASES } from './ssf-admin-cases.js';
import { SSF_DIFFERENCES } from './ssf-differences.js';
import { SSF_DISCOVERY_CASES } from './ssf-discovery-cases.js';
import { SSF_EVENT_CASES } from './ssf-event-cases.js';
import { SSF_POLL_CASES } from './ssf-poll-cases.js';
import { SSF_SILENCE_CASES } from './ssf-silence-cases.js';
import { SSF_STATUS_CASES } from './ssf-status-cases.js';
import { SSF_STREAM_CASES } from './ssf-stream-cases.js';
import { SSF_SUBJECT_CASES } from './ssf-subject-cases.js';
import { SSF_VERIFICATION_CASES } from './ssf-verification-cases.js';

const GROUPS: readonly CaseGroup[] = [
  { about: 'a transmitter', cases: SSF_DISCOVERY_CASES },
  { about: 'access', cases: SSF_ACCESS_CASES },
  { about: 'a stream', cases: SSF_STREAM_CASES },
  { about: 'the status of a stream', cases: SSF_STATUS_CASES },
  { about: 'a verification', cases: SSF_VERIFICATION_CASES },
  { about: 'a poll', cases: SSF_POLL_CASES },
  { about: 'receivers are notified of', cases: SSF_EVENT_CASES },
  { about: 'nobody is notified of', cases: SSF_SILENCE_CASES },
  { about: 'a receiver is notified of', cases: SSF_SUBJECT_CASES },
  { about: 'administrators', cases: SSF_ADMIN_CASES },
];

describe('the embedded server', () => {
  const server = connectForCases(startEmbedded);
  holdCases(server, GROUPS);
  holdDifferences(server, 'embedded', SSF_DIFFERENCES);
});

describeOnKeycloakWith(SSF_FEATURE, 'Keycloak', () => {
  const server = connectForCases(connectToDemoRealm);
  holdCases(server, GROUPS);
  holdDifferences(server, 'keycloak', SSF_DIFFERENCES);
});

const { kind, version } = testServer();

if ((kind === 'docker' || kind === 'distribution') && !hasFeature(SSF_FEATURE)) {
  describe(`Keycloak ${version} without the Shared Signals feature`, () => {
    const server = connectForCases(connectToDemoRealm);

    it('imports a realm file with a transmitter, but does not start the transmitter', async () => {
      const own = await server().ownRealm('with signals');
      const { status } = await request(own, '/.well-known/ssf-configuration');
      expect([status, await own.administrator.statusOf('GET', '/ssf/events/stats')]).toEqual([404, 404]);
    });
  });
}
