import { keycloakRefusalHint } from '../protocol/keycloak-refusals.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import type { CheckupParts, RegisteredService } from './checkup-parts.js';
import { note, ok, unseen, type Finding } from './finding.js';
import { failed } from './server-findings.js';

export interface Question extends CheckupParts {
  readonly service: RegisteredService;
  readonly knownScopes: readonly string[] | undefined;
  readonly hasServiceAccount: boolean;
}

/** If the audience exists, Keycloak answers "not available" to an exchange without a scope. */
export async function audienceFinding({ service, options, probe, hasServiceAccount }: Question): Promise<Finding> {
  const { audience, name, scopes } = service;
  if (!hasServiceAccount) {
    return unseen('next_service', `${name}: calls to it can't be tried without a service account.`);
  }
  if (scopes?.isByKind === true && scopes.onBehalfOf.length === 0) {
    return note('next_service', `${name}: no call is made on behalf of callers, so no token exchange was tried.`);
  }
  const exists = ok('next_service', `${name}: its audience ${audience} is a client of the realm.`);
  try {
    await probe.exchange('', audience);
    return exists;
  } catch (failure) {
    if (isNotAvailable(failure)) return exists;
    return failed(failure, 'next_service', (said, { reason, fields }) =>
      reason === 'answered_400_invalid_client'
        ? [
            `${name}: its audience ${audience} is not a client of the realm, or the client is disabled. Keycloak answers ${said}.`,
            `Compare \`audience\` where ${name} is registered with the client ids of the realm, or enable the client.`,
          ]
        : [
            `${name}: ${options.clientId} can't exchange tokens: Keycloak answers ${said}.`,
            keycloakRefusalHint(fields) ??
              (reason === 'delegation_token_refused'
                ? `A mapper adds act or may_act to the tokens of ${options.clientId}. Remove the mapper, because Keycloak does not exchange such tokens.`
                : `Switch on "Standard token exchange" at the client ${options.clientId} (Capability config).`),
          ],
    );
  }
}

export const isNotAvailable = (failure: unknown): boolean =>
  failure instanceof KeycloakException && failure.reason === 'permission_not_granted_to_subject';
