import type { HttpAnswer } from './http-call.js';

const FOREIGN_CLAIMS = {
  polluted: true,
  active: true,
  azp: 'polluted',
  scope: 'polluted',
  realm_access: { roles: ['polluted'] },
};

/** Writes JSON text, because `__proto__` in an object literal would set the prototype. */
export function withPrototypes(answer: HttpAnswer): HttpAnswer {
  const foreign = JSON.stringify(FOREIGN_CLAIMS);
  return prepend(answer, `"__proto__":${foreign},"constructor":{"prototype":${foreign}}`);
}

export const withMembers = (answer: HttpAnswer, members: Readonly<Record<string, unknown>>): HttpAnswer => ({
  ...answer,
  body: JSON.stringify({ ...(JSON.parse(answer.body || '{}') as object), ...members }),
});

export function withDuplicateKeys(answer: HttpAnswer): HttpAnswer {
  const members = Object.entries(JSON.parse(answer.body || '{}') as object);
  const others = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(another(value))}`);
  return prepend(answer, others.join(','));
}

export const asPlainText = (answer: HttpAnswer): HttpAnswer => ({
  ...answer,
  headers: { ...answer.headers, 'content-type': 'text/plain' },
});

export function inLatin1(answer: HttpAnswer, declared: boolean): HttpAnswer {
  const altered = prepend(answer, '"umlaut":"ü"');
  return declared
    ? { ...altered, headers: { ...altered.headers, 'content-type': 'application/json; charset=ISO-8859-1' } }
    : altered;
}

export const deeplyNested = (answer: HttpAnswer, levels: number): HttpAnswer =>
  prepend(answer, `"deep":${'['.repeat(levels)}${']'.repeat(levels)}`);

function prepend(answer: HttpAnswer, members: string): HttpAnswer {
  if (!answer.body.startsWith('{') || members === '') return answer;
  const rest = answer.body.slice(1);
  return { ...answer, body: `{${members}${rest === '}' ? '' : ','}${rest}` };
}

function another(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  return typeof value === 'string' ? `not-${value}` : null;
}
