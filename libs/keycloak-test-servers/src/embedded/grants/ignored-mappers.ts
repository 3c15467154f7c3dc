import type { IgnoredPart } from '../realm/ignored-part.js';
import { BUILT_IN_CLIENTS } from '../realm/ignored-settings.js';
import type { ClaimMapper } from '../realm/realm-representation.js';
import type { Realm } from '../realm/realm.js';
import { isSupported } from './mapped-claims.js';

const ATTRIBUTE_MAPPER = 'oidc-usermodel-attribute-mapper';

/** A mapper of a client scope matters only if a client has the scope. */
export function ignoredMappers(realm: Realm): IgnoredPart[] {
  const clients = realm.clients().filter(({ clientId }) => !BUILT_IN_CLIENTS.includes(clientId));
  const assigned = new Set(
    clients.flatMap(({ defaultScopes, optionalScopes }) => [...defaultScopes, ...optionalScopes]),
  );
  const hasLightweight = clients.some(({ isLightweight }) => isLightweight);
  const ignoredOf = (mappers: readonly ClaimMapper[], owner: string): IgnoredPart[] =>
    mappers.flatMap((mapper) => ignoredIn(mapper, hasLightweight).map((name) => ({ name, owner })));
  return [
    ...[...realm.scopes.values()]
      .filter(({ name }) => assigned.has(name))
      .flatMap(({ name, mappers }) => ignoredOf(mappers, `client scope ${name}`)),
    ...clients.flatMap(({ clientId, mappers }) => ignoredOf(mappers, `client ${clientId}`)),
  ];
}

function ignoredIn(mapper: ClaimMapper, hasLightweight: boolean): string[] {
  const { kind, config } = mapper;
  if (!isSupported(mapper)) return [kind];
  const isOn = (option: string): boolean => config[option] === 'true';
  const options = {
    multivalued: kind === ATTRIBUTE_MAPPER && isOn('multivalued'),
    'aggregate.attrs': kind === ATTRIBUTE_MAPPER && isOn('aggregate.attrs'),
    'jsonType.label JSON': config['jsonType.label'] === 'JSON',
    'access.tokenResponse.claim': isOn('access.tokenResponse.claim'),
    'lightweight.claim': hasLightweight && isOn('lightweight.claim'),
  };
  return Object.entries(options).flatMap(([option, isIgnored]) => (isIgnored ? [`${kind} with ${option}`] : []));
}
