import { alwaysFor, mayAskFor } from './realm-lookup.js';
import type { RealmSnapshot } from './realm-snapshot.js';

export interface PermittedCall {
  readonly client: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  /** Whether every token of the client has this audience, even a token without scopes. */
  readonly isInEachToken: boolean;
}

export function permittedCalls(realm: RealmSnapshot): PermittedCall[] {
  const disabled = new Set(realm.clients.filter(({ isEnabled }) => !isEnabled).map(({ clientId }) => clientId));
  return realm.clients
    .filter(({ isEnabled }) => isEnabled)
    .flatMap((client) => {
      const always = new Set(alwaysFor(realm, client));
      const asked = realm.scopes.filter(({ name }) => mayAskFor(client, name));
      const ofScopes = asked.flatMap(({ audiences }) => audiences.map(({ audience }) => audience));
      return [...new Set([...always, ...ofScopes])]
        .filter((audience) => !disabled.has(audience))
        .toSorted()
        .map((audience) => ({
          client: client.clientId,
          audience,
          scopes: asked
            .filter(({ audiences }) => audiences.some((one) => one.audience === audience))
            .map(({ name }) => name)
            .toSorted(),
          isInEachToken: always.has(audience),
        }));
    });
}
