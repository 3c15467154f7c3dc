import { warning, type Finding } from '../../checkup/finding.js';
import type { ComposedIssuer } from '../../module/compose-issuer.js';
import { KeycloakException } from '../../protocol/keycloak-exception.js';

/** Domains under `.invalid` never exist (RFC 2606 §2). */
const INVENTED = { hostname: 'doctor.invalid', port: '4711' };

/**
 * If Keycloak takes its host or port from the Host header, events may name a wrong issuer. A proxy that rejects unknown
 * hosts prevents wrong issuers in events.
 */
export async function hostNameFinding({
  fetch,
  realmUrl,
  issuer,
}: Pick<ComposedIssuer, 'fetch' | 'realmUrl' | 'issuer'>): Promise<Finding[]> {
  const url = `${realmUrl}/.well-known/openid-configuration`;
  const headers = { host: `${INVENTED.hostname}:${INVENTED.port}` };
  const named = await fetch
    .apart('doctor_host')
    .fetch(url, { headers })
    .then(async (response) => (response.status === 200 ? issuerOf(await response.text()) : undefined))
    .catch(nothingOfRefusal);
  if (named === undefined || named.href === new URL(issuer).href) return [];
  if (named.hostname !== INVENTED.hostname && named.port !== INVENTED.port) return [];
  return [
    warning(
      'signals',
      'Keycloak has no fixed host name and takes its issuer from each request. If a session ends by a request to another host name, this service refuses the event, since another issuer signed it.',
      `Start Keycloak with --hostname=${issuer.slice(0, issuer.lastIndexOf('/realms/'))}.`,
    ),
  ];
}

function issuerOf(text: string): URL | undefined {
  try {
    const { issuer } = JSON.parse(text) as { readonly issuer?: unknown };
    return typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined;
  } catch {
    return undefined;
  }
}

function nothingOfRefusal(failure: unknown): undefined {
  if (!(failure instanceof KeycloakException)) throw failure;
}
