// npm run release:prepare -- https://github.com/<owner>/<name> prepares this checkout's packages for publishing from
// that repository. The command sets each package's repository and homepage, and makes links in READMEs and AGENTS.md
// absolute. The command only changes files and does not publish.
import '../common/help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { publishedLibraries } from './packed-library.mjs';
import { absoluteLinks } from './release-links.mjs';

const [repository = ''] = process.argv.slice(2);
if (!/^https:\/\/[^/]+\/[^/]+\/[^/]+$/.test(repository)) {
  console.error('Give the address of the repository: npm run release:prepare -- https://github.com/<owner>/<name>');
  process.exit(1);
}

const changelog = readFileSync('CHANGELOG.md', 'utf8');
for (const library of publishedLibraries()) {
  const folder = relative(process.cwd(), library);
  const manifestPath = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  if (!changelog.includes(`\n## [${manifest.version}] - `)) {
    console.error(
      `CHANGELOG.md has no section for ${manifest.version}: give the section [Unreleased] this number and a date`,
    );
    process.exit(1);
  }
  const released = {
    ...manifest,
    repository: { type: 'git', url: `git+${repository}.git`, directory: folder },
    homepage: `${repository}#readme`,
    bugs: `${repository}/issues`,
  };
  writeFileSync(manifestPath, `${JSON.stringify(released, null, 2)}\n`);
  const readme = join(folder, 'README.md');
  const tag = `v${manifest.version}`;
  writeFileSync(readme, absoluteLinks(readFileSync(readme, 'utf8'), { folder, repository, tag }));
  writeFileSync('AGENTS.md', absoluteLinks(readFileSync('AGENTS.md', 'utf8'), { folder: '.', repository, tag }));
  console.log(`${manifest.name}@${manifest.version} is ready: npm publish --workspace ${folder} --provenance`);
}
