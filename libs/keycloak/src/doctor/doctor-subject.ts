/** DoctorSubject: the service that is looked at, as its module or the flags describe it. */
import type { ComposedKeycloak } from '../module/compose-keycloak.js';
import type { AllowedClient } from '../resource-server/allowed-client.js';

/** What the guard stands before: a route, an operation, a message, or the connections of a gateway; and whom it admits. */
export interface GuardedHandler {
  /** For people. */
  readonly label: string;
  readonly isClosed: boolean;
  readonly permissions: readonly string[];
  readonly anyOf: readonly (readonly string[])[];
  readonly clients: readonly AllowedClient[];
}

export interface DoctorSubject {
  readonly keycloak: Pick<ComposedKeycloak, 'issuers'>;
  readonly handlers: readonly GuardedHandler[];
  /** Services that are made for each request, so that nothing is known of them. */
  readonly notSeen: readonly string[];
}

/** What was given can't be used; the message is for people. */
export class DoctorUsageError extends Error {}
