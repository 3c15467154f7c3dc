import { mkdirSync, writeFileSync } from 'node:fs';
import { testServer } from 'keycloak-test-servers';
import { linesOf, skippedTests } from './skipped-tests.mjs';

const SKIPPED_FILE = 'test-results/skipped-tests.txt';
/** On a terminal, Jest itself shows the progress, so this interval does not apply. */
const TELL_EVERY_MS = 10_000;

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * @typedef {object} SuiteCounts
 * @property {number} numTotalTestSuites
 * @property {number} numPassedTestSuites
 * @property {number} numFailedTestSuites
 * @property {number} numPendingTestSuites
 */

export default class RunReport {
  #began = 0;
  #lastTold = 0;
  /** @type {Error | undefined} */
  #error;
  /** True for a run with -t, which makes Jest report the excluded tests as skipped. */
  #byName;
  #isTerminal;
  #skippedFile;

  /**
   * @param {{ readonly testNamePattern?: string }} globalConfig
   * @param {{ readonly isTerminal?: boolean, readonly skippedFile?: string }} [options] from Jest's configuration
   */
  constructor({ testNamePattern }, { isTerminal = process.stderr.isTTY, skippedFile = SKIPPED_FILE } = {}) {
    this.#byName = Boolean(testNamePattern);
    this.#isTerminal = isTerminal;
    this.#skippedFile = skippedFile;
  }

  /**
   * @param {SuiteCounts} results
   * @param {{ readonly estimatedTime: number }} options seconds, or 0 if no suite has run here before
   */
  onRunStart({ numTotalTestSuites }, { estimatedTime }) {
    this.#began = this.#lastTold = Date.now();
    const server = serverOfRun();
    const against = server === undefined ? 'without a server' : `against ${nameOf(server)}`;
    const time = estimatedTime > 0 ? `some ${inWords(estimatedTime)}, by the last run here` : 'not run here before';
    say(`Running ${numTotalTestSuites} suites ${against} (${time})\n`);
  }

  /**
   * @param {unknown} _test
   * @param {unknown} _result
   * @param {SuiteCounts} results
   */
  onTestResult(_test, _result, results) {
    const now = Date.now();
    if (this.#isTerminal || now - this.#lastTold < TELL_EVERY_MS) return;
    this.#lastTold = now;
    const done = results.numPassedTestSuites + results.numFailedTestSuites + results.numPendingTestSuites;
    const failed = results.numFailedTestSuites === 0 ? '' : `, ${results.numFailedTestSuites} of them failed`;
    const seconds = Math.round((now - this.#began) / 1000);
    say(`--- ${done} of ${results.numTotalTestSuites} suites after ${inWords(seconds)}${failed}`);
  }

  /**
   * @param {unknown} _contexts
   * @param {{ readonly testResults: readonly import('./skipped-tests.mjs').SuiteResult[] }} results
   */
  onRunComplete(_contexts, { testResults }) {
    const server = serverOfRun();
    if (server === undefined) return;
    const skipped = this.#byName ? 0 : this.#sayWhatWasSkipped(testResults, server.kind);
    say(`\nRan against ${nameOf(server)} (AUTHORIZATION_SERVER=${process.env.AUTHORIZATION_SERVER ?? ''}).`);
    if (server.fallbackReason !== undefined) say(server.fallbackReason);
    if (skipped === 0 || process.env.TEST_COMPLETE !== 'true') return;
    this.#error = new Error(`--complete: ${skipped} tests were skipped`);
    say(this.#error.message);
  }

  getLastError() {
    return this.#error;
  }

  /**
   * @param {readonly import('./skipped-tests.mjs').SuiteResult[]} testResults
   * @param {import('keycloak-test-servers').ServerKind} kind
   */
  #sayWhatWasSkipped(testResults, kind) {
    const skipped = skippedTests(testResults);
    const names = skipped.flatMap(({ suite, names: ofGroup }) => ofGroup.map((name) => `${suite}: ${name}`));
    mkdirSync('test-results', { recursive: true });
    writeFileSync(this.#skippedFile, names.map((name) => `${name}\n`).join(''));
    if (names.length === 0) return 0;
    const needed = { embedded: 'a real Keycloak, or ', external: 'a Keycloak that npm test starts itself, or ' };
    const others = kind === 'embedded' || kind === 'external' ? needed[kind] : '';
    say(
      `\n${names.length} tests were skipped, which need ${others}a tool or a feature that is not here (each by name in ${this.#skippedFile}):`,
    );
    for (const line of linesOf(skipped)) say(`  ${line}`);
    return names.length;
  }
}

function serverOfRun() {
  return process.env.TEST_AUTHORIZATION_SERVER === undefined ? undefined : testServer();
}

/** @param {import('keycloak-test-servers').TestServer} server */
export function nameOf({ kind, baseUrl, version }) {
  switch (kind) {
    case 'external':
      return `the Keycloak at ${baseUrl}`;
    case 'embedded':
      return 'the embedded authorization server, which answers as Keycloak does but is not Keycloak';
    default:
      return `Keycloak ${version} ${kind === 'docker' ? 'in Docker' : 'from its distribution'}`;
  }
}

/** @param {number} seconds */
function inWords(seconds) {
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
