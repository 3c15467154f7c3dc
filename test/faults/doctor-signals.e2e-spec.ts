import { describe, expect, it } from '@jest/globals';
import { keycloakEvents } from 'nestjs-keycloak-s2s/signals';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { doctorOfFeed, expectFindings, withServer, type FeedSubject } from '../support/doctor-of-feed.js';
import { unchanged } from '../support/realm-copy.js';
import { giveRoles, READER, startSignalsRealm, type LoggedRealm } from '../support/signals-realm.js';

const POLLER = 'signal-poller';
const EVENTS: FeedSubject = { service: READER, source: keycloakEvents() };

describe('doctor at a service that polls the event log', () => {
  const withEvents = (change: (realm: LoggedRealm) => void, use: (server: ContractServer) => Promise<void>) =>
    withServer(startSignalsRealm(change), use);

  it('reports no error for a correct feed', () =>
    withEvents(unchanged, async (server) => {
      await expectFindings(server, EVENTS, []);
      expect(await doctorOfFeed(server, EVENTS)).toEqual([
        `ok: keycloak_events: revocations would be received, by the client ${READER}.`,
      ]);
    }));

  it.each<[string, (realm: LoggedRealm) => unknown, RegExp]>([
    [
      'whose client does not have the role view-events',
      (realm) => giveRoles(realm, []),
      /^error: keycloak_events: .* by the client service-a \(forbidden\)\. .* Check that the service account of this client has the role view-events/,
    ],
    [
      'whose client has the role view-events, but not in its scope',
      (realm) => {
        const mappings = realm.clientScopeMappings['realm-management'] ?? [];
        realm.clientScopeMappings['realm-management'] = mappings.filter(({ client }) => client !== READER);
      },
      /^error: .*\(forbidden\)\. .* that the client has it in its scope/,
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
      'of a realm that does not save all event types',
      (realm) => (realm.enabledEventTypes = realm.enabledEventTypes.filter((type) => type !== 'REVOKE_GRANT')),
      /^error: .*\(event_types_missing\)\. Add REVOKE_GRANT to the saved event types/,
    ],
  ])('reports an error, and says how to correct it, for a feed %s', (_, change, finding) =>
    withEvents(change, (server) => expectFindings(server, EVENTS, [finding])),
  );

  it('reports no error for a service that makes calls if a separate client reads the event log', () =>
    withEvents(
      (realm) => giveRoles(realm, []),
      (server) => expectFindings(server, { ...EVENTS, calls: true, pollsAs: POLLER }, []),
    ));

  describeOnKeycloak('with the token of an administrator', () => {
    it('warns if the client that makes calls may also read the event log', () =>
      withEvents(unchanged, async (server) => {
        const calling = { ...EVENTS, calls: true };
        const wide =
          /^warning: The service account of service-a has view-events, and each service that it calls receives its tokens\. .* Give the role to a separate client, and name that client in RevocationEventsModule/;
        await expectFindings(server, calling, [], [wide]);
        // Doctor still warns if a separate client polls, because the service account of service-a keeps the role.
        await expectFindings(server, { ...calling, pollsAs: POLLER }, [], [wide]);
      }));

    it('warns if the realm never deletes events', () =>
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
      ));
  });
});
