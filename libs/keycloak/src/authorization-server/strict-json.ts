import { createScanner, type SyntaxKind } from 'jsonc-parser';

const MAX_DEPTH = 32;

// The package exports a `const enum`, which single-file compilers can't read.
const OPEN_BRACE: SyntaxKind = 1;
const CLOSE_BRACE: SyntaxKind = 2;
const OPEN_BRACKET: SyntaxKind = 3;
const CLOSE_BRACKET: SyntaxKind = 4;
const COLON: SyntaxKind = 6;
const STRING: SyntaxKind = 10;
const END: SyntaxKind = 17;

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
  const scanner = createScanner(text, true);
  const open: Set<string>[] = [];
  let lastString = '';
  for (let token = scanner.scan(); token !== END; token = scanner.scan()) {
    if (token === OPEN_BRACE || token === OPEN_BRACKET) open.push(new Set());
    else if (token === CLOSE_BRACE || token === CLOSE_BRACKET) open.pop();
    else if (token === STRING) lastString = scanner.getTokenValue();
    else if (token === COLON) {
      const names = open.at(-1);
      if (lastString === '__proto__' || names?.has(lastString) === true) return false;
      names?.add(lastString);
    }
    if (open.length > MAX_DEPTH) return false;
  }
  return true;
}
