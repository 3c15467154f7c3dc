// Which tests a run of Jest skipped, by name.
import { relative } from 'node:path';

/**
 * The part of Jest's results that is read.
 *
 * @typedef {{ readonly ancestorTitles: readonly string[], readonly fullName: string, readonly status: string }} TestCase
 * @typedef {{ readonly testFilePath: string, readonly testResults: readonly TestCase[] }} SuiteResult
 *
 * The skipped ones of an outermost group; `whole` when nothing of the group ran.
 * @typedef {{ readonly suite: string, readonly group: string | undefined, readonly whole: boolean, readonly names: string[] }} Skipped
 */

const SKIPPED = new Set(['pending', 'skipped', 'disabled']);
/** From this number on, a group that was skipped as a whole is reported by its name. */
const MANY = 5;

/**
 * By suite and outermost group, which is `undefined` for those that stand in none, with full names.
 *
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

/**
 * A line for each test; one for a group of which many, and all, were skipped.
 *
 * @param {readonly Skipped[]} skipped
 */
export function linesOf(skipped) {
  return skipped.flatMap(({ suite, group, whole, names }) =>
    whole && group !== undefined && names.length >= MANY
      ? [`${suite}: ${group} (all of it: ${names.length} tests)`]
      : names.map((name) => `${suite}: ${name}`),
  );
}

const groupOf = (/** @type {TestCase} */ { ancestorTitles: [outermost] }) => outermost;
