import { realmPath } from '../realm/realm-paths.js';
import type { Realm } from '../realm/realm.js';
import type { ServerState } from '../state/server-state.js';

export const SSF_FEATURE = 'ssf';

export const TRANSMITTER_ENABLED = 'ssf.transmitterEnabled';

export type SsfScope = 'ssf.read' | 'ssf.manage';
const SCOPES: readonly SsfScope[] = ['ssf.read', 'ssf.manage'];

export const hasTransmitter = ({ features, realm }: ServerState): boolean =>
  features.includes(SSF_FEATURE) && isTrue(realm.attributes.get(TRANSMITTER_ENABLED));

/** Keycloak adds missing SSF scopes too, but only after the import of the clients in the realm file. */
export function addSsfScopes(realm: Realm): void {
  for (const name of SCOPES) realm.addScope({ name, isShown: true, isInMetadata: true, mappers: [] });
}

export const transmitterPath = (realm: string): string => `${realmPath(realm)}/ssf/transmitter`;

export const metadataPath = (realm: string): string => `${realmPath(realm)}/.well-known/ssf-configuration`;

export const pollPath = (realm: string, clientId: string, streamId: string): string =>
  `${transmitterPath(realm)}/receivers/${clientId}/streams/${streamId}/poll`;

export const isTrue = (attribute: string | undefined): boolean => attribute?.toLowerCase() === 'true';
