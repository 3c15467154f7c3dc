/** Document parts: what is read and written of an OpenAPI document, in its versions 3.0 and 3.1. */

export interface Operation {
  security?: readonly SecurityRequirement[];
  responses: Record<string, unknown>;
}

/** All of these schemes together; of a list of requirements, one will do. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

/** Of everything that is shared within a document. */
export interface Components {
  schemas?: Record<string, unknown>;
  securitySchemes?: Record<string, unknown>;
}

export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, object | undefined>>;
  components?: Components;
}

/** An operation by its place in a document. */
export interface OperationPlace {
  readonly path: string;
  /** In lower case. */
  readonly method: string;
}

export function placesIn({ paths }: Pick<Document, 'paths'>): OperationPlace[] {
  return Object.entries(paths).flatMap(([path, item = {}]) =>
    Object.entries(item)
      .filter(([, value]) => isOperation(value))
      .map(([method]) => ({ path, method })),
  );
}

export function operationAt(
  { paths }: Pick<Document, 'paths'>,
  { path, method }: OperationPlace,
): Operation | undefined {
  const found: unknown = Object.entries(paths[path] ?? {}).find(([name]) => name === method)?.[1];
  return isOperation(found) ? found : undefined;
}

/** A path has other things beside its operations, such as parameters that they share. */
const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'responses' in value;

export const nameOf = ({ path, method }: OperationPlace): string => `${method.toUpperCase()} ${path}`;
