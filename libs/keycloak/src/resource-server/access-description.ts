/** Access description: what decorators come to, in the words of the decorators. */
import type { RouteAccess } from './route-access.js';
import type { TokenVerification } from './verification.js';

const OPENINGS = {
  closed: 'closed',
  public: '@Public()',
  optional: '@OptionalToken()',
  authenticated: '@Authenticated()',
};

/** For the report at boot; `byDefault` is the module's `verification`. */
export function describeAccess(
  { opening, permissions, anyOf, clients, maxStalenessSeconds, verification }: RouteAccess,
  byDefault: TokenVerification,
): string {
  const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
  const words: string[] = [];
  if (opening !== 'authenticated' || permissions.length + anyOf.length === 0) words.push(OPENINGS[opening]);
  if (opening === 'closed') return words.join(' ');
  if (permissions.length > 0) words.push(`@RequirePermission(${listed(permissions)})`);
  for (const some of anyOf) words.push(`@RequireAnyPermission(${listed(some)})`);
  if (clients.length > 0) words.push(`@AllowClients(${listed(clients)})`);
  if (verification !== undefined) words.push(`@Verification('${verification}')`);
  if (maxStalenessSeconds !== undefined) {
    const isOtherwise = opening !== 'public' && (verification ?? byDefault) !== 'introspection';
    words.push(`@MaxStaleness({ seconds: ${maxStalenessSeconds} })${isOtherwise ? ', and so by introspection' : ''}`);
  }
  return words.join(' ');
}
