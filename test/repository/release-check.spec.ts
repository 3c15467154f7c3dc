import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { faultsOfRelease } from '../../scripts/release/release-faults.mjs';
import { faultsOfPages } from '../../scripts/release/released-pages.mjs';
import { packBuilt } from '../../scripts/release/packed-library.mjs';
import { PLACEHOLDER } from '../../scripts/release/repository-address.mjs';
import { setAddress } from '../../scripts/release/set-address.mjs';
import { ReleaseRepository } from './release-repository.js';

const ADDRESS = 'https://git.example/acme/auth';
const TAGGED = `${ADDRESS}/blob/v1.2.3`;
const CURE = `npm run release:prepare -- ${ADDRESS}`;

let repository: ReleaseRepository;
beforeEach(() => {
  repository = new ReleaseRepository();
});
afterEach(() => repository.remove());

describe('while the address of the repository is unset', () => {
  it.each([[[]], [['--check']]])(
    'npm run release:prepare fails with one line and changes nothing: %j',
    async (args) => {
      expect(await repository.prepare(args)).toEqual({
        status: 1,
        stdout: '',
        stderr:
          'A release must fail: the address of the repository is not set: ' +
          'npm run release:prepare -- https://github.com/<owner>/<name>\n',
      });
      expect(repository.changed()).toEqual([]);
    },
  );
});

describe('a release with an address', () => {
  beforeEach(async () => {
    await setAddress(repository.folder, ADDRESS);
    repository.commit();
  });

  it('has no fault', () => {
    expect(faultsOfRelease(repository.folder, {})).toEqual([]);
  });

  it('has absolute links in the packed READMEs, and the command that installs the package', async () => {
    const prepared = await repository.prepare();
    expect(prepared).toMatchObject({ status: 0, stderr: '' });
    expect(prepared.stdout).toContain('one@1.2.3 is ready: npm publish --workspace libs/one --provenance\n');
    const packed = packBuilt(`${repository.folder}/libs/one`);
    expect(faultsOfPages(packed)).toEqual([]);
    const lines = packed.read('README.md').split('\n');
    expect(lines.slice(2, 10)).toEqual([
      `[![checks](${ADDRESS}/raw/v1.2.3/docs/badge.svg)](${TAGGED}/docs/checks.md) [guide](${TAGGED}/docs/guide.md#start) [folder](${ADDRESS}/tree/v1.2.3/docs)`,
      `[own file](${TAGGED}/libs/one/api/index.md "title"), [reference][ref], [this page](#one) and <https://example.org>`,
      '',
      `[ref]: ${TAGGED}/docs/reference.md`,
      '',
      `<img src="${ADDRESS}/raw/v1.2.3/docs/picture.png" alt="a picture" />`,
      '',
      '```sh',
    ]);
    expect(lines.slice(10)).toEqual(['npm install one', '```', '', '```ts', 'handlers[name](request);', '```', '']);
    expect(repository.read('AGENTS.md')).toBe(`[guide](${TAGGED}/docs/guide.md)\n`);
    expect(repository.changed()).toEqual(['AGENTS.md', 'libs/one/README.md']);
  });

  it('can be prepared twice', async () => {
    await repository.prepare();
    repository.commit();
    expect((await repository.prepare()).status).toBe(0);
    expect(repository.changed()).toEqual([]);
  });

  it('does not publish a README with links that are dead on a registry page', () => {
    const faults = faultsOfPages(packBuilt(`${repository.folder}/libs/one`));
    expect(faults).toContain('README.md: the relative link to ../../docs/guide.md is dead on a registry page');
    expect(faults).toContain('README.md says that the package is not released');
    expect(faults).toHaveLength(8);
  });

  it.each<[string, string, (text: string) => string, string]>([
    [
      'a package without the address',
      'libs/two/package.json',
      (text) => text.replace('acme/auth/issues', 'acme/old'),
      `libs/two/package.json does not name the repository and its folder: ${CURE}`,
    ],
    [
      'a placeholder in a later file',
      'SUPPORT.md',
      () => `<${PLACEHOLDER}/discussions>\n`,
      `SUPPORT.md has ${PLACEHOLDER}: ${CURE}`,
    ],
    [
      'a placeholder of the maintainers',
      'MAINTAINERS.md',
      () => '- @maintainers\n',
      `MAINTAINERS.md has @maintainers: ${CURE}`,
    ],
    [
      'packages with different versions',
      'libs/two/package.json',
      (text) => text.replace('1.2.3', '1.2.4'),
      'the packages have different versions: 1.2.3, 1.2.4. Set the same version',
    ],
    [
      'a version without a section of the changelog',
      'CHANGELOG.md',
      (text) => text.replace('## [1.2.3] - 2026-01-02', ''),
      'CHANGELOG.md has no section for 1.2.3: add the heading with a date below [Unreleased]',
    ],
  ])('fails with %s', (_, file, edit, fault) => {
    repository.write(file, edit(repository.read(file)));
    expect(faultsOfRelease(repository.folder, {})).toContain(fault);
  });

  it('fails in a workflow of another repository, because npm would refuse the provenance', () => {
    const inActions = (name: string) => ({ GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: name });
    expect(faultsOfRelease(repository.folder, inActions('acme/auth'))).toEqual([]);
    expect(faultsOfRelease(repository.folder, inActions('fork/auth'))).toEqual([
      expect.stringContaining('but the workflow runs in https://git.example/fork/auth: npm run release:prepare'),
    ]);
  });
});
