/** Security requirements: what the decorators of a route come to, in the words of an OpenAPI document. */
import type { RouteAccess } from '../ports/reported-routes.js';
import type { Document, SecurityRequirement } from './document-parts.js';

/** An OAuth 2.0 token of the realm, with the scopes that are named. */
export const KEYCLOAK_SCHEME = 'keycloak';

/** Of the issuer at this place in the list; the first is this service's own. */
export const schemeOf = (at: number): string => (at === 0 ? KEYCLOAK_SCHEME : `${KEYCLOAK_SCHEME}-${at + 1}`);

/** The same token for tools that take one, and ask for none. */
export const BEARER_SCHEME = 'bearer';

/** Each `@RequireAnyPermission()` multiplies them. */
const MAX_ALTERNATIVES = 100;

export interface RequirementRules {
  /** Whether permissions are scopes, and not made of something else by the option `mapPermissions`. */
  readonly permissionsAreScopes: boolean;
  /** Whether the document may name scopes with a scheme that is not OAuth 2.0: from OpenAPI 3.1 on. */
  readonly bearerHasScopes: boolean;
  readonly issuers: readonly DocumentedIssuer[];
}

export interface DocumentedIssuer {
  /** Undefined where all of its scopes count. */
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

/** Of these, one will do. None for `@Public()`; with `@OptionalToken()` one is empty. Throws `Error` for more alternatives than a reader could follow. */
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

/** Every scope that some requirement names of this scheme. */
export const scopesIn = (requirements: readonly SecurityRequirement[], scheme: string): string[] => [
  ...new Set(requirements.flatMap((requirement) => requirement[scheme] ?? [])),
];

/** One list for each choice among those of which one is demanded. */
function scopesOf({ permissions, anyOf }: RouteAccess): string[][] {
  const count = anyOf.reduce((product, some) => product * some.length, 1);
  if (count > MAX_ALTERNATIVES) {
    throw new Error(`its @RequireAnyPermission() come to ${count} alternatives, and ${MAX_ALTERNATIVES} is the limit`);
  }
  const choices = anyOf.reduce<string[][]>(
    (chosen, some) => chosen.flatMap((names) => some.map((name) => [...names, name])),
    [[]],
  );
  return choices.map((chosen) => [...new Set([...permissions, ...chosen])]);
}
