/** addKeycloakSecurity(): says in an OpenAPI document which token each operation demands, and how the guard refuses a request. */
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
   * What `SwaggerModule.createDocument` was given as options, if anything: it says which routes are in the document, and under which paths. With `include` or
   * `onlyIncludeDecoratedEndpoints` a route may be missing, and else it may not.
   */
  readonly document?: DocumentedRoutesOptions;
}

/**
 * For `addKeycloakSecurity(app, SwaggerModule.createDocument(app, config))`. Changes the document, and returns it. It reads the access decorators, and no
 * handler needs an annotation. Each operation gets
 *
 * - `security`: the scopes that it demands of an OAuth 2.0 token of the realm (scheme `keycloak`), or of a token at hand (`bearer`, for whose scopes OpenAPI 3.0
 *   has no place). Of several issuers the second has the scheme `keycloak-2`, and so on. `[]` for `@Public()`; an empty alternative for `@OptionalToken()`. What annotations said of it is replaced.
 * - `responses`: 400, 401, 403, 502 and 503 where the guard may answer so, with bodies and headers as `KeycloakExceptionFilter` writes them. A response that the
 *   document has already stays as it is.
 *
 * A scheme `keycloak` or `bearer` that the document has stays, too: `addOAuth2({ … }, 'keycloak')` says other flows than that of client credentials. Where
 * the option `mapPermissions` makes permissions of something else, they are no scopes and none is named. Clients of `@AllowClients()` are named in the text of
 * the 403, and `@MaxIntrospectionAge()` nowhere.
 *
 * It does NOT contact Keycloak, and serves nothing. Prefix and versioning of the application must be set before.
 *
 * Throws `Error`, which lists every fault: a route that is in no operation although neither `@ApiExcludeEndpoint()` nor `@ApiExcludeController()` excludes it; handlers
 * that share an operation and demand different things; an operation without `security` that is of no route; over 100 alternatives of `@RequireAnyPermission()`.
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
      responses: refusalResponses(route, writer),
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

/** What each operation demands, of whichever handlers it is. */
class Demands {
  readonly faults: string[] = [];
  readonly #byOperation = new Map<string, PlacedDemand>();

  get all(): Iterable<PlacedDemand> {
    return this.#byOperation.values();
  }

  /** Where each scope of a scheme is demanded. */
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
          `${name} is the operation of ${earlier.label} and of ${label}, which demand different things: exclude one by @ApiExcludeEndpoint()`,
        );
      }
    }
  }
}

function throwIfFaulty(faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new Error(
    `The OpenAPI document can't say what each route demands:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  );
}
