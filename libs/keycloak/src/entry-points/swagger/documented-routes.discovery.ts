import type { INestApplication } from '@nestjs/common';
import { SwaggerModule, type OpenAPIObject, type SwaggerDocumentOptions } from '@nestjs/swagger';
import type { ReportedRoute } from '../ports/reported-routes.js';
import { nameOf, operationAt, placesIn, type Document, type OperationPlace } from './document-parts.js';

/** The options for routes and paths, some of which are missing in some releases of @nestjs/swagger. */
export interface DocumentedRoutesOptions {
  readonly include?: NonNullable<SwaggerDocumentOptions['include']>;
  readonly deepScanRoutes?: boolean;
  readonly ignoreGlobalPrefix?: boolean;
  readonly onlyIncludeDecoratedEndpoints?: boolean;
}

/** Metadata keys that the first releases of @nestjs/swagger for Nest 11 do not export. */
const EXCLUDED_ENDPOINT = 'swagger/apiExcludeEndpoint';
const EXCLUDED_CONTROLLER = 'swagger/apiExcludeController';

export interface DocumentedRoute {
  readonly route: ReportedRoute;
  readonly places: readonly OperationPlace[];
}

export function documentedRoutes(
  app: INestApplication,
  routes: readonly ReportedRoute[],
  document: OpenAPIObject,
  options: DocumentedRoutesOptions,
): { readonly documented: readonly DocumentedRoute[]; readonly faults: readonly string[] } {
  const given = document as object as Document;
  const kept = routes.filter((route) => !isLeftOut(route));
  const documented = placesOf(app, routes, kept, document, options);
  const isPart = (options.include ?? []).length > 0 || options.onlyIncludeDecoratedEndpoints === true;
  const lacking = documented.flatMap(({ route: { label }, places }) => {
    if (places.length === 0 && !isPart) return [`${label} belongs to no operation, and nothing excludes it`];
    return places
      .filter((place) => operationAt(given, place) === undefined)
      .map((place) => `${label} is not in the document, which has no ${nameOf(place)}`);
  });
  const known = new Set(documented.flatMap(({ places }) => places.map(nameOf)));
  const unknown = placesIn(given)
    .filter((place) => !known.has(nameOf(place)) && operationAt(given, place)?.security === undefined)
    .map((place) => `${nameOf(place)} is in the document without security, but describes no route`);
  return { documented, faults: [...lacking, ...unknown] };
}

function isLeftOut({ classes, handler }: ReportedRoute): boolean {
  const ofHandler: unknown = Reflect.getMetadata(EXCLUDED_ENDPOINT, handler);
  const ofClasses = classes.map((each): unknown => Reflect.getMetadata(EXCLUDED_CONTROLLER, each));
  return (
    (Object(ofHandler) as { readonly disable?: unknown }).disable === true ||
    ofClasses.some((each) => Array.isArray(each) && each[0] === true)
  );
}

/** One document for all handlers would mix up classes with the same name, and hide header versions. */
function placesOf(
  app: INestApplication,
  all: readonly ReportedRoute[],
  kept: readonly ReportedRoute[],
  { openapi, info }: OpenAPIObject,
  options: DocumentedRoutesOptions,
): DocumentedRoute[] {
  const before = [
    ...all.flatMap(({ classes }) => classes).map((each) => asItIs(EXCLUDED_CONTROLLER, each)),
    ...all.map(({ handler }) => asItIs(EXCLUDED_ENDPOINT, handler)),
  ];
  try {
    for (const route of all) exclude(route, true);
    return kept.map((route) => {
      exclude(route, false);
      const alone = SwaggerModule.createDocument(app, { openapi, info }, options) as object as Document;
      exclude(route, true);
      return { route, places: placesIn(alone) };
    });
  } finally {
    for (const putBack of before.toReversed()) putBack();
  }
}

function exclude({ classes, handler }: ReportedRoute, isExcluded: boolean): void {
  // Sets the value on each class, because a derived class would otherwise inherit the value of its base class.
  for (const each of classes) Reflect.defineMetadata(EXCLUDED_CONTROLLER, [isExcluded], each);
  Reflect.defineMetadata(EXCLUDED_ENDPOINT, { disable: isExcluded }, handler);
}

function asItIs(key: string, target: object): () => void {
  if (!Reflect.hasOwnMetadata(key, target)) return () => void Reflect.deleteMetadata(key, target);
  const value: unknown = Reflect.getOwnMetadata(key, target);
  return () => Reflect.defineMetadata(key, value, target);
}
