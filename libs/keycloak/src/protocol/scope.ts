const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** RFC 6749 §3.3 */
export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && SCOPE_TOKEN.test(value);
}

export function parseScope(scope: string): readonly string[] {
  return [...new Set(scope.split(' ').filter((token) => token !== ''))];
}

/**
 * Returns the same string for equal sets of scopes, for use in cache keys.
 *
 * @throws {TypeError} If the set is empty or a member breaks the grammar.
 */
export function canonicalScope(scope: string): string {
  if (isScopeToken(scope)) return scope;
  const tokens = parseScope(scope);
  if (tokens.length === 0) throw new TypeError('A scope must contain at least one permission');
  const bad = tokens.find((token) => !isScopeToken(token));
  if (bad !== undefined) throw new TypeError(`Not a scope token (RFC 6749 section 3.3): ${JSON.stringify(bad)}`);
  return tokens.toSorted().join(' ');
}
