import type { AuthenticationDemand } from '../protocol/authentication-demand.js';
import type { AllowedClient } from './allowed-client.js';
import type { RouteAccess } from './route-access.js';
import type { VerificationMethod } from './verification.js';

const OPENINGS = {
  closed: 'closed',
  public: '@Public()',
  optional: '@OptionalToken()',
  authenticated: '@Authenticated()',
};

export function describeAccess(
  { opening, permissions, anyOf, clients, authentication, maxStalenessSeconds, verification }: RouteAccess,
  byDefault: VerificationMethod,
): string {
  const words: string[] = [];
  const isOpenedByDemand = permissions.length + anyOf.length > 0 || authentication !== undefined;
  if (opening !== 'authenticated' || !isOpenedByDemand) words.push(OPENINGS[opening]);
  if (opening === 'closed') return words.join(' ');
  if (permissions.length > 0) words.push(`@RequirePermission(${listed(permissions)})`);
  for (const some of anyOf) words.push(`@RequireAnyPermission(${listed(some)})`);
  if (clients.length > 0) words.push(`@AllowClients(${clients.map(writtenClient).join(', ')})`);
  if (authentication !== undefined) words.push(`@RequireStepUp(${described(authentication)})`);
  if (verification !== undefined) words.push(`@TokenVerification('${verification}')`);
  if (maxStalenessSeconds !== undefined) {
    const isOtherwise = opening !== 'public' && (verification ?? byDefault) !== 'introspection';
    words.push(
      `@MaxIntrospectionAge({ seconds: ${maxStalenessSeconds} })${isOtherwise ? ', so by introspection' : ''}`,
    );
  }
  return words.join(' ');
}

const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

const writtenClient = (client: AllowedClient): string =>
  typeof client === 'string' ? `'${client}'` : `{ issuer: '${client.issuer}', clientId: '${client.clientId}' }`;

function described({ acrValues, maxAgeSeconds }: AuthenticationDemand): string {
  const acr = acrValues.length === 1 ? listed(acrValues) : `[${listed(acrValues)}]`;
  const parts = [
    ...(acrValues.length > 0 ? [`acr: ${acr}`] : []),
    ...(maxAgeSeconds === undefined ? [] : [`maxAgeSeconds: ${maxAgeSeconds}`]),
  ];
  return `{ ${parts.join(', ')} }`;
}
