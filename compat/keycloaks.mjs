import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'prettier';
import { paint, runNode } from '../scripts/common/processes.mjs';
import { KEYCLOAKS } from './cells.mjs';
import { keycloakTable, PAGE, withKeycloakTable, WRITTEN } from './page.mjs';

/** @typedef {{ version: string, passed: number, failed: number, skipped: number }} KeycloakResult */

const SPECS = ['contract-spec', 'chain/', 'demo/', 'faults/(doctor|whose-fault|fault-matrix|signing-key)', 'login/'];

/**
 * @param {AbortSignal} signal
 * @param {readonly string[]} [named] without these versions, updates the page
 */
export async function tryKeycloaks(signal, named = []) {
  const unknown = named.filter((version) => !KEYCLOAKS.includes(version));
  if (unknown.length > 0)
    throw new Error(`Unknown version: ${unknown.join(', ')}. Versions are: ${KEYCLOAKS.join(', ')}`);
  let status = 0;
  /** @type {KeycloakResult[]} */
  const results = [];
  const folder = mkdtempSync(join(tmpdir(), 'compat-keycloak-'));
  try {
    for (const version of named.length > 0 ? named : KEYCLOAKS) {
      console.log(paint(1, `\nKeycloak ${version}`));
      const file = join(folder, `${version}.json`);
      const code = await trySpecs(version, file, signal);
      console.log(`Keycloak ${version}: ${code === 0 ? paint(32, 'passed') : paint(31, 'FAILED')}`);
      if (code !== 0) status = 1;
      results.push({ version, ...countsIn(file) });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (named.length > 0) return status;
  const page = withKeycloakTable(readFileSync(PAGE, 'utf8'), keycloakTable(results, new Date()));
  writeFileSync(PAGE, await format(page, WRITTEN));
  return status;
}

/**
 * @param {string} version
 * @param {string} outputFile
 * @param {AbortSignal} signal
 */
function trySpecs(version, outputFile, signal) {
  const args = [
    join(import.meta.dirname, '../scripts/checks/test.mjs'),
    '--authorization-server=distribution',
    `--testPathPatterns=${SPECS.join('|')}`,
    '--json',
    `--outputFile=${outputFile}`,
    '--selectProjects=e2e',
  ];
  return runNode(args, { env: { ...process.env, KEYCLOAK_VERSION: version }, signal });
}

/** @param {string} file */
function countsIn(file) {
  const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return {
    passed: Number(numPassedTests),
    failed: Number(numFailedTests) + Number(numRuntimeErrorTestSuites),
    skipped: Number(numPendingTests),
  };
}
