import { isDeepStrictEqual } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { KeycloakExceptionFilter } from '../../index.js';
import {
  RESOLVED_OPTIONS,
  RouteReport,
  type ReportedRoute,
  type ResolvedKeycloakOptions,
} from '../ports/reported-routes.js';
import { nameOf, operationAt, type Document, type OperationPlace, type SecurityRequirement } from './document-parts.js';
import { documentedRoutes, type DocumentedRoutesOptions } from './documented-routes.discovery.js';
import { REFUSAL_SCHEMA, refusalResponses, refusalSchema } from './refusal-responses.js';
import { BEARER_SCHEME, requirementsOf, rulesFor, schemeOf, scopesIn } from './security-requirements.js';
import { bearerScheme, keycloakScheme, serverScheme } from './security-schemes.js';

export interface KeycloakSecurityOptions {
  /**
   * The options of `SwaggerModule.createDocument`: with `include` or `onlyIncludeDecoratedEndpoints`, the document may
   * lack routes.
   */
  readonly document?: DocumentedRoutesOptions;
}

/**
 * For `addKeycloakSecurity(app, SwaggerModule.createDocument(app, config))`: changes `security` and `responses` of each
 * operation, and returns the document.
 *
 * - `security` lists the required scopes. The scheme `keycloak` is for an OAuth 2.0 token of the realm. The scheme
 *   `bearer`, for an existing token, has no scopes in OpenAPI 3.0. The second of several issuers has the scheme
 *   `keycloak-2`, and so on. `@Public()` sets `security` to `[]`, and `@OptionalToken()` adds the alternative `{}`.
 *   Existing `security` is replaced.
 * - `responses` lists the refusals of the guard (400, 401, 403, 502 and 503), as `KeycloakExceptionFilter` sends them.
 *   Existing responses are kept.
 *
 * Existing schemes are kept, so `addOAuth2({ … }, 'keycloak')` can declare flows other than client credentials. With
 * the option `mapPermissions`, the document names no scopes, since permissions are not scopes. The document does not
 * show `@MaxIntrospectionAge()`.
 *
 * The function does NOT contact Keycloak, and does NOT serve the document. Set the prefix and the versioning of the
 * application before this call.
 *
 * Throws `Error`, whose message lists every fault. Every route must have an operation, unless `@ApiExcludeEndpoint()`
 * or `@ApiExcludeController()` excludes the route. Handlers that share an operation must have the same requirements. An
 * operation without `security` must belong to a route. The `@RequireAnyPermission()` of a route may have at most 100
 * alternatives.
 */
export function addKeycloakSecurity<Described extends OpenAPIObject>(
  app: INestApplication,
  document: Described,
  options: KeycloakSecurityOptions = {},
): Described {
  const { issuers, exposeRefusalReasons } = app.get<ResolvedKeycloakOptions>(RESOLVED_OPTIONS, { strict: false });
  const writer = app.get(KeycloakExceptionFilter, { strict: false });
  const routes = app.get(RouteReport, { strict: false }).routes();
  const { documented, faults } = documentedRoutes(app, routes, document, options.document ?? {});
  const parts = document as object as Document;
  const rules = rulesFor(parts, issuers);
  const demands = new Demands();
  for (const { route, places } of documented) {
    demands.add(route, places, () => ({
      security: requirementsOf(route, rules),
      responses: refusalResponses(route, writer, rules.permissionsAreScopes),
    }));
  }
  throwIfFaulty([...faults, ...demands.faults]);

  for (const { place, security, responses } of demands.all) {
    const operation = operationAt(parts, place);
    if (operation === undefined) continue;
    operation.security = security;
    operation.responses = { ...responses, ...operation.responses };
  }
  const { schemas, securitySchemes, ...others } = parts.components ?? {};
  const schemes = {
    ...Object.fromEntries(
      issuers.map(({ issuer, profile }, at) => [
        schemeOf(at),
        profile === 'keycloak' ? keycloakScheme(issuer, demands.scopesOf(schemeOf(at))) : serverScheme(issuer),
      ]),
    ),
    [BEARER_SCHEME]: bearerScheme(issuers),
  };
  parts.components = {
    ...others,
    schemas: { ...schemas, [REFUSAL_SCHEMA]: refusalSchema(exposeRefusalReasons) },
    securitySchemes: { ...schemes, ...securitySchemes },
  };
  return document;
}

interface Demand {
  readonly security: readonly SecurityRequirement[];
  readonly responses: Readonly<Record<string, object>>;
}

type PlacedDemand = Demand & { readonly place: OperationPlace; readonly label: string };

class Demands {
  readonly faults: string[] = [];
  readonly #byOperation = new Map<string, PlacedDemand>();

  get all(): Iterable<PlacedDemand> {
    return this.#byOperation.values();
  }

  scopesOf(scheme: string): ReadonlyMap<string, readonly string[]> {
    const places = new Map<string, string[]>();
    for (const { place, security } of this.all) {
      for (const scope of scopesIn(security, scheme)) {
        places.set(scope, [...(places.get(scope) ?? []), nameOf(place)]);
      }
    }
    return places;
  }

  add({ label }: ReportedRoute, places: readonly OperationPlace[], read: () => Demand): void {
    let demand: Demand;
    try {
      demand = read();
    } catch (error) {
      this.faults.push(`${label}: ${(error as Error).message}`);
      return;
    }
    for (const place of places) {
      const name = nameOf(place);
      const earlier = this.#byOperation.get(name);
      if (earlier === undefined) this.#byOperation.set(name, { ...demand, place, label });
      else if (!isDeepStrictEqual([earlier.security, earlier.responses], [demand.security, demand.responses])) {
        this.faults.push(
          `${name} is the operation of ${earlier.label} and of ${label}, whose routes have different demands. Exclude one with @ApiExcludeEndpoint()`,
        );
      }
    }
  }
}

function throwIfFaulty(faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new Error(
    `The OpenAPI document can't describe the demands of all routes:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  );
}
