import { isDeepStrictEqual } from 'node:util';
import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { AccessNote, Opening } from './access-notes.js';
import { isSameClient, type AllowedClient } from './allowed-client.js';
import type { VerificationMethod } from './verification.js';

export interface RouteAccess {
  readonly opening: Opening | 'closed';
  readonly permissions: readonly string[];
  readonly anyOf: readonly (readonly string[])[];
  readonly clients: readonly AllowedClient[];
  readonly authentication: AuthenticationDemand | undefined;
  /** If `maxStalenessSeconds` or `verification` is undefined, the default of the module applies. */
  readonly maxStalenessSeconds: number | undefined;
  readonly verification: VerificationMethod | undefined;
  readonly fault: string | undefined;
  /** Computed once per handler, because each request reads the value (perf: guard-overhead). */
  readonly staleness?: number | undefined;
  readonly challengesScopes?: true;
  readonly isLongLived?: true;
}

export interface AddedDemand {
  readonly note: AccessNote;
  readonly place: string;
  readonly isOfClass: boolean;
}

export interface OwnAccess {
  readonly access: RouteAccess;
  readonly isOpenedByMethod: boolean;
}

export function ownAccess(own: AccessNote, ofClass: AccessNote): OwnAccess {
  const said: AccessNote = { ...remainderOf(ofClass, own), ...own };
  const { opening, permissions = [], anyOf = [], clients = [], authentication } = said;
  const opens = permissions.length + anyOf.length > 0 || authentication !== undefined;
  const access: RouteAccess = {
    opening: opening ?? (opens ? 'authenticated' : 'closed'),
    permissions,
    anyOf,
    clients,
    authentication,
    maxStalenessSeconds: said.maxStalenessSeconds,
    verification: said.verification,
    fault: undefined,
    ...marksOf(said),
  };
  return { access: { ...access, fault: conflictOf(access) }, isOpenedByMethod: own.opening !== undefined };
}

const WHO_PASSES: ReadonlySet<string> = new Set(['opening', 'permissions', 'anyOf']);

export function remainderOf(ofClass: AccessNote, own: AccessNote): AccessNote {
  const replacesWhoPasses = Object.keys(own).some((key) => WHO_PASSES.has(key));
  // A method with @RequireStepUp() must not inherit @Public() or @OptionalToken() from its class.
  const demandsToken = own.authentication !== undefined && ofClass.opening !== 'authenticated';
  return Object.fromEntries(
    Object.entries(ofClass).filter(
      ([key]) => !(key in own) && !(replacesWhoPasses && WHO_PASSES.has(key)) && !(demandsToken && key === 'opening'),
    ),
  ) as AccessNote;
}

/** Closes the handler if no token could meet all demands; `fault` then says what to change. */
export function summedAccess(own: OwnAccess, added: readonly AddedDemand[]): RouteAccess {
  const sum = added.reduce((access, demand) => narrowed(access, demand, own), own.access);
  const fault = sum.fault ?? conflictOf(sum);
  return fault === undefined ? sum : { ...sum, opening: 'closed', fault };
}

const OPENINGS = ['closed', 'authenticated', 'optional', 'public'] as const;

const rankOf = (opening: Opening | 'closed'): number => OPENINGS.indexOf(opening);

function narrowed(access: RouteAccess, demand: AddedDemand, own: OwnAccess): RouteAccess {
  const { permissions = [], anyOf = [], clients = [], authentication, maxStalenessSeconds, verification } = demand.note;
  const opening = leastOpening(demand.note);
  return {
    opening: OPENINGS[Math.min(rankOf(access.opening), rankOf(opening))] ?? 'closed',
    permissions: [...new Set([...access.permissions, ...permissions])],
    anyOf: [...access.anyOf, ...anyOf.filter((some) => !access.anyOf.some((other) => isDeepStrictEqual(other, some)))],
    clients: inCommon(access.clients, clients, isSameClient),
    authentication: bothDemands(access.authentication, authentication),
    maxStalenessSeconds: lesser(access.maxStalenessSeconds, maxStalenessSeconds),
    // A base class can require introspection but can't permit `jwt`, because introspection is stricter.
    verification: verification === 'introspection' ? 'introspection' : access.verification,
    fault: access.fault ?? openingFault(demand, own) ?? faultOfNone(access, demand),
    ...marksOf(access),
    ...marksOf(demand.note),
  };
}

type Marks = Pick<AccessNote, 'challengesScopes' | 'isLongLived'>;

/** Marks do not decide who passes. */
const marksOf = ({ challengesScopes, isLongLived }: Marks): Marks => ({
  ...(challengesScopes === undefined ? {} : { challengesScopes }),
  ...(isLongLived === undefined ? {} : { isLongLived }),
});

const leastOpening = (note: AccessNote): Opening => note.opening ?? (demandsOfToken(note) ? 'authenticated' : 'public');

const demandsOfToken = ({ permissions, anyOf, clients, authentication }: AccessNote): boolean =>
  (permissions ?? anyOf ?? clients ?? authentication) !== undefined;

/** A `@Public()` class may inherit stricter methods, because method decorators replace class decorators. */
function openingFault({ note, place, isOfClass }: AddedDemand, own: OwnAccess): string | undefined {
  const { opening } = own.access;
  if (opening !== 'public' && opening !== 'optional') return undefined;
  if (!isOfClass && !own.isOpenedByMethod) return undefined;
  const least = leastOpening(note);
  if (rankOf(least) >= rankOf(opening) || !(least === 'authenticated' || demandsOfToken(note))) return undefined;
  const decorator = opening === 'public' ? '@Public()' : '@OptionalToken()';
  return `${decorator} opens it, but ${place} demands a token. Replace ${decorator} with @Authenticated(), or remove the demand from ${place}`;
}

function faultOfNone(access: RouteAccess, { note, place }: AddedDemand): string | undefined {
  const { clients = [], authentication } = note;
  const isNone = <T>(one: readonly T[] = [], other: readonly T[] = [], isSame?: IsSame<T>): boolean =>
    one.length + other.length > 0 && inCommon(one, other, isSame).length === 0;
  const both = (decorator: string, what: string): string =>
    `${decorator} here and at ${place} have no ${what} in common, so no token passes. Name ${what === 'acr' ? 'an' : 'a'} ${what} in both, or remove one of them`;
  if (isNone(access.clients, clients, isSameClient)) return both('@AllowClients()', 'client');
  return isNone(access.authentication?.acrValues, authentication?.acrValues)
    ? both('@RequireStepUp()', 'acr')
    : undefined;
}

type IsSame<T> = (one: T, other: T) => boolean;

/** An empty list means no limit. */
function inCommon<T>(own: readonly T[], other: readonly T[], isSame: IsSame<T> = Object.is): readonly T[] {
  if (own.length === 0) return other;
  return other.length === 0 ? own : own.filter((member) => other.some((one) => isSame(member, one)));
}

function bothDemands(
  own: AuthenticationDemand | undefined,
  other: AuthenticationDemand | undefined,
): AuthenticationDemand | undefined {
  if (own === undefined || other === undefined) return own ?? other;
  return {
    acrValues: inCommon(own.acrValues, other.acrValues),
    maxAgeSeconds: lesser(own.maxAgeSeconds, other.maxAgeSeconds),
  };
}

function lesser(own: number | undefined, other: number | undefined): number | undefined {
  const least = Math.min(own ?? Infinity, other ?? Infinity);
  return least === Infinity ? undefined : least;
}

function conflictOf({ opening, permissions, anyOf, clients, authentication }: RouteAccess): string | undefined {
  if (opening !== 'public') return undefined;
  const neverLooks = (decorator: string): string => `@Public() verifies no token, but ${decorator} needs one`;
  if (permissions.length > 0) return neverLooks('@RequirePermission()');
  if (anyOf.length > 0) return neverLooks('@RequireAnyPermission()');
  if (clients.length > 0) return neverLooks('@AllowClients()');
  return authentication === undefined ? undefined : neverLooks('@RequireStepUp()');
}
