// npm run compat -- --keycloak: the contract, the chain and the refusals on each Keycloak, from its distribution.
import { join } from 'node:path';
import { paint, runNode } from '../scripts/processes.mjs';

/** The newest of each line that is tried; Maven has their distributions. */
export const KEYCLOAKS = ['26.4.7', '26.6.4', '26.7.4'];

/** Parts of the paths of the specs. */
const SPECS = [
  'authorization-server.contract',
  'chain/',
  'demo/',
  'faults/(doctor|whose-fault|fault-matrix|signing-key)',
  'login/',
];

/** @param {AbortSignal} signal */
export async function tryKeycloaks(signal) {
  let status = 0;
  for (const version of KEYCLOAKS) {
    console.log(paint(1, `\nKeycloak ${version}`));
    const args = [
      join(import.meta.dirname, '../scripts/test.mjs'),
      '--authorization-server=distribution',
      `--testPathPatterns=${SPECS.join('|')}`,
      '--selectProjects=e2e',
    ];
    const code = await runNode(args, { env: { ...process.env, KEYCLOAK_VERSION: version }, signal });
    console.log(`Keycloak ${version}: ${code === 0 ? paint(32, 'passed') : paint(31, 'FAILED')}`);
    if (code !== 0) status = 1;
  }
  return status;
}
