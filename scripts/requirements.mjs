// Requirements and the tests that carry their IDs: read from a table in Markdown, and from the titles in spec files.
import ts from 'typescript';

const ROW = /^\|\s*([A-Z]{2}-\d{2})\s*\|\s*(.+?)\s*\|\s*(due|planned|not planned)\s*\|\s*$/;
// An ID, or the first of a range: RS-12, RS-12…16, RS-12 to RS-16.
const IDS = /\b([A-Z]{2})-(\d{2})(?:(?:…|\.\.\.?|–| to )(?:\1-)?(\d{2}))?\b/g;
const TEST_FUNCTIONS = new Set(['it', 'test', 'describe']);
const NOT_RUN = new Set(['skip', 'todo']);

/** The rows of the document's tables. A row that names an ID and can't be read is an error. */
function readRequirements(markdown) {
  const rows = markdown.split('\n').filter((line) => /^\|\s*[A-Z]{2}-\d/.test(line));
  return rows.map((line) => {
    const [, id, requirement, status] = ROW.exec(line) ?? [];
    if (id === undefined) throw new Error(`Not a requirement: ${line}`);
    return { id, requirement, status };
  });
}

/** Which requirements have tests: `specs` maps a path to its source. */
export function checkRequirements(markdown, specs) {
  const paths = new Map();
  for (const [path, source] of specs) {
    for (const id of titlesIn(path, source).flatMap(idsIn)) paths.set(id, [...(paths.get(id) ?? []), path]);
  }
  const requirements = readRequirements(markdown).map((one) => ({ ...one, tests: paths.get(one.id) ?? [] }));
  return {
    requirements,
    missing: requirements.filter(({ status, tests }) => status === 'due' && tests.length === 0).map(({ id }) => id),
    unknown: [...paths].filter(([id]) => !requirements.some((one) => one.id === id)),
  };
}

/** The IDs in a title, ranges spelt out. */
function idsIn(title) {
  return [...title.matchAll(IDS)].flatMap(([, letters, first, last = first]) =>
    Array.from({ length: Math.max(0, last - first) + 1 }, (_, offset) => {
      const number = Number(first) + offset;
      return `${letters}-${String(number).padStart(2, '0')}`;
    }),
  );
}

/** The titles of the tests and groups in a spec, those of the rows of a table too; what is skipped is left out. */
function titlesIn(path, source) {
  const titles = [];
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true));
  return titles;

  function visit(node) {
    const called = ts.isCallExpression(node) ? testCall(node) : undefined;
    if (called?.skipped) return;
    if (called) titles.push(...called.texts);
    ts.forEachChild(node, visit);
  }
}

/** What a call of it, test or describe (`.each` too) gives for a title; undefined for any other call. */
function testCall({ expression, arguments: [title] }) {
  const ofTable = ts.isCallExpression(expression);
  const names = (ofTable ? expression.expression : expression).getText().split('.');
  if (!TEST_FUNCTIONS.has(names[0]) || ofTable !== (names.at(-1) === 'each') || title === undefined) return undefined;
  if (names.some((name) => NOT_RUN.has(name))) return { skipped: true };
  const text = ts.isStringLiteralLike(title) ? title.text : title.getText();
  return { skipped: false, texts: [text, ...(ofTable ? expression.arguments.flatMap(rowTitles) : [])] };
}

/** The texts in a table's rows, of which `%s` puts some into the title. */
function rowTitles(table) {
  if (!ts.isArrayLiteralExpression(table)) return [];
  return table.elements.flatMap((row) =>
    (ts.isArrayLiteralExpression(row) ? [...row.elements] : [row])
      .filter(ts.isStringLiteralLike)
      .map(({ text }) => text),
  );
}
