// Prints "<passed> <failed>" of Jest's JSON report, and writes the names of skipped suites and tests to a file.
// Usage: node .ci/jest-counts.mjs REPORT SKIPPED
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const [reportFile = '', skippedFile = ''] = process.argv.slice(2);
/** @type {import('@jest/test-result').FormattedTestResults} */
const report = JSON.parse(readFileSync(reportFile, 'utf8'));
const skipped = report.testResults.flatMap(({ name, assertionResults }) => {
  const suite = relative('', name);
  const left = assertionResults.filter(({ status }) => ['pending', 'skipped', 'disabled', 'todo'].includes(status));
  if (left.length > 0 && left.length === assertionResults.length) return [`${suite} (all of it)`];
  return left.map(({ fullName }) => `${suite}: ${fullName}`);
});
writeFileSync(skippedFile, skipped.map((line) => `${line}\n`).join(''));
// A suite that could not run has no failed test.
console.log(`${report.numPassedTests} ${report.numFailedTests + report.numRuntimeErrorTestSuites}`);
