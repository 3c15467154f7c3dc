const MAX_DEPTH = 32;

/** The strings of valid JSON, and all brackets, braces and colons outside of strings. */
const STRING_OR_SIGN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/**
 * Whether `bytes` is UTF-8 JSON (RFC 8259 §4, §8.1, §9) with at most 32 levels. Refuses a byte order mark, duplicate
 * members and `__proto__`, which parsers handle in different ways.
 */
export function isStrictJson(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
    return hasPlainMembers(text);
  } catch {
    return false;
  }
}

function hasPlainMembers(text: string): boolean {
  const open: Set<string>[] = [];
  let lastString = '';
  for (const [token] of text.matchAll(STRING_OR_SIGN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ':') lastString = token;
    else {
      // JSON can write one member name in several ways, such as "a" and "\\u0061".
      const name = JSON.parse(lastString) as string;
      const names = open.at(-1);
      if (name === '__proto__' || names?.has(name) === true) return false;
      names?.add(name);
    }
    if (open.length > MAX_DEPTH) return false;
  }
  return true;
}
