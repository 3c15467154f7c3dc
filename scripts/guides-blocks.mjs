// A guide's fenced blocks: what each of them is to the project that its reader makes. CONTRIBUTING.md has the notation.
import { isAbsolute, normalize } from 'node:path';
import { lexer, walkTokens } from 'marked';

const NEW_PROJECT = 'in a new project';
const COPY = 'in a copy of the repository';
const SHELL = new Set(['sh', 'bash']);
/** `background` goes on while the rest is followed; `repository` is run there; `keycloak` needs a real one. */
const FLAGS = new Set(['background', 'repository', 'keycloak']);

/**
 * Reads a guide, or gives undefined for a document that does not say that it is one: whether it is followed in a `copy` of the
 * repository, the name of the guide it `continues` (if any), which `tsconfigs` compile its TypeScript, and its `blocks`
 * in order, each with its `line` and `kind`: `file` (`path`, `text`), `patch` (`text`) or `run` (`text`, `flags`, and `prints`).
 *
 * @throws Error that lists every block which would be neither written, nor applied, nor run.
 */
export function readGuide(markdown, document) {
  const tokens = withLines(lexer(markdown)).filter(({ type }) => type !== 'space');
  const comments = Object.fromEntries(tokens.flatMap(comment));
  if (comments.guide === undefined) return undefined;
  const { faults, blocks } = readBlocks(tokens);
  const continues = /^after (\S+)$/.exec(comments.guide)?.[1];
  if (continues === undefined && comments.guide !== NEW_PROJECT && comments.guide !== COPY) {
    faults.push({ line: 1, fault: `a guide is followed ${NEW_PROJECT}, ${COPY}, or after another` });
  }
  if (faults.length > 0) throw new Error(faults.map(({ line, fault }) => `${document}:${line}: ${fault}`).join('\n'));
  return {
    document,
    copy: comments.guide === COPY,
    continues,
    tsconfigs: (comments['compiled by'] ?? 'tsconfig.json').split(/\s+/),
    blocks,
  };
}

function readBlocks(tokens) {
  const [blocks, faults] = [[], []];
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'code') {
      if (holdsCode(token)) faults.push({ line: token.line, fault: 'a block inside a list or quotation is not run' });
      continue;
    }
    const { line } = token;
    const block = readBlock(token, tokens[index - 1]);
    if (block.fault !== undefined) faults.push({ line, ...block });
    else if (block.kind !== 'output') blocks.push({ line, ...block });
    else if (blocks.at(-1)?.kind === 'run' && blocks.at(-1).prints === undefined) blocks.at(-1).prints = block.text;
    else faults.push({ line, fault: 'output of nothing: a block that is run comes before it' });
  }
  return { blocks, faults };
}

/** A code token, and the token before it. */
function readBlock({ lang = '', text }, before) {
  const [language, ...flags] = lang.split(/\s+/);
  if (flags.length === 1 && flags[0] === 'output') return { kind: 'output', text };
  if (SHELL.has(language)) {
    const unknown = flags.filter((flag) => !FLAGS.has(flag));
    return unknown.length > 0 ? { fault: `unknown: ${unknown.join(' ')}` } : { kind: 'run', text, flags };
  }
  if (flags.length > 0) return { fault: `unknown: ${flags.join(' ')}` };
  if (language === 'diff') return { kind: 'patch', text: `${text}\n` };
  const path = fileNamed(before);
  if (path === undefined) return { fault: 'neither run nor compiled: name its file in a line before it' };
  if (isAbsolute(path) || normalize(path).startsWith('..')) return { fault: `${path} is outside the project` };
  return { kind: 'file', path, text: `${text}\n` };
}

/** The file of a paragraph that consists of nothing but its name, with or without a colon. */
function fileNamed(token) {
  if (token?.type !== 'paragraph') return undefined;
  const [name, colon, ...more] = token.tokens;
  if (name.type !== 'codespan' || more.length > 0 || (colon !== undefined && colon.text !== ':')) return undefined;
  return name.text;
}

/** `<!-- name: value -->` */
function comment({ type, text }) {
  const [, name, value] = (type === 'html' && /^<!-- ([a-z ]+): (.+) -->\s*$/.exec(text)) || [];
  return name === undefined ? [] : [[name, value]];
}

function holdsCode(token) {
  let found = false;
  walkTokens([token], ({ type }) => {
    found ||= type === 'code';
  });
  return found;
}

/** The tokens with the number of the line they begin at. */
function withLines(tokens) {
  let line = 1;
  return tokens.map((token) => {
    const numbered = { ...token, line };
    line += token.raw.split('\n').length - 1;
    return numbered;
  });
}
