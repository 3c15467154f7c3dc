/** The transmitter of shared signals (SSF 1.0): whether a realm has one, and where it is. */
import { realmPath } from '../realm/realm-paths.js';
import type { Realm } from '../realm/realm.js';
import type { ServerState } from '../state/server-state.js';

/** The feature of Keycloak that has it. */
export const SSF_FEATURE = 'ssf';

/** The attribute of a realm that switches it on. */
export const TRANSMITTER_ENABLED = 'ssf.transmitterEnabled';

/** A token needs them: to poll and to look at the stream, and to change or verify it. */
export type SsfScope = 'ssf.read' | 'ssf.manage';
const SCOPES: readonly SsfScope[] = ['ssf.read', 'ssf.manage'];

/** Where the feature is on and the realm wants it. */
export const hasTransmitter = ({ features, realm }: ServerState): boolean =>
  features.includes(SSF_FEATURE) && isTrue(realm.attributes.get(TRANSMITTER_ENABLED));

/** Keycloak adds the scopes to a realm whose file lacks them, too late for the clients of the file. */
export function addSsfScopes(realm: Realm): void {
  for (const name of SCOPES) realm.addScope({ name, isShown: true, mappers: [] });
}

export const transmitterPath = (realm: string): string => `${realmPath(realm)}/ssf/transmitter`;

export const metadataPath = (realm: string): string => `${realmPath(realm)}/.well-known/ssf-configuration`;

export const pollPath = (realm: string, clientId: string, streamId: string): string =>
  `${transmitterPath(realm)}/receivers/${clientId}/streams/${streamId}/poll`;

/** As Keycloak reads attributes: whatever their case. */
export const isTrue = (attribute: string | undefined): boolean => attribute?.toLowerCase() === 'true';
