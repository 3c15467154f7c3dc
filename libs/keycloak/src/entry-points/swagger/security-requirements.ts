import type { RouteAccess } from '../ports/reported-routes.js';
import type { Document, SecurityRequirement } from './document-parts.js';

export const KEYCLOAK_SCHEME = 'keycloak';

export const schemeOf = (at: number): string => (at === 0 ? KEYCLOAK_SCHEME : `${KEYCLOAK_SCHEME}-${at + 1}`);

/** The scheme for tools that accept an existing token and can't request a token. */
export const BEARER_SCHEME = 'bearer';

const MAX_ALTERNATIVES = 100;

export interface RequirementRules {
  readonly permissionsAreScopes: boolean;
  /** Since OpenAPI 3.1, a scheme other than OAuth 2.0 may name scopes. */
  readonly bearerHasScopes: boolean;
  readonly issuers: readonly DocumentedIssuer[];
}

export interface DocumentedIssuer {
  readonly acceptedScopes: readonly string[] | undefined;
}

export const rulesFor = (
  { openapi }: Document,
  issuers: readonly (DocumentedIssuer & { readonly mapPermissions: unknown })[],
): RequirementRules => ({
  permissionsAreScopes: issuers.every(({ mapPermissions }) => mapPermissions === undefined),
  issuers,
  bearerHasScopes: !/^3\.0\b/.test(openapi),
});

export function requirementsOf(access: RouteAccess, rules: RequirementRules): SecurityRequirement[] {
  if (access.opening === 'public') return [];
  const alternatives = rules.permissionsAreScopes && access.opening !== 'closed' ? scopesOf(access) : [[]];
  const bearer = rules.bearerHasScopes ? alternatives : [[]];
  return [
    ...rules.issuers.flatMap(({ acceptedScopes }, at) =>
      alternatives
        .filter((scopes) => acceptedScopes === undefined || scopes.every((scope) => acceptedScopes.includes(scope)))
        .map((scopes) => ({ [schemeOf(at)]: scopes })),
    ),
    ...bearer.map((scopes) => ({ [BEARER_SCHEME]: scopes })),
    ...(access.opening === 'optional' ? [{}] : []),
  ];
}

export const scopesIn = (requirements: readonly SecurityRequirement[], scheme: string): string[] => [
  ...new Set(requirements.flatMap((requirement) => requirement[scheme] ?? [])),
];

function scopesOf({ permissions, anyOf }: RouteAccess): string[][] {
  const count = anyOf.reduce((product, some) => product * some.length, 1);
  if (count > MAX_ALTERNATIVES) {
    throw new Error(
      `the @RequireAnyPermission() decorators have ${count} alternatives, and at most ${MAX_ALTERNATIVES} are allowed`,
    );
  }
  const choices = anyOf.reduce<string[][]>(
    (chosen, some) => chosen.flatMap((names) => some.map((name) => [...names, name])),
    [[]],
  );
  return choices.map((chosen) => [...new Set([...permissions, ...chosen])]);
}
