/** Scope: a set of case-sensitive tokens, written as one space-separated string (RFC 6749 §3.3). */

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** Whether `value` is one scope token by the grammar of RFC 6749 §3.3: printable ASCII without space, `"` and `\`. */
export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && SCOPE_TOKEN.test(value);
}

/** The members of a scope string, each once, in the order given. Members are compared whole, never by prefix. */
export function parseScope(scope: string): readonly string[] {
  return [...new Set(scope.split(' ').filter((token) => token !== ''))];
}

/**
 * The one way to write a scope set: distinct members in code-unit order. Two strings that name the same set give the
 * same result, so that it can be part of a cache key.
 *
 * Throws `TypeError` when the set is empty or a member breaks the grammar; the scopes a service asks for are literals
 * in its code, so this is a programming error.
 */
export function canonicalScope(scope: string): string {
  if (isScopeToken(scope)) return scope;
  const tokens = parseScope(scope);
  if (tokens.length === 0) throw new TypeError('A scope names at least one permission');
  const bad = tokens.find((token) => !isScopeToken(token));
  if (bad !== undefined) throw new TypeError(`Not a scope token (RFC 6749 section 3.3): ${JSON.stringify(bad)}`);
  return tokens.toSorted().join(' ');
}
