import ts from 'typescript';

const ROW = /^\|\s*([A-Z]{2}-\d{2})\s*\|\s*([^|]+?)\s*\|\s*$/;
// Matches an id or a range of ids: RS-12, RS-12…16, RS-12 to RS-16.
const IDS = /\b([A-Z]{2})-(\d{2})(?:(?:…|\.\.\.?|–| to )(?:\1-)?(\d{2}))?\b/g;
const TEST_FUNCTIONS = new Set(['it', 'test', 'describe']);
const NOT_RUN = new Set(['skip', 'todo']);

/** @param {string} markdown */
function readRequirements(markdown) {
  const rows = markdown.split('\n').filter((line) => /^\|\s*[A-Z]{2}-\d/.test(line));
  return rows.map((line) => {
    const [, id, requirement] = ROW.exec(line) ?? [];
    if (id === undefined || requirement === undefined) throw new Error(`Not a requirement: ${line}`);
    return { id, requirement };
  });
}

/**
 * @param {string} markdown
 * @param {ReadonlyMap<string, string>} specs
 */
export function checkRequirements(markdown, specs) {
  /** @type {Map<string, string[]>} */
  const paths = new Map();
  for (const [path, source] of specs) {
    for (const id of titlesIn(path, source).flatMap(idsIn)) paths.set(id, [...(paths.get(id) ?? []), path]);
  }
  const requirements = readRequirements(markdown).map((one) => ({ ...one, tests: paths.get(one.id) ?? [] }));
  return {
    requirements,
    missing: requirements.filter(({ tests }) => tests.length === 0).map(({ id }) => id),
    unknown: [...paths].filter(([id]) => !requirements.some((one) => one.id === id)),
  };
}

/** @param {string} title */
function idsIn(title) {
  return [...title.matchAll(IDS)].flatMap(([, letters, first, last = first]) =>
    Array.from({ length: Math.max(0, Number(last) - Number(first)) + 1 }, (_, offset) => {
      const number = Number(first) + offset;
      return `${letters}-${String(number).padStart(2, '0')}`;
    }),
  );
}

/**
 * @param {string} path
 * @param {string} source
 */
function titlesIn(path, source) {
  /** @type {string[]} */
  const titles = [];
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true));
  return titles;

  function visit(/** @type {ts.Node} */ node) {
    const called = ts.isCallExpression(node) ? testCall(node) : undefined;
    if (called === 'skipped') return;
    if (called !== undefined) titles.push(...called);
    ts.forEachChild(node, visit);
  }
}

/**
 * @param {ts.CallExpression} call
 * @returns {string[] | 'skipped' | undefined}
 */
function testCall({ expression, arguments: [title] }) {
  const table = ts.isCallExpression(expression) ? expression : undefined;
  const names = (table?.expression ?? expression).getText().split('.');
  if (!TEST_FUNCTIONS.has(names[0] ?? '') || title === undefined) return undefined;
  if ((table !== undefined) !== (names.at(-1) === 'each')) return undefined;
  if (names.some((name) => NOT_RUN.has(name))) return 'skipped';
  const text = ts.isStringLiteralLike(title) ? title.text : title.getText();
  return [text, ...(table?.arguments.flatMap(rowTitles) ?? [])];
}

/**
 * @param {ts.Expression} table
 * @returns {string[]}
 */
function rowTitles(table) {
  if (!ts.isArrayLiteralExpression(table)) return [];
  return table.elements.flatMap((row) =>
    (ts.isArrayLiteralExpression(row) ? [...row.elements] : [row])
      .filter(ts.isStringLiteralLike)
      .map(({ text }) => text),
  );
}
