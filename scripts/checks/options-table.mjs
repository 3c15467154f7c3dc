// npm run docs:options compares the options in libs/keycloak/README.md with their doc comments. The command fails if a
// table differs. With `-- --write`, the command writes the tables.
import '../common/help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { argumentsOf } from '../common/own-options.mjs';
import { paint } from '../common/processes.mjs';

const README = 'libs/keycloak/README.md';
const FOLDER = 'libs/keycloak/src/options';
const FILES = ['issuer.options.ts', 'keycloak.options.ts', 'service.options.ts'];
const TABLE = /(<!-- options: ([^>]*) -->\n)[^]*?(\n<!-- end of options -->)/g;
const UNITS = { Ms: ' ms', Seconds: ' s', Bytes: ' bytes' };

const { values: flags } = argumentsOf({ options: { write: { type: 'boolean' } } });
process.chdir(resolve(import.meta.dirname, '../..'));

const interfaces = new Map(FILES.flatMap((file) => interfacesIn(`${FOLDER}/${file}`)));
const before = readFileSync(README, 'utf8');
const filled = before.replace(TABLE, (_, begin, names, end) => `${begin}\n${tableOf(names.split(', '))}\n${end}`);
const after = await format(filled, { ...(await resolveConfig(README)), filepath: README });
if (!TABLE.test(before)) throw new Error(`${README} has no table of options`);
if (flags.write) writeFileSync(README, after);
else if (after !== before) {
  process.exitCode = 1;
  console.error(paint(31, `${README} differs from the doc comments: npm run docs:options -- --write`));
}

/** @param {string} path */
function interfacesIn(path) {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  return file.statements
    .filter(ts.isInterfaceDeclaration)
    .map((node) => /** @type {const} */ ([node.name.text, node.members.filter(ts.isPropertySignature)]));
}

/** @param {readonly string[]} names */
function tableOf(names) {
  const rows = names.flatMap((name) => {
    const members = interfaces.get(name);
    if (members === undefined) throw new Error(`${FOLDER} has no interface ${name}`);
    return members.map(rowOf);
  });
  return ['| option | default | range | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** @param {ts.PropertySignature} member */
function rowOf(member) {
  const name = member.name.getText();
  const [documentation] = ts.getJSDocCommentsAndTags(member);
  const text = ts.getTextOfJSDocComment(documentation?.comment)?.replace(/\s+/g, ' ') ?? '';
  const [, said = ''] = /\bDefault:? (.*?)(?:\.(?= |$)|: )/.exec(text) ?? [];
  const [fallback = '', ...others] = said.split(/, /);
  if (member.questionToken !== undefined && fallback === '')
    throw new Error(`${member.getSourceFile().fileName}: the comment of ${name} needs "Default …"`);
  const [range = ''] = /^\d.* to \d+$/.exec(others.join(', ')) ?? [];
  const unit = Object.entries(UNITS).find(([suffix]) => name.endsWith(suffix))?.[1] ?? '';
  const [meaning = ''] = text.split(/(?<=[.])\s(?=[A-Z])/);
  const isNumber = /^\d+$/.test(fallback);
  const cells = [
    `\`${name}\``,
    member.questionToken === undefined ? 'required' : fallback + (isNumber ? unit : ''),
    range + (range === '' ? '' : unit),
    meaning.replace(/\.$/, '').replaceAll('|', '\\|'),
  ];
  return `| ${cells.join(' | ')} |`;
}
