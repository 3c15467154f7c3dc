/** What doctor finds of a signal feed: a realm with one fault in it, by the service's own credentials, and by an administrator's where that shows more. */
import { describe, expect, it } from '@jest/globals';
import { startKeycloak, testServer } from 'keycloak-test-servers';
import { keycloakEvents, sharedSignals } from 'nestjs-keycloak-s2s/signals';
import { REALM_ENVIRONMENT, REALM_FILE } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnKeycloakWith } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { login, logout, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import { contractServerAt, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { doctorOfFeed, type FeedSubject } from '../support/doctor-of-feed.js';
import { clientIn } from '../support/realm-copy.js';
import { giveRoles, READER, startSignalsRealm, type LoggedRealm } from '../support/signals-realm.js';
import { hasTransmitter, MAKER, RECEIVER, startSsfRealm, type SsfRealm } from '../support/ssf-realm.js';

/** The embedded server has no more of the admin API than other tests need. */
const isReal = testServer().kind !== 'embedded';

const POLLER = 'signal-poller';
const EVENTS: FeedSubject = { service: READER, source: keycloakEvents() };
const STREAM: FeedSubject = { service: RECEIVER, source: sharedSignals() };

const isBad = (line: string): boolean => /^(?:error|warning): /.test(line);

async function expectFindings(
  server: ContractServer,
  subject: FeedSubject,
  own: readonly RegExp[],
  administrator: readonly RegExp[] = own,
): Promise<void> {
  const asWell = isReal ? [[true, administrator] as const] : [];
  for (const [asAdministrator, expected] of [[false, own] as const, ...asWell]) {
    const bad = (await doctorOfFeed(server, subject, asAdministrator)).filter(isBad);
    expect(bad).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  }
}

async function withServer(starting: Promise<ContractServer>, use: (server: ContractServer) => Promise<void>) {
  const server = await starting;
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

/** What only an administrator sees. */
const itOfAdministrators = isReal ? it : it.skip;

describe('doctor looks at a feed by the event log', () => {
  const withEvents = (change: (realm: LoggedRealm) => void, use: (server: ContractServer) => Promise<void>) =>
    withServer(startSignalsRealm(change), use);
  const noChange = (): void => undefined;

  it('that would hear, and is set up right: it finds nothing wrong', () =>
    withEvents(noChange, async (server) => {
      await expectFindings(server, EVENTS, []);
      expect(await doctorOfFeed(server, EVENTS)).toEqual([
        `ok: keycloak_events: revocations would be heard of, by the client ${READER}.`,
      ]);
    }));

  it.each<[string, (realm: LoggedRealm) => unknown, RegExp]>([
    [
      'whose client has no view-events',
      (realm) => giveRoles(realm, []),
      /^error: keycloak_events: .* by the client service-a \(forbidden\)\. .* give the service account of this client the role view-events/,
    ],
    [
      'whose client has view-events, and not in its scope',
      (realm) => {
        const mappings = realm.clientScopeMappings['realm-management'] ?? [];
        realm.clientScopeMappings['realm-management'] = mappings.filter(({ client }) => client !== READER);
      },
      /^error: .*\(forbidden\)\. .* see that the client has it in its scope/,
    ],
    [
      'of a realm that saves no user events',
      (realm) => (realm.eventsEnabled = false),
      /^error: .*\(events_disabled\)\. Switch on "Save events" \(Realm settings, Events, User events settings\)/,
    ],
    [
      'of a realm that saves no admin events',
      (realm) => (realm.adminEventsEnabled = false),
      /^error: .*\(admin_events_disabled\)\. Switch on "Save events" \(Realm settings, Events, Admin events settings\)/,
    ],
    [
      'of a realm that does not save all types',
      (realm) => (realm.enabledEventTypes = realm.enabledEventTypes.filter((type) => type !== 'REVOKE_GRANT')),
      /^error: .*\(event_types_missing\)\. Add REVOKE_GRANT to the event types that are saved/,
    ],
  ])('%s, and says what to do', (_, change, finding) =>
    withEvents(change, (server) => expectFindings(server, EVENTS, [finding])),
  );

  itOfAdministrators('whose tokens go to other services: they could read the log, unless another client hears', () =>
    withEvents(noChange, async (server) => {
      const calling = { ...EVENTS, calls: true };
      const wide =
        /^warning: The service account of service-a has view-events, and its tokens go to the services that it calls: .* Give the role to a client of its own, and name it to SignalsModule/;
      await expectFindings(server, calling, [], [wide]);
      // It has the role still.
      await expectFindings(server, { ...calling, hearsAs: POLLER }, [], [wide]);
    }),
  );

  it('in the name of a client of its own: nothing is wrong with a service that calls others', () =>
    withEvents(
      (realm) => giveRoles(realm, []),
      (server) => expectFindings(server, { ...EVENTS, calls: true, hearsAs: POLLER }, []),
    ));

  itOfAdministrators('of a realm whose log is kept for ever', () =>
    withEvents(
      (realm) => {
        delete realm.eventsExpiration;
        delete realm.attributes['adminEventsExpiration'];
      },
      (server) =>
        expectFindings(
          server,
          EVENTS,
          [],
          ['user', 'admin'].map(
            (whose) =>
              new RegExp(`^warning: The realm saves ${whose} events and never deletes them, .* Set an expiration`),
          ),
        ),
    ),
  );
});

(hasTransmitter() ? describe : describe.skip)('doctor looks at a feed by shared signals', () => {
  const withSsf = (change: (realm: SsfRealm) => void, use: (server: ContractServer) => Promise<void>) =>
    withServer(startSsfRealm(change), use);
  const noChange = (): void => undefined;
  const attributesOf = (realm: SsfRealm) => clientIn(realm, RECEIVER).attributes;

  it('that would hear, and is set up right: it finds nothing wrong, and acknowledges nothing', () =>
    withSsf(noChange, async (server) => {
      const tokens = await login(server, await server.newUser('order-manager'));
      await logout(server, textOf(tokens, 'refresh_token'));
      const before = await statistics(server);
      await expectFindings(server, STREAM, []);
      expect(await doctorOfFeed(server, STREAM)).toEqual([
        `ok: shared_signals: revocations would be heard of, by the client ${RECEIVER}.`,
      ]);
      const after = await statistics(server);
      expect(before.pending).toBeGreaterThan(0);
      // Besides what verifies the stream.
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
      'of chosen users alone',
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
      'whose tokens are for nobody',
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
      'of a client that is no receiver',
      (realm) => delete attributesOf(realm)['ssf.enabled'],
      /^error: .*\(forbidden\)\. .* give this client the attribute ssf\.enabled/,
    ],
  ])('%s, and says what to do', (_, change, finding) =>
    withSsf(change, (server) => expectFindings(server, STREAM, [finding])),
  );

  it('that is not there yet, and makes none', () =>
    withSsf(noChange, async (server) => {
      await expectFindings(server, { ...STREAM, service: MAKER }, [/\(stream_missing\)\. .* it is made at the start/]);
      expect(await server.administrator.statusOf('GET', `/ssf/clients/${MAKER}/stream`)).toBe(404);
    }));

  itOfAdministrators('from which users may leave themselves out', () =>
    withSsf(noChange, async (server) => {
      const profile = await server.administrator.read<object>('/users/profile');
      const change = { ...profile, unmanagedAttributePolicy: 'ENABLED' };
      await server.administrator.change('PUT', '/users/profile', change);
      const excluding = /^warning: .* ssf\.notify\.<client> one leaves itself out .* Switch unmanaged attributes off/;
      await expectFindings(server, STREAM, [], [excluding]);
    }),
  );
});

describeOnKeycloakWith('ssf', 'doctor looks at a Keycloak without a fixed host name', () => {
  it('which signs events by that of each request: it warns of it where they are heard', async () => {
    const { kind, features } = testServer();
    const keycloak = await startKeycloak({
      realm: REALM_FILE,
      environment: { ...REALM_ENVIRONMENT, SIGNALS_EVENTS: 'true', SIGNALS_SSF: 'true' },
      features,
      hostname: 'of each request',
      ...(kind === 'docker' || kind === 'distribution' ? { using: kind } : {}),
    });
    try {
      const server = contractServerAt(keycloak.baseUrl);
      const named = new RegExp(`^warning: Keycloak has no fixed host name: .* --hostname=${keycloak.baseUrl}\\.$`);
      await expectFindings(server, { ...STREAM, hearsAs: POLLER }, [named]);
      await expectFindings(server, { ...EVENTS, hearsAs: POLLER }, []);
    } finally {
      await keycloak.stop();
    }
  }, 240_000);
});
