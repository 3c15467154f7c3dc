// npm run docs:pieces compares the code blocks of the documents with the quoted files. With `-- --write`, the command
// updates the documents. The line before a code block must link the quoted file and end with a colon. By default, a
// block quotes the whole file. If `#name` follows the language, a block quotes the lines between `// #region name` and
// `// #endregion name`. With `#/a/0`, a block quotes the JSON value at that path.
import '../common/help.mjs';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { argumentsOf } from '../common/own-options.mjs';

const BLOCK = /^( *)```([^\n`]*)\n[^]*?^\1```$/gm;
const LINK_BEFORE = /\]\((?!https?:)([^)\s]+)\):\n\n$/;
const MARKER = /^\s*(?:\/\/|#) #(?:end)?region /;
const NO_CODE = new Set(['sh', 'text', 'mermaid']);
/** This document quotes a generated service, and another command checks the quotes. */
const ELSEWHERE = 'docs/add-a-service.md';

const { values: flags, positionals } = argumentsOf({ allowPositionals: true, options: { write: { type: 'boolean' } } });
for (const document of positionals.length > 0 ? positionals : everyDocument()) {
  const markdown = readFileSync(document, 'utf8');
  const { shown, faults } = await upToDate(markdown, document);
  if (flags.write) writeFileSync(document, shown);
  else if (shown !== markdown) faults.push(firstDifference(markdown, shown));
  for (const fault of faults) console.error(`${document}:${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

function everyDocument() {
  const pathsIn = (/** @type {string} */ folder) => readdirSync(folder).map((name) => `${folder}/${name}`);
  const all = ['README.md', 'AGENTS.md', ...pathsIn('docs'), ...pathsIn('libs').map((folder) => `${folder}/README.md`)];
  return all.filter((path) => path.endsWith('.md') && path !== ELSEWHERE && existsSync(path));
}

/** @param {string} markdown @param {string} document @returns the document with current, formatted code blocks */
async function upToDate(markdown, document) {
  /** @type {string[]} */
  const faults = [];
  const replaced = markdown.replaceAll(BLOCK, (block, indent, info, offset) => {
    const before = markdown.slice(0, offset);
    const [language, selector] = info.split(' ');
    const path = LINK_BEFORE.exec(before)?.[1];
    if (NO_CODE.has(language)) return block;
    try {
      if (indent !== '') throw new Error('a piece is not indented');
      if (path === undefined)
        throw new Error('the code has no file: the line before it must link a file and end with a colon');
      return `\`\`\`${info}\n${piece(join(dirname(document), path), selector)}\n\`\`\``;
    } catch (error) {
      faults.push(`${before.split('\n').length}: ${error instanceof Error ? error.message : error}`);
      return block;
    }
  });
  return { shown: await format(replaced, { ...(await resolveConfig(document)), parser: 'markdown' }), faults };
}

/** @param {string} file @param {string} [selector] */
function piece(file, selector) {
  const text = readFileSync(file, 'utf8').trimEnd();
  if (selector?.startsWith('#/')) return JSON.stringify(pointed(JSON.parse(text), selector), null, 2);
  const all = text.split('\n');
  const at = (/** @type {string} */ marker) => all.findIndex((line) => MARKER.test(line) && line.endsWith(marker));
  const name = selector?.slice('#'.length);
  const [start, end] = selector === undefined ? [-1, all.length] : [at(` #region ${name}`), at(`#endregion ${name}`)];
  if (end <= start || (selector !== undefined && start === -1)) throw new Error(`${file} has no region ${selector}`);
  const lines = all.slice(start + 1, end).filter((line) => !MARKER.test(line));
  const margin = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(margin)).join('\n');
}

/** @param {any} json @param {string} path @returns {unknown} */
function pointed(json, path) {
  let found = json;
  for (const key of path.slice('#/'.length).split('/')) found = found?.[key];
  if (found === undefined) throw new Error(`${path} does not exist`);
  return found;
}

/** @param {string} markdown @param {string} shown */
function firstDifference(markdown, shown) {
  const [lines, due] = [markdown.split('\n'), shown.split('\n')];
  const at = lines.findIndex((line, index) => line !== due[index]);
  return `${at + 1}: out of date (npm run docs:pieces -- --write): "${lines[at]}" is "${due[at]}" now`;
}
