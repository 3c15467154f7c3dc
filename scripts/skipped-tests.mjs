// Which tests a run of Jest skipped, by name: as a reporter for Jest, which leaves them in the file at SKIPPED_TESTS_FILE.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const SKIPPED = new Set(['pending', 'skipped', 'disabled']);
/** So many of one group are told by the group's name, if all of it was skipped. */
const MANY = 5;

export default class SkippedTestsReporter {
  #byName;

  constructor({ testNamePattern }) {
    // Jest reports those that -t keeps out as skipped, too.
    this.#byName = Boolean(testNamePattern);
  }

  onRunComplete(_contexts, { testResults }) {
    const file = process.env.SKIPPED_TESTS_FILE;
    if (file && !this.#byName) writeFileSync(file, JSON.stringify(skippedTests(testResults)));
  }
}

/**
 * The skipped tests of Jest's results, by their outermost groups: `{ suite, group, whole, names }` with the path of the suite,
 * `undefined` for the group of those that stand in none, whether nothing of the group ran, and full names.
 */
export function skippedTests(testResults) {
  return testResults.flatMap(({ testFilePath, testResults: tests }) => {
    const groups = new Set(tests.map(groupOf));
    return [...groups].flatMap((group) => {
      const all = tests.filter((test) => groupOf(test) === group);
      const names = all.filter(({ status }) => SKIPPED.has(status)).map(({ fullName }) => fullName);
      if (names.length === 0) return [];
      return [{ suite: relative('', testFilePath), group, whole: names.length === all.length, names }];
    });
  });
}

/** A line for each test; one for a group of which many, and all, were skipped. */
export function linesOf(skipped) {
  return skipped.flatMap(({ suite, group, whole, names }) =>
    whole && group !== undefined && names.length >= MANY
      ? [`${suite}: ${group} (all of it: ${names.length} tests)`]
      : names.map((name) => `${suite}: ${name}`),
  );
}

function groupOf({ ancestorTitles: [outermost] }) {
  return outermost;
}
