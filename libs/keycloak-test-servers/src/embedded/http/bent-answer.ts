/** Right answers with something wrong in their text. */
import type { HttpAnswer } from './http-call.js';

const FOREIGN_CLAIMS = {
  polluted: true,
  active: true,
  azp: 'polluted',
  scope: 'polluted',
  realm_access: { roles: ['polluted'] },
};

/** JSON text, as an object literal would set the prototype and lose the name. */
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

/** Its bytes are those of `body` in ISO-8859-1, of which `ü` is none in UTF-8. */
export function inLatin1(answer: HttpAnswer, declared: boolean): HttpAnswer {
  const bent = prepend(answer, '"umlaut":"ü"');
  return declared
    ? { ...bent, headers: { ...bent.headers, 'content-type': 'application/json; charset=ISO-8859-1' } }
    : bent;
}

export const deeplyNested = (answer: HttpAnswer, levels: number): HttpAnswer =>
  prepend(answer, `"deep":${'['.repeat(levels)}${']'.repeat(levels)}`);

/** Only an answer that is a JSON object has members to stand before. */
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
