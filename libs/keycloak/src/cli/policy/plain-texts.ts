import { UsageError } from '../usage-error.js';

const NOT_PLAIN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** In a rendered file, Keycloak would replace `${…}`, and a line break would end a comment. */
export function refuseOtherThanPlain(texts: Iterable<string>, source: string): void {
  const faulty = [...new Set(texts)].filter((text) => text.includes('${') || text.search(NOT_PLAIN) >= 0);
  if (faulty.length === 0) return;
  throw new UsageError(
    `${source} must have neither \${ nor control, separator or invisible characters in a text: ${faulty.map(escaped).join(', ')}`,
  );
}

export function textsIn(json: unknown): string[] {
  if (typeof json === 'string') return [json];
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([name, value]) => [name, ...textsIn(value)]);
}

const escaped = (text: string): string =>
  JSON.stringify(text).replaceAll(NOT_PLAIN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
