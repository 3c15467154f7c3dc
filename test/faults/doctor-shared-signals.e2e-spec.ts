import { describe, expect, it } from '@jest/globals';
import { startKeycloak, testServer } from 'keycloak-test-servers';
import { keycloakEvents, sharedSignals } from 'nestjs-keycloak-s2s/signals';
import { REALM_ENVIRONMENT, REALM_FILE } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { withQuickRealm } from '../../libs/keycloak-test-servers/contract/quick-realm.mjs';
import {
  describeOnKeycloak,
  describeOnKeycloakWith,
} from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import {
  clientCredentials,
  login,
  logout,
  request,
  textOf,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { contractServerAt, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { composeKeycloak } from '../../libs/keycloak/src/module/compose-keycloak.js';
import { AdminApi } from '../../libs/keycloak/src/cli/administrator/admin-api.js';
import { readRealm } from '../../libs/keycloak/src/cli/administrator/realm-snapshot.js';
import { doctorOfFeed, expectFindings, withServer, type FeedSubject } from '../support/doctor-of-feed.js';
import { clientIn, unchanged } from '../support/realm-copy.js';
import { hasTransmitter, MAKER, RECEIVER, startSsfRealm, STREAM_ID, type SsfRealm } from '../support/ssf-realm.js';

const STREAM: FeedSubject = { service: RECEIVER, source: sharedSignals() };

(hasTransmitter() ? describe : describe.skip)('doctor at a service that receives shared signals', () => {
  const withSsf = (change: (realm: SsfRealm) => void, use: (server: ContractServer) => Promise<void>) =>
    withServer(startSsfRealm(change), use);
  const attributesOf = (realm: SsfRealm) => clientIn(realm, RECEIVER).attributes;

  it('acknowledges no event, and reports no error for a correct feed', () =>
    withSsf(unchanged, async (server) => {
      const tokens = await login(server, await server.newUser('order-manager'));
      await logout(server, textOf(tokens, 'refresh_token'));
      const before = await statistics(server);
      await expectFindings(server, STREAM, []);
      expect(await doctorOfFeed(server, STREAM)).toEqual([
        `ok: shared_signals: revocations would be received, by the client ${RECEIVER}.`,
      ]);
      const after = await statistics(server);
      expect(before.pending).toBeGreaterThan(0);
      // Doctor requests a verification of the stream, which may add events to the stream.
      expect(after.pending).toBeGreaterThanOrEqual(before.pending);
      expect([before.delivered, after.delivered]).toEqual([0, 0]);
    }));

  async function statistics(server: ContractServer): Promise<{ pending: number; delivered: number }> {
    const { statuses } = await server.administrator.read<{
      statuses: Readonly<Record<string, { readonly count?: number } | undefined>>;
    }>(`/ssf/clients/${RECEIVER}/events/stats`);
    const countOf = (status: string): number => statuses[status]?.count ?? 0;
    return { pending: countOf('PENDING'), delivered: countOf('DELIVERED') };
  }

  it.each<[string, (realm: SsfRealm) => unknown, RegExp]>([
    [
      'for chosen users only',
      (realm) => (attributesOf(realm)['ssf.defaultSubjects'] = 'NONE'),
      /^error: shared_signals: .* by the client service-a \(subjects_not_all\)\. .* set ssf\.defaultSubjects of this client to ALL/,
    ],
    [
      'that is paused',
      (realm) => (attributesOf(realm)['ssf.stream.status'] = 'paused'),
      /^error: .*\(stream_paused\)\. .* set its status to enabled/,
    ],
    [
      'that is disabled',
      (realm) => (attributesOf(realm)['ssf.stream.status'] = 'disabled'),
      /^error: .*\(stream_disabled\)\. .* set its status to enabled/,
    ],
    [
      'whose tokens have no audience',
      (realm) => {
        delete attributesOf(realm)['ssf.stream.aud'];
        delete attributesOf(realm)['ssf.stream.delivery.endpointUrl'];
      },
      /^error: .*\(audience_missing\)\. .* set ssf\.stream\.aud and ssf\.stream\.delivery\.endpointUrl of this client/,
    ],
    [
      'of a realm without a transmitter',
      (realm) => (realm.attributes['ssf.transmitterEnabled'] = 'false'),
      /^error: .*\(ssf_not_offered\)\. .* --features=ssf, and set the attribute ssf\.transmitterEnabled of the realm/,
    ],
    [
      'of a client that is not a receiver',
      (realm) => delete attributesOf(realm)['ssf.enabled'],
      /^error: .*\(forbidden\)\. .* Give this client the attribute ssf\.enabled/,
    ],
  ])('reports an error, and says how to correct it, for a feed %s', (_, change, finding) =>
    withSsf(change, (server) => expectFindings(server, STREAM, [finding])),
  );

  it('notes that the stream does not exist yet, and does not create the stream', () =>
    withSsf(unchanged, async (server) => {
      const subject: FeedSubject = { ...STREAM, service: MAKER };
      await expectFindings(server, subject, []);
      expect(await doctorOfFeed(server, subject)).toContainEqual(expect.stringMatching(/^note: .* has no stream yet/));
      expect(await server.administrator.statusOf('GET', `/ssf/clients/${MAKER}/stream`)).toBe(404);
    }));

  async function poll(server: ContractServer, body: object): Promise<{ readonly sets: object }> {
    const token = textOf(await clientCredentials(server, RECEIVER, 'ssf.read'));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const path = `/ssf/transmitter/receivers/${RECEIVER}/streams/${STREAM_ID}/poll`;
    const answer = await request(server, path, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return { sets: Object(answer.members['sets']) as object };
  }

  describeOnKeycloak('with the token of an administrator', () => {
    it('counts the acknowledged events that Keycloak keeps', () =>
      withSsf(unchanged, async (server) => {
        const tokens = await login(server, await server.newUser('order-manager'));
        await logout(server, textOf(tokens, 'refresh_token'));
        const { sets } = await poll(server, {});
        const ack = Object.keys(sets);
        await poll(server, { ack });
        const { issuer, baseUrl, administrator } = server;
        const [{ fetch, realmUrl }] = composeKeycloak({
          issuer,
          internalServerUrl: baseUrl,
          clientId: RECEIVER,
          clientSecret: 'none',
          allowInsecureRequests: true,
        }).issuers;
        const realm = await readRealm(new AdminApi(fetch, realmUrl, await administrator.token()));
        expect(ack).toHaveLength(1);
        expect(await realm.acknowledgedEvents(RECEIVER)).toBe(1);
      }));

    it('warns if users can exclude themselves from the feed', () =>
      withSsf(unchanged, async (server) => {
        const profile = await server.administrator.read<object>('/users/profile');
        const change = { ...profile, unmanagedAttributePolicy: 'ENABLED' };
        await server.administrator.change('PUT', '/users/profile', change);
        const excluding =
          /^warning: .* ssf\.notify\.<client>, users can exclude themselves .* Switch unmanaged attributes off/;
        await expectFindings(server, STREAM, [], [excluding]);
      }));
  });
});

describeOnKeycloakWith('ssf', 'doctor for a Keycloak without a fixed host name', () => {
  it('warns a receiver of shared signals, but not a reader of the event log', async () => {
    const { kind, features } = testServer();
    const keycloak = await withQuickRealm(REALM_FILE, (realm) =>
      startKeycloak({
        realm,
        environment: { ...REALM_ENVIRONMENT, SIGNALS_EVENTS: 'true', SIGNALS_SSF: 'true' },
        features,
        hostname: 'of each request',
        ...(kind === 'docker' || kind === 'distribution' ? { using: kind } : {}),
      }),
    );
    try {
      const server = contractServerAt(keycloak.baseUrl);
      const named = new RegExp(`^warning: Keycloak has no fixed host name and .* --hostname=${keycloak.baseUrl}\\.$`);
      await expectFindings(server, { ...STREAM, pollsAs: 'signal-poller' }, [named]);
      await expectFindings(server, { ...STREAM, source: keycloakEvents(), pollsAs: 'signal-poller' }, []);
    } finally {
      await keycloak.stop();
    }
  });
});
