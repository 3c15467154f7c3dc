import type { Finding } from '../../checkup/finding.js';
import type { ComposedKeycloak } from '../../module/compose-keycloak.js';
import type { EnforcementStatus } from '../../module/keycloak-status.js';
import type { AuthenticationDemand } from '../../protocol/authentication-demand.js';
import type { AllowedClient } from '../../resource-server/allowed-client.js';

export interface GuardedHandler {
  readonly label: string;
  readonly isClosed: boolean;
  readonly permissions: readonly string[];
  readonly anyOf: readonly (readonly string[])[];
  readonly clients: readonly AllowedClient[];
  readonly authentication?: AuthenticationDemand | undefined;
}

export interface ApplicationSubject {
  readonly enforcement?: EnforcementStatus;
  readonly keycloak: Pick<ComposedKeycloak, 'issuers'>;
  readonly handlers: readonly GuardedHandler[];
  /** The called services that a command can't see, because Nest creates them for each request. */
  readonly notSeen: readonly string[];
}

export const isApplication = (subject: ApplicationSubject | readonly Finding[]): subject is ApplicationSubject =>
  'keycloak' in subject;
