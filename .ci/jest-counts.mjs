// Prints the numbers of passed and failed tests in Jest's JSON report. Writes skipped and failed tests to files, and
// appends the first lines of failures to MESSAGES. Usage: node .ci/jest-counts.mjs REPORT SKIPPED FAILED MESSAGES
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const LINES_OF_MESSAGE = 24;

const [reportFile = '', skippedFile = '', failedFile = '', messagesFile = ''] = process.argv.slice(2);
/** @type {import('@jest/test-result').FormattedTestResults} */
const report = JSON.parse(readFileSync(reportFile, 'utf8'));
/** @type {string[]} */
const skipped = [];
/** @type {string[]} */
const failed = [];
/** @type {string[]} */
const messages = [];
for (const { name, message, assertionResults, status: outcome } of report.testResults) {
  const suite = relative('', name);
  const left = assertionResults.filter(({ status }) => ['pending', 'skipped', 'disabled', 'todo'].includes(status));
  if (left.length > 0 && left.length === assertionResults.length) skipped.push(`${suite} (all of it)`);
  else skipped.push(...left.map(({ fullName }) => `${suite}: ${fullName}`));
  const red = assertionResults.filter(({ status }) => status === 'failed');
  failed.push(...red.map(({ fullName }) => `${suite}: ${fullName}`));
  if (outcome === 'failed' && red.length === 0) failed.push(`${suite} (could not run)`);
  if (outcome === 'failed') messages.push(...message.trim().split('\n').slice(0, LINES_OF_MESSAGE));
}
const lines = (/** @type {string[]} */ names) => names.map((name) => `${name}\n`).join('');
writeFileSync(skippedFile, lines(skipped));
writeFileSync(failedFile, lines(failed));
appendFileSync(messagesFile, lines(messages));
// A suite that could not run has no failed test.
console.log(`${report.numPassedTests} ${report.numFailedTests + report.numRuntimeErrorTestSuites}`);
