import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { paint } from '../common/processes.mjs';
import { copyRepository } from '../common/repository-copy.mjs';
import { faultsOfRelease, published, versionsWithoutSection } from './release-faults.mjs';
import { isSet, repositoryAddress } from './repository-address.mjs';
import { setAddress } from './set-address.mjs';

const WORKFLOW = '.github/workflows/publish.yml';
/** Other commands need GitHub, or could change something outside of the copy. */
const RUNS_HERE = /^(?:npm run|npm publish|node|test) (?!.*\$\{\{)/;
const PUBLISHES = /\bnpm publish\b/;
/** The log level hides the list of files. */
const DRY_RUN = { npm_config_dry_run: 'true', npm_config_loglevel: 'warn' };
const ADDRESS_TO_TRY = 'https://example.com/owner/name';
/** A step gets no token, and no variables of the `npm run` that runs this script. */
const NOT_INHERITED = /token|^npm_(?:package|lifecycle|command|config_local_prefix)|^INIT_CWD$/i;

/** @param {string} root @returns {Promise<number>} the exit code */
export async function dryRun(root) {
  const copy = mkdtempSync(join(tmpdir(), 'release-'));
  try {
    copyRepository(root, copy, { built: false });
    spawnSync('git', ['init', '--quiet'], { cwd: copy });
    await fillIn(copy);
    const steps = stepsOf(readFileSync(join(root, WORKFLOW), 'utf8'));
    if (!steps.some(({ run, runsHere }) => runsHere && PUBLISHES.test(run))) {
      throw new Error(`${WORKFLOW} has no step with npm publish that the dry run can execute`);
    }
    const environment = environmentOf(copy);
    const failed = steps.find((step) => step.runsHere && !passes(step.run, copy, environment));
    return summarize(root, steps, failed);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * Fills in the address and the heading of the changelog, so that the later steps are tried without them too.
 *
 * @param {string} copy
 */
async function fillIn(copy) {
  if (!isSet(repositoryAddress(copy))) await setAddress(copy, ADDRESS_TO_TRY);
  const changelog = join(copy, 'CHANGELOG.md');
  const headings = versionsWithoutSection(copy).map((version) => `## [${version}] - 2000-01-01\n`);
  writeFileSync(changelog, `${readFileSync(changelog, 'utf8')}\n${headings.join('\n')}`);
}

/** @typedef {{ run: string, runsHere: boolean }} Step */

/** @param {string} workflow @returns {Step[]} */
export function stepsOf(workflow) {
  /** @type {{ jobs: Record<string, { steps: { run?: string }[] }> }} */
  const { jobs } = parse(workflow);
  return Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .flatMap(({ run }) => (run === undefined ? [] : [run.trim()]))
    .map((run) => ({ run, runsHere: run.split('\n').every((line) => RUNS_HERE.test(line)) }));
}

/** @param {string} copy @returns {NodeJS.ProcessEnv} */
function environmentOf(copy) {
  const { origin, pathname } = new URL(repositoryAddress(copy));
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name));
  return {
    ...Object.fromEntries(inherited),
    CI: 'true',
    GITHUB_REF_NAME: tagOf(copy),
    GITHUB_SERVER_URL: origin,
    GITHUB_REPOSITORY: pathname.slice(1),
  };
}

/** @param {string} run @param {string} copy @param {NodeJS.ProcessEnv} environment */
function passes(run, copy, environment) {
  console.log(paint(1, `\n=== ${run}`));
  const began = performance.now();
  const env = PUBLISHES.test(run) ? { ...environment, ...DRY_RUN } : environment;
  const { status } = spawnSync('bash', ['-eo', 'pipefail', '-c', run], { cwd: copy, env, stdio: 'inherit' });
  console.log(paint(2, `--- exit code ${status} after ${((performance.now() - began) / 1000).toFixed(1)} s`));
  return status === 0;
}

/** @param {string} root @param {Step[]} steps @param {Step | undefined} failed */
function summarize(root, steps, failed) {
  const run = steps.filter(({ runsHere }) => runsHere);
  const others = steps.filter(({ runsHere }) => !runsHere).map((step) => step.run.split('\n')[0]);
  const faults = faultsOfRelease(root, {});
  console.log(`\nNot run here: ${others.join('; ') || 'nothing'}`);
  const result = failed === undefined ? `${run.length} steps of ${WORKFLOW} pass` : `this step fails: ${failed.run}`;
  const isReady = failed === undefined && faults.length === 0;
  const rest = faults.length === 0 ? '' : `. A release still fails: ${faults.join('; ')}`;
  console.log(paint(isReady ? 32 : 31, `Dry run of ${tagOf(root)}: ${result}${rest}`));
  return isReady ? 0 : 1;
}

/** @param {string} root */
const tagOf = (root) => `v${published(root)[0]?.manifest.version}`;
