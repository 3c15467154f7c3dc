/** Only the functions of this file create an `Expression`, so that a plain string never becomes Terraform code. */
export interface Expression {
  readonly code: string;
}

export const reference = (code: string): Expression => ({ code });

/** In a string, `${` and `%{` would begin a template. */
export const text = (given: string): Expression => ({
  code: JSON.stringify(given.replaceAll(/[\b\f]/g, ' ')).replaceAll(/[$%](?=\{)/g, '$&$&'),
});

export const list = (items: readonly Expression[]): Expression => ({
  code: `[${items.map(({ code }) => code).join(', ')}]`,
});

export const lines = (items: readonly Expression[]): Expression =>
  items.length === 0 ? list([]) : { code: `[\n${items.map(({ code }) => `    ${code},\n`).join('')}  ]` };

export function map(entries: readonly (readonly [key: string, value: Expression])[]): Expression {
  if (entries.length === 0) return { code: '{}' };
  const members = Object.fromEntries(entries.map(([key, value]) => [text(key).code, value]));
  return { code: `{\n${aligned(members, '    ')}  }` };
}

export const inline = (members: Readonly<Record<string, Expression>>): Expression => ({
  code: `{ ${Object.entries(members)
    .map(([key, { code }]) => `${key} = ${code}`)
    .join(', ')} }`,
});

export const block = (type: string, label: string, groups: readonly Readonly<Record<string, Expression>>[]): string =>
  `${type} "${label}" {\n${groups.map((group) => aligned(group, '  ')).join('\n')}}\n`;

function aligned(members: Readonly<Record<string, Expression>>, indent: string): string {
  const width = Math.max(...Object.keys(members).map(({ length }) => length));
  return Object.entries(members)
    .map(([key, { code }]) => `${indent}${key.padEnd(width)} = ${code}\n`)
    .join('');
}

export class TerraformNames {
  readonly #identifiers = new Map<string, Map<string, string>>();

  of(kind: string, key: string, label = key): string {
    const known = this.#identifiers.get(kind) ?? new Map<string, string>();
    this.#identifiers.set(kind, known);
    const found = known.get(key);
    if (found !== undefined) return found;
    const plain = label.replaceAll(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    const taken = new Set(known.values());
    let identifier = plain;
    for (let count = 2; taken.has(identifier); count += 1) identifier = `${plain}_${count}`;
    known.set(key, identifier);
    return identifier;
  }
}
