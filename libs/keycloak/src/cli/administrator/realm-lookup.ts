import type { RealmClient, RealmScope, RealmSnapshot } from './realm-snapshot.js';

export const clientNamed = ({ clients }: RealmSnapshot, id: string): RealmClient | undefined =>
  clients.find(({ clientId }) => clientId === id);

export const scopeNamed = ({ scopes }: RealmSnapshot, name: string): RealmScope | undefined =>
  scopes.find((scope) => scope.name === name);

export const mayAskFor = ({ isEnabled, defaultScopes, optionalScopes }: RealmClient, scope: string): boolean =>
  isEnabled && [...defaultScopes, ...optionalScopes].includes(scope);

export function alwaysFor({ scopes }: RealmSnapshot, client: RealmClient): readonly string[] {
  const ofScopes = scopes
    .filter(({ name }) => client.defaultScopes.includes(name))
    .flatMap(({ audiences }) => audiences);
  return [...client.audiences, ...ofScopes].map(({ audience }) => audience);
}

export const hasSubject = ({ scopes }: RealmSnapshot, client: RealmClient): boolean =>
  client.addsSubject || scopes.some(({ name, addsSubject }) => addsSubject && client.defaultScopes.includes(name));

export const namesOf = (clients: readonly RealmClient[]): string => clients.map(({ clientId }) => clientId).join(', ');
