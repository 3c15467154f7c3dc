// npm run bill-of-materials writes a CycloneDX file for each published package. The file lists all packages that an
// installation of only this package needs. Each peer has the newest permitted version; applications may have other
// versions. The command fails if the license of a package is not allowed, or if the installation exceeds its budgets.
import '../common/help.mjs';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAllowed } from '../checks/production-licenses.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { packagesOf } from '../checks/installed-packages.mjs';
import { faultsOfBudget, figuresOfInstall, readBudgets } from '../checks/package-budgets.mjs';
import { packLibrary, publishedLibraries } from './packed-library.mjs';

argumentsOf({ options: {} });

const packages = publishedLibraries().map(packLibrary);
for (const { manifest, tarball } of packages) {
  // The registry does not have the new version of a peer yet.
  const peers = packages.filter((peer) => peer.manifest.name in (manifest.peerDependencies ?? {}));
  const folder = mkdtempSync(join(tmpdir(), 'bill-'));
  const { name, version } = manifest;
  /** @param {string[]} args */
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `${name}-installed`, version, private: true }));
  npm('install', '--ignore-scripts', '--no-audit', '--no-fund', tarball, ...peers.map((peer) => peer.tarball));
  const bill = npm('sbom', '--sbom-format', 'cyclonedx');
  const install = figuresOfInstall([...packagesOf(folder, { peers: true }).values()]);
  rmSync(folder, { recursive: true });
  /** @typedef {{ expression?: string, license?: { id?: string, name?: string } }} License */
  /** @type {{ components: { name: string, version: string, licenses?: License[] }[] }} */
  const { components } = JSON.parse(bill);
  const names = components.map((one) => one.name);
  const missing = Object.keys(manifest.dependencies ?? {}).filter((one) => !names.includes(one));
  if (missing.length > 0) throw new Error(`The bill of materials of ${name} lacks ${missing.join(', ')}`);
  for (const { name: component, licenses: [one] = [] } of components) {
    const license = one?.expression ?? one?.license?.id ?? one?.license?.name;
    if (!isAllowed(license)) throw new Error(`${component} has the license ${license}, which is not allowed`);
  }
  const faults = faultsOfBudget(install, readBudgets()[name]);
  if (faults.length > 0) throw new Error(`${name}: ${faults.join('\n')}`);
  writeFileSync(`${name}.cdx.json`, bill);
  console.log(`${name}.cdx.json: ${names.join(', ')}`);
}
