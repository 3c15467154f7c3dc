export interface McpOperation {
  readonly kind: 'tool' | 'prompt' | 'resource';
  /** The URI of a resource. */
  readonly name: string;
}

const OPERATIONS: ReadonlyMap<unknown, readonly [kind: McpOperation['kind'], member: string]> = new Map([
  ['tools/call', ['tool', 'name']],
  ['prompts/get', ['prompt', 'name']],
  ['resources/read', ['resource', 'uri']],
]);

/** Returns undefined for a batch, because one status can't refuse a part of its calls. */
export function calledOperation(body: unknown): McpOperation | undefined {
  const { method, params } = membersOf(body);
  const [kind, member] = OPERATIONS.get(method) ?? [];
  const name = member === undefined ? undefined : membersOf(params)[member];
  return kind === undefined || typeof name !== 'string' ? undefined : { kind, name };
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  Object(value) as Readonly<Record<string, unknown>>;
