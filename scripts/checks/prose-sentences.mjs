import ts from 'typescript';

/**
 * @typedef {object} Sentence
 * @property {number} line
 * @property {string} text
 */

const MIN_WORDS = 3;
const MIN_MESSAGE_LENGTH = 20;
const TITLED = new Set(['it', 'test', 'describe']);
const SAYS = /(?:^|\.)(?:log|warn|error|debug|fault)$|(?:Error|Exception)$/;
const DIRECTIVE = /^(?:@|eslint|oxlint|prettier|perf:|#|type |typedef)/;

/**
 * @param {string} path
 * @param {string} source
 * @returns {Sentence[]}
 */
export function sentencesOf(path, source) {
  const blocks = path.endsWith('.md') ? blocksOfMarkdown(source) : blocksOfCode(path, source);
  return blocks.flatMap(({ line, text }) =>
    plain(text)
      .split(/(?<=[.!?])\s+(?=[A-Z"'(*])/)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence.split(' ').length >= MIN_WORDS)
      .map((sentence) => ({ line, text: sentence })),
  );
}

/** @param {string} text */
const plain = (text) =>
  text
    .replace(/`[^`]*`|\$\{[^}]*\}/g, 'CODE')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*|<[^>]+>/g, '')
    .replace(/https?:\S+/g, 'URL')
    .replace(/\s+/g, ' ')
    .trim();

/** @param {string} source */
function blocksOfMarkdown(source) {
  /** @type {Sentence[]} */
  const blocks = [];
  /** @type {Sentence | undefined} */
  let open;
  let isCode = false;
  for (const [index, raw] of source.split('\n').entries()) {
    const text = raw.trim();
    if (text.startsWith('```')) isCode = !isCode;
    const isProse = !isCode && text !== '' && !/^(?:```|#|<|\||!\[|---)/.test(text);
    if (!isProse || /^(?:[-*]|\d+\.) /.test(text)) open = undefined;
    if (!isCode && text.startsWith('|')) {
      const cells = text.split('|').filter((cell) => cell.trim().split(' ').length > MIN_WORDS);
      blocks.push(...cells.map((cell) => ({ line: index + 1, text: cell })));
    }
    if (!isProse) continue;
    const words = text.replace(/^(?:[-*>]|\d+\.)\s+/, '');
    if (open === undefined) blocks.push((open = { line: index + 1, text: words }));
    else open.text += ` ${words}`;
  }
  return blocks;
}

/**
 * @param {string} path
 * @param {string} source
 */
function blocksOfCode(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  /** @param {number} position */
  const lineOf = (position) => file.getLineAndCharacterOfPosition(position).line + 1;
  const blocks = commentsOf(file).map(({ position, text }) => ({ line: lineOf(position), text }));
  /** @param {ts.Node} node */
  const visit = (node) => {
    const text = saidBy(node);
    if (text !== undefined) blocks.push({ line: lineOf(node.getStart()), text });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return blocks;
}

/** @param {ts.SourceFile} file */
function commentsOf(file) {
  const source = file.text;
  /** @type {Map<number, ts.CommentRange>} */
  const ranges = new Map();
  /** @param {ts.Node} node */
  const visit = (node) => {
    const around = [
      ...(ts.getLeadingCommentRanges(source, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(source, node.getEnd()) ?? []),
    ];
    for (const range of around) ranges.set(range.pos, range);
    for (const child of node.getChildren()) visit(child);
  };
  visit(file);
  /** @type {{ position: number, end: number, text: string, isTrailing: boolean }[]} */
  const comments = [];
  for (const { pos, end, kind } of [...ranges.values()].toSorted((one, other) => one.pos - other.pos)) {
    const text = source
      .slice(pos, end)
      .replace(/^\/\*\*?|\*\/$/g, '')
      .replace(/^\s*(?:\/\/|\*)[^\S\n]?/gm, '');
    const before = comments.at(-1);
    const continues =
      before !== undefined &&
      kind === ts.SyntaxKind.SingleLineCommentTrivia &&
      !before.isTrailing &&
      /^\n[^\S\n]*$/.test(source.slice(before.end, pos));
    if (continues) [before.text, before.end] = [`${before.text}\n${text}`, end];
    else comments.push({ position: pos, end, text, isTrailing: !/(?:^|\n)[^\S\n]*$/.test(source.slice(0, pos)) });
  }
  return comments.flatMap(({ position, text }) =>
    text
      .split(/\n\s*\n|\n(?=\s*@)|\n(?=\s*- )/)
      .map((part) => part.trim())
      .filter((part) => part !== '' && !DIRECTIVE.test(part))
      .map((part) => ({ position, text: part })),
  );
}

/** @param {ts.Node} node */
function saidBy(node) {
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return undefined;
  const said = node.arguments?.[0];
  if (said === undefined || !(ts.isStringLiteralLike(said) || ts.isTemplateExpression(said))) return undefined;
  const text = said.getText().slice(1, -1);
  const called = node.expression.getText();
  if (TITLED.has(called.split(/\W/)[0] ?? '')) return text;
  return SAYS.test(called) && text.length >= MIN_MESSAGE_LENGTH ? text : undefined;
}
