export interface Operation {
  security?: readonly SecurityRequirement[];
  responses: Record<string, unknown>;
}

/** A request must satisfy all schemes and scopes of one requirement. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

export interface Components {
  schemas?: Record<string, unknown>;
  securitySchemes?: Record<string, unknown>;
}

export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, object | undefined>>;
  components?: Components;
}

export interface OperationPlace {
  readonly path: string;
  /** The HTTP method in lower case. */
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

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'responses' in value;

export const nameOf = ({ path, method }: OperationPlace): string => `${method.toUpperCase()} ${path}`;
