/** Findings about clients that read the metadata of a protected resource, such as MCP clients (RFC 9728, RFC 8707). */
import { KeycloakException } from '../protocol/keycloak-exception.js';
import type { CheckupParts } from './checkup-parts.js';
import { note, ok, warning, type Finding } from './finding.js';

type Described = Pick<CheckupParts['options'], 'protectedResource'>;

export const resourcesOf = ({ protectedResource }: Described): readonly string[] =>
  protectedResource.map(({ resource }) => resource);

export async function protectedResourceFindings(
  { options, probe }: Pick<CheckupParts, 'options' | 'probe'>,
  knownScopes: readonly string[] | undefined,
  hasServiceAccount: boolean,
): Promise<Finding[]> {
  if (resourcesOf(options).length === 0) return [];
  const listed = knownScopes?.includes(OFFLINE_ACCESS) === true ? [offlineAccessListed] : [];
  if (!hasServiceAccount) return listed;
  return [...listed, ...((await isOn(probe)) ? resourceIndicatorFindings(options) : [])];
}

const OFFLINE_ACCESS = 'offline_access';

const offlineAccessListed = note(
  'scope',
  `The metadata of the realm list ${OFFLINE_ACCESS}, so MCP clients request this scope. Keycloak refuses the login of a client that lacks the scope (invalid_scope).`,
  `Switch off "Include in OpenID Provider Metadata" at the client scope ${OFFLINE_ACCESS}, or assign the scope to these clients, as optional.`,
);

/** A refusal for any other reason says nothing about the feature. */
async function isOn(probe: Pick<CheckupParts['probe'], 'refusesUnknownResource'>): Promise<boolean> {
  return probe.refusesUnknownResource().catch((failure: unknown) => {
    if (failure instanceof KeycloakException) return false;
    throw failure;
  });
}

/** The feature `resource-indicators` replaces the audience of a token by the requested URL. */
export function resourceIndicatorFindings(options: Described & { readonly clientId: string }): Finding[] {
  const { clientId } = options;
  const resources = resourcesOf(options);
  const others = resources.filter((resource) => resource !== clientId);
  if (others.length === 0) {
    return resources.map((resource) =>
      ok('client', `Keycloak's feature resource-indicators is on, and the client id is the URL ${resource}.`),
    );
  }
  return others.map((resource) =>
    warning(
      'client',
      `Keycloak's feature resource-indicators is on: if a client requests the resource ${resource}, Keycloak refuses the token (invalid_target) or issues it for this URL alone. This service accepts only tokens for its client id ${clientId}.`,
      'Switch the feature off. Or make the URL the client id of this service, and the attribute resource_url of this client.',
    ),
  );
}

export const urlAudienceCure = (clientId: string): string =>
  `In the audience mapper, choose the client ${clientId} (Included Client Audience) in place of the URL (Included Custom Audience). Or make the URL the client id of this service.`;
