import { testServer } from 'keycloak-test-servers';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startChangedRealm } from './changed-realm.js';
import { clientIn, unchanged, type RealmFile } from './realm-copy.js';

/** A client whose stream is in the realm file. */
export const RECEIVER = 'service-a';

/** The realm file has no stream for this client, so the service creates one. */
export const MAKER = 'service-b';

const SCOPES = ['ssf.read', 'ssf.manage'];

/** The interval is in seconds. */
const READER = { 'ssf.enabled': 'true', 'ssf.defaultSubjects': 'ALL', 'ssf.minVerificationInterval': '5' };

/** Stream ids are unique in Keycloak, so signal-poller's stream has another id. */
export const STREAM_ID = 'revocations-of-a';

const STREAM = {
  'ssf.stream.id': STREAM_ID,
  'ssf.stream.status': 'enabled',
  'ssf.stream.aud': RECEIVER,
  'ssf.stream.delivery.method': 'urn:ietf:rfc:8936',
  // Without an endpoint URL the event tokens have no audience.
  'ssf.stream.delivery.endpointUrl': 'poll',
  'ssf.stream.eventsRequested': 'CaepSessionRevoked,CaepCredentialChange',
  'ssf.stream.eventsDelivered': 'CaepSessionRevoked,CaepCredentialChange',
};

function transmitting(realm: RealmFile): void {
  for (const [clientId, attributes] of [
    [RECEIVER, { ...READER, ...STREAM }],
    [MAKER, READER],
  ] as const) {
    const client = clientIn(realm, clientId);
    client.optionalClientScopes.push(...SCOPES);
    Object.assign(client.attributes, attributes);
  }
}

export interface SsfRealm extends RealmFile {
  attributes: Record<string, string>;
}

export const startSsfRealm = (change: (realm: SsfRealm) => void = unchanged): Promise<ContractServer> =>
  startChangedRealm(
    (file) => {
      transmitting(file);
      change(file as SsfRealm);
    },
    { features: ['ssf'], environment: { SIGNALS_SSF: 'true' } },
  );

/** Keycloak can send shared signals since version 26.7, if the feature `ssf` is enabled. */
export const hasTransmitter = (): boolean => testServer().kind === 'embedded' || testServer().features.includes('ssf');
