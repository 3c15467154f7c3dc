import { relative } from 'node:path';

/**
 * @typedef {{ readonly ancestorTitles: readonly string[], readonly fullName: string, readonly status: string }} TestCase
 * @typedef {{ readonly testFilePath: string, readonly testResults: readonly TestCase[] }} SuiteResult
 *
 * `whole` means that no test of the outermost group ran.
 * @typedef {{ readonly suite: string, readonly group: string | undefined, readonly whole: boolean, readonly names: string[] }} Skipped
 */

const SKIPPED = new Set(['pending', 'skipped', 'disabled']);
/** A fully skipped group of at least this many tests gets only one line. */
const MANY = 5;

/**
 * @param {readonly SuiteResult[]} testResults
 * @returns {Skipped[]}
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

/** @param {readonly Skipped[]} skipped */
export function linesOf(skipped) {
  return skipped.flatMap(({ suite, group, whole, names }) =>
    whole && group !== undefined && names.length >= MANY
      ? [`${suite}: ${group} (all of it: ${names.length} tests)`]
      : names.map((name) => `${suite}: ${name}`),
  );
}

const groupOf = (/** @type {TestCase} */ { ancestorTitles: [outermost] }) => outermost;
