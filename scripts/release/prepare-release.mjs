// npm run release:prepare -- https://github.com/<owner>/<name> sets the address of the repository in every file, and the
// handle of the maintainers (--maintainers @owner/team, by default @owner). Without an address, the command makes the
// links of the packages' pages absolute, as publish.yml needs. With --check, the command only names what a release
// lacks. With --dry-run, the command runs the steps of publish.yml in a copy, and publishes nothing.
import '../common/help.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint } from '../common/processes.mjs';
import { dryRun } from './dry-run.mjs';
import { faultsOfRelease, published } from './release-faults.mjs';
import { preparePages } from './released-pages.mjs';
import { parseAddress, repositoryAddress } from './repository-address.mjs';
import { parseHandle, setAddress } from './set-address.mjs';

const root = process.cwd();
const { values: flags, positionals } = argumentsOf({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, maintainers: { type: 'string' } },
});

try {
  const [address, ...others] = positionals;
  if (others.length > 0 || [address !== undefined, flags.check, flags['dry-run']].filter(Boolean).length > 1) {
    throw new Error('Give one address, or --check, or --dry-run; --help describes them.');
  }
  if (flags.maintainers !== undefined && address === undefined) throw new Error('--maintainers needs an address');
  if (address !== undefined) await set(parseAddress(address), flags.maintainers);
  else if (flags['dry-run']) process.exitCode = await dryRun(root);
  else if (printFaults() && !flags.check) prepare();
} catch (error) {
  console.error(paint(31, messageOf(error)));
  process.exitCode = 1;
}

/** @param {string} address @param {string | undefined} maintainers */
async function set(address, maintainers) {
  const handle = maintainers === undefined ? undefined : parseHandle(maintainers);
  const changed = await setAddress(root, address, handle);
  for (const file of changed) console.log(file);
  console.log(`${address}: ${changed.length} files changed`);
}

function printFaults() {
  const faults = faultsOfRelease(root, process.env);
  for (const fault of faults) console.error(paint(31, `A release must fail: ${fault}`));
  if (faults.length > 0) process.exitCode = 1;
  return faults.length === 0;
}

function prepare() {
  preparePages(root, repositoryAddress(root));
  for (const { folder, manifest } of published(root)) {
    console.log(`${manifest.name}@${manifest.version} is ready: npm publish --workspace ${folder} --provenance`);
  }
}
