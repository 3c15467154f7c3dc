import type { RegisteredService } from '../../../checkup/checkup-parts.js';
import type { ComposedIssuer } from '../../../module/compose-issuer.js';
import type { ApplicationSubject, GuardedHandler } from '../../application/application-subject.js';
import { permissionsOf } from '../../application/permissions-of.js';

export interface PlannedApplication {
  readonly reference: string;
  readonly subject: ApplicationSubject;
}

/** Plain data, because another process may have read the module. */
export interface ServiceNeeds {
  readonly reference: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly demands: readonly Demand[];
  readonly admissions: readonly Admission[];
  readonly calls: readonly NeededCall[];
  readonly levels: readonly (readonly string[])[];
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

export interface Demand {
  readonly permission: string;
  readonly handler: string;
  readonly allowed: readonly string[];
}

export interface Admission {
  readonly handler: string;
  readonly clients: readonly string[];
  /** If `anyOf` is empty, the handler demands no permission. */
  readonly anyOf: readonly (readonly string[])[];
}

export interface NeededCall {
  readonly permission: string;
  readonly service: string;
  readonly audience: string;
  readonly asService: boolean;
  readonly onBehalfOf: boolean;
  /** False if the scopes are one list, which does not distinguish `asService` calls from `onBehalfOf` calls. */
  readonly isByKind: boolean;
}

export const needsOf = (application: PlannedApplication): readonly ServiceNeeds[] =>
  application.subject.keycloak.issuers.map((at) => needsAt(application, at));

function needsAt({ reference, subject }: PlannedApplication, at: ComposedIssuer): ServiceNeeds {
  const { checkup, options, issuer } = at;
  const { clientId } = options;
  const open = subject.handlers.filter(({ isClosed }) => !isClosed);
  const isFirstIssuer = subject.keycloak.issuers[0].issuer === issuer;
  const undeclared = checkup.services.filter(({ scopes }) => scopes === undefined);
  return {
    reference,
    issuer,
    clientId,
    demands: open.flatMap((handler) => demandsOf(handler, at, isFirstIssuer)),
    admissions: open.flatMap((handler) => admissionsOf(handler, at, isFirstIssuer)),
    calls: checkup.services.flatMap(callsOf),
    levels: open.flatMap(({ authentication }) => {
      const acr = authentication?.acrValues ?? [];
      return acr.length === 0 ? [] : [acr];
    }),
    faults: [
      ...(options.profile === 'keycloak'
        ? []
        : [`${clientId}: ${issuer} is not Keycloak (profile ${options.profile}), so it has no client scopes to plan.`]),
      ...undeclared.map(
        ({ name }) =>
          `${clientId}: the service ${name} is registered without scopes. Name the scopes that its calls ask for, such as { onBehalfOf: ['…'] }.`,
      ),
      ...subject.notSeen.map(
        (name) =>
          `${clientId}: the service ${name} is registered per request, so the plan can't see its scopes. Remove the dependency on the request.`,
      ),
    ],
    notes: notesOf(at, subject),
  };
}

/** A client id without an issuer in `@AllowClients` belongs to the first issuer of the service. */
const allowedBy = ({ clients }: GuardedHandler, issuer: string, isFirstIssuer: boolean): readonly string[] =>
  clients.flatMap((client) => {
    if (typeof client === 'string') return isFirstIssuer ? [client] : [];
    return client.issuer === issuer ? [client.clientId] : [];
  });

function admissionsOf(
  handler: GuardedHandler,
  { options, issuer }: ComposedIssuer,
  isFirstIssuer: boolean,
): Admission[] {
  const { label, permissions, anyOf } = handler;
  const clients = allowedBy(handler, issuer, isFirstIssuer);
  if (options.mapPermissions !== undefined || clients.length === 0) return [];
  return anyOf.length === 0 && permissions.length > 0 ? [] : [{ handler: label, clients, anyOf }];
}

function demandsOf(
  handler: GuardedHandler,
  { checkup, options, issuer }: ComposedIssuer,
  isFirstIssuer: boolean,
): Demand[] {
  const { acceptedScopes } = options;
  const allowed = allowedBy(handler, issuer, isFirstIssuer);
  return permissionsOf(checkup, [handler])
    .filter((permission) => acceptedScopes === undefined || acceptedScopes.includes(permission))
    .map((permission) => ({
      permission,
      handler: handler.label,
      allowed: handler.permissions.includes(permission) ? allowed : [],
    }));
}

function callsOf({ name, audience, scopes }: RegisteredService): NeededCall[] {
  if (scopes === undefined) return [];
  const { asService, onBehalfOf, isByKind } = scopes;
  return [...new Set([...asService, ...onBehalfOf])].map((permission) => ({
    permission,
    service: name,
    audience,
    asService: asService.includes(permission),
    onBehalfOf: onBehalfOf.includes(permission),
    isByKind,
  }));
}

function notesOf({ checkup, options, issuer }: ComposedIssuer, { keycloak }: ApplicationSubject): string[] {
  const { clientId, mapPermissions } = options;
  const lists = checkup.services.filter(({ scopes }) => scopes?.isByKind === false && scopes.onBehalfOf.length > 0);
  const others = keycloak.issuers.filter((other) => other.issuer !== issuer);
  return [
    ...(mapPermissions === undefined
      ? []
      : [`${clientId} has mapPermissions, so the plan has no permission of its handlers.`]),
    ...lists.map(
      ({ name }) =>
        `${clientId}: the scopes of ${name} are one list. The plan switches on the token exchange, and gives a service account only if serviceAccounts names ${clientId}. Write { asService, onBehalfOf } to be exact.`,
    ),
    ...others.map((other) => `${clientId} is also at ${other.issuer}, which is not in this plan (--issuer chooses).`),
  ];
}
