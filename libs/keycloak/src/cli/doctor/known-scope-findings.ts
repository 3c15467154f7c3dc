import type { Checkup } from '../../checkup/checkup.js';
import { warning, type Finding } from '../../checkup/finding.js';
import type { ApplicationSubject } from '../application/application-subject.js';

/** `scopes_supported` (RFC 8414) may omit a client scope, so only the Admin API proves that a scope is missing. */
export async function unknownPermissions(checkup: Checkup, { handlers }: ApplicationSubject): Promise<Finding[]> {
  const known = checkup.options.mapPermissions === undefined ? await checkup.knownScopes() : undefined;
  if (known === undefined) return [];
  return handlers.flatMap(({ label, permissions }) =>
    permissions
      .filter((permission) => !known.includes(permission))
      .map((permission) => ({
        ...warning(
          'route',
          `${label} demands ${permission}, but the realm lists no such client scope. If the realm does not hide it, nobody passes.`,
          'Correct its spelling, or create the client scope.',
        ),
        needsAdministrator: true as const,
      })),
  );
}

export async function unknownScopes(checkup: Checkup): Promise<Finding[]> {
  const { acceptedScopes = [], profile } = checkup.options;
  const known = profile === 'keycloak' && acceptedScopes.length > 0 ? await checkup.knownScopes() : undefined;
  const unknown = known === undefined ? [] : acceptedScopes.filter((scope) => !known.includes(scope));
  return unknown.map((scope) =>
    warning(
      'scope',
      `acceptedScopes names ${scope}, but the realm lists no such client scope. If the realm does not hide it, no token has it.`,
      'Correct its spelling, or create the client scope.',
    ),
  );
}
