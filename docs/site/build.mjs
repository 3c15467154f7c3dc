// npm run docs:site builds the documentation as a static site in docs/site/dist. The command fails for a dead link, and
// for a page that loads files from elsewhere. If Chromium is installed, the command opens five pages, and fails for a
// page that is not accessible or is too wide for a phone. `-- --base /name` sets the path of the site on its server. `-- --serve` shows the site
// on this machine, and builds a page again after each change.
import '../../scripts/common/help.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { findChromium, HOW_TO_GET_CHROMIUM } from '../../scripts/common/chromium.mjs';
import { argumentsOf } from '../../scripts/common/own-options.mjs';
import { runNode } from '../../scripts/common/processes.mjs';
import { ROOT } from './addresses.mjs';
import { linkFaults } from './check-links.mjs';
import { pageFaults } from './check-pages.mjs';

const SITE = 'docs/site';
const PICTURES = 'test-results/screenshots/site';

const { values: options } = argumentsOf({ options: { base: { type: 'string' }, serve: { type: 'boolean' } } });
// GitHub names the base without a slash at the end.
const base = `/${options.base ?? ''}/`.replaceAll(/\/+/g, '/');
process.chdir(ROOT);

await Promise.all([
  npm('ci', '--ignore-scripts', '--no-progress', '--prefix', SITE),
  npm('run', '--silent', 'docs:api'),
]);
const command = options.serve ? 'dev' : 'build';
const exitCode = await runNode([`${SITE}/node_modules/vitepress/bin/vitepress.js`, command, SITE, '--base', base]);
if (exitCode !== 0 || options.serve) process.exit(exitCode);

const faults = linkFaults(`${SITE}/dist`, base);
const executablePath = findChromium(process.env);
if (executablePath !== undefined) {
  const pictures = process.env.SCREENSHOTS === 'true' ? PICTURES : undefined;
  if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
  faults.push(...(await pageFaults({ folder: `${SITE}/dist`, base, executablePath, pictures })));
} else if (process.env.CI) {
  faults.push(`Chromium was not found. ${HOW_TO_GET_CHROMIUM}`);
} else {
  console.log(`The pages were not opened: Chromium was not found. ${HOW_TO_GET_CHROMIUM}`);
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log(`${SITE}/dist is complete`);

/** @param {string[]} args */
async function npm(...args) {
  const [status] = await once(spawn('npm', args, { stdio: 'inherit' }), 'close');
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
}
