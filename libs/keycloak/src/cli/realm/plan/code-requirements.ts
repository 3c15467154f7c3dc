import { compareTexts, sortedTexts, type RequiredLevel } from '../realm-requirements.js';
import type { Admission, ServiceNeeds } from './service-needs.js';

export interface CodeRequirements {
  readonly issuer: string;
  readonly clients: readonly CodeClient[];
  readonly permissions: readonly CodePermission[];
  readonly admissions: readonly AdmissionOfService[];
  readonly levels: readonly RequiredLevel[];
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

export interface CodeClient {
  readonly clientId: string;
  readonly tokenExchange: boolean;
  /** Only permissions whose `scopes` name the kind of call, here and in `onBehalfOf`. */
  readonly asService: readonly string[];
  readonly onBehalfOf: readonly string[];
}

export interface AdmissionOfService extends Admission {
  readonly clientId: string;
}

export interface CodePermission {
  readonly name: string;
  readonly audience: string;
  readonly clients: readonly string[];
}

/** `applications` has the needs of each module at each of its issuers. */
export function codeRequirements(
  applications: readonly (readonly ServiceNeeds[])[],
  issuer?: string,
): CodeRequirements {
  const wanted = issuer ?? applications[0]?.[0]?.issuer ?? '';
  const services: ServiceNeeds[] = [];
  const faults: string[] = [];
  for (const needs of applications) {
    const at = needs.find((each) => each.issuer === wanted);
    if (at !== undefined) services.push(at);
    else {
      const known = needs.map((each) => each.issuer).join(', ');
      faults.push(`${needs[0]?.reference} is at ${known}, not at ${wanted}. A plan is for one realm.`);
    }
  }
  const permissions = permissionsOfAll(services);
  return {
    issuer: wanted,
    clients: services.map(clientOf).toSorted((one, other) => compareTexts(one.clientId, other.clientId)),
    permissions,
    admissions: services.flatMap(({ clientId, admissions }) => admissions.map((each) => ({ ...each, clientId }))),
    levels: levelsOf(services),
    faults: [...faults, ...services.flatMap((each) => each.faults), ...sameClients(services), ...twoOwners(services)],
    notes: [...services.flatMap(({ notes }) => notes), ...undemanded(services)],
  };
}

const clientOf = ({ clientId, calls }: ServiceNeeds): CodeClient => ({
  clientId,
  tokenExchange: calls.some(({ onBehalfOf }) => onBehalfOf),
  asService: permissionsOf(calls.filter(({ asService, isByKind }) => asService && isByKind)),
  onBehalfOf: permissionsOf(calls.filter(({ onBehalfOf, isByKind }) => onBehalfOf && isByKind)),
});

const permissionsOf = (calls: ServiceNeeds['calls']): readonly string[] =>
  sortedTexts(calls.map(({ permission }) => permission));

interface Owner {
  readonly audience: string;
  readonly source: string;
}

function ownersIn(services: readonly ServiceNeeds[]): ReadonlyMap<string, readonly Owner[]> {
  const owners = new Map<string, Owner[]>();
  const add = (permission: string, owner: Owner): void =>
    void owners.set(permission, [...(owners.get(permission) ?? []), owner]);
  for (const { clientId, demands, calls } of services) {
    for (const { permission, handler } of demands) add(permission, { audience: clientId, source: handler });
    for (const { permission, audience, service } of calls) {
      add(permission, { audience, source: `the service ${service} of ${clientId}` });
    }
  }
  return owners;
}

function permissionsOfAll(services: readonly ServiceNeeds[]): readonly CodePermission[] {
  const planned = new Set(services.map(({ clientId }) => clientId));
  const demands = services.flatMap((service) => service.demands);
  return [...ownersIn(services)]
    .map(([name, [owner]]) => {
      const callers = services
        .filter(({ calls }) => calls.some(({ permission }) => permission === name))
        .map(({ clientId }) => clientId);
      // The module of a planned client lists the permissions that the client asks for.
      const allowed = demands
        .filter(({ permission }) => permission === name)
        .flatMap((demand) => demand.allowed.filter((client) => !planned.has(client)));
      return { name, audience: owner?.audience ?? '', clients: sortedTexts([...callers, ...allowed]) };
    })
    .toSorted((one, other) => compareTexts(one.name, other.name));
}

function levelsOf(services: readonly ServiceNeeds[]): readonly RequiredLevel[] {
  const levels = new Map<string, { readonly acr: readonly string[]; readonly services: string[] }>();
  for (const { clientId, levels: demanded } of services) {
    for (const acr of demanded.map(sortedTexts)) {
      const key = JSON.stringify(acr);
      const known = levels.get(key) ?? { acr, services: [] };
      levels.set(key, { acr, services: [...known.services, clientId] });
    }
  }
  return [...levels]
    .toSorted(([one], [other]) => compareTexts(one, other))
    .map(([, { acr, services: of }]) => ({ acr, services: sortedTexts(of) }));
}

function sameClients(services: readonly ServiceNeeds[]): string[] {
  return sortedTexts(services.map(({ clientId }) => clientId)).flatMap((clientId) => {
    const same = services.filter((service) => service.clientId === clientId).map(({ reference }) => reference);
    return same.length === 1
      ? []
      : [`${same.join(' and ')} have the same client id ${clientId}. Each service needs its own client.`];
  });
}

function twoOwners(services: readonly ServiceNeeds[]): string[] {
  return [...ownersIn(services)].flatMap(([permission, owners]) => {
    const audiences = sortedTexts(owners.map(({ audience }) => audience));
    if (audiences.length === 1) return [];
    const named = audiences.map((audience) => {
      const sources = sortedTexts(owners.filter((owner) => owner.audience === audience).map(({ source }) => source));
      return `${audience} (${sources.join(', ')})`;
    });
    return [
      `The permission ${permission} has ${audiences.length} owners: ${named.join(', ')}. A token for one of them would open the others. Name one permission for each service.`,
    ];
  });
}

/** Returns notes instead of faults, because the owner may check a permission in its code. */
function undemanded(services: readonly ServiceNeeds[]): string[] {
  return services.flatMap(({ clientId, calls }) =>
    calls.flatMap(({ permission, audience }) => {
      const owner = services.find((service) => service.clientId === audience);
      return owner === undefined || owner.demands.some((demand) => demand.permission === permission)
        ? []
        : [`${clientId} asks for ${permission}, which no handler of ${audience} demands.`];
    }),
  );
}
