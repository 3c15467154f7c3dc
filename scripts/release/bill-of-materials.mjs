// npm run bill-of-materials writes a CycloneDX file for each published package. The file lists all packages that an
// installation of only this package needs. Each peer has the newest permitted version; applications may have other
// versions.
import '../common/help.mjs';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argumentsOf } from '../common/own-options.mjs';
import { packLibrary, publishedLibraries } from './packed-library.mjs';

argumentsOf({ options: {} });

for (const library of publishedLibraries()) {
  const { manifest, tarball } = packLibrary(library);
  const folder = mkdtempSync(join(tmpdir(), 'bill-'));
  const { name, version } = manifest;
  /** @param {string[]} args */
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `${name}-installed`, version, private: true }));
  npm('install', '--ignore-scripts', '--no-audit', '--no-fund', tarball);
  const bill = npm('sbom', '--sbom-format', 'cyclonedx');
  rmSync(folder, { recursive: true });
  /** @type {{ components: { name: string, version: string }[] }} */
  const { components } = JSON.parse(bill);
  const names = components.map((one) => one.name);
  const missing = Object.keys(manifest.dependencies ?? {}).filter((one) => !names.includes(one));
  if (missing.length > 0) throw new Error(`The bill of materials of ${name} lacks ${missing.join(', ')}`);
  writeFileSync(`${name}.cdx.json`, bill);
  console.log(`${name}.cdx.json: ${names.join(', ')}`);
}
