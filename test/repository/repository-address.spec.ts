import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mentions, parseAddress, PLACEHOLDER } from '../../scripts/release/repository-address.mjs';
import { ReleaseRepository } from './release-repository.js';

const ADDRESS = 'https://git.example/acme/auth';
const WITH_ADDRESS = [
  '.github/CODEOWNERS',
  '.github/ISSUE_TEMPLATE/config.yml',
  'README.md',
  'SECURITY.md',
  'libs/one/package.json',
  'libs/two/package.json',
  'package.json',
];

describe('npm run release:prepare -- <address>', () => {
  let repository: ReleaseRepository;
  beforeEach(() => {
    repository = new ReleaseRepository();
  });
  afterEach(() => repository.remove());

  it('sets the address in every text file of the repository', async () => {
    const { status, stdout } = await repository.prepare([ADDRESS]);
    expect({ status, last: stdout.trim().split('\n').at(-1) }).toEqual({
      status: 0,
      last: `${ADDRESS}: ${WITH_ADDRESS.length} files changed`,
    });
    expect(repository.changed()).toEqual(WITH_ADDRESS);
    expect(repository.read('SECURITY.md')).toContain(`](${ADDRESS}/security/advisories/new)`);
    expect(repository.read('README.md')).toBe(`![badge](${ADDRESS}/actions/workflows/ci.yml/badge.svg) ${ADDRESS}.\n`);
    expect(repository.read('.github/ISSUE_TEMPLATE/config.yml')).toContain(`url: ${ADDRESS}/discussions\n`);
    expect(repository.read('.github/CODEOWNERS')).toBe('* @acme\n');
    expect(repository.read('docs/picture.png')).toContain(PLACEHOLDER);
  });

  it('names the repository and the folder in the manifest of each published package', async () => {
    await repository.prepare([ADDRESS]);
    expect(repository.manifest('libs/one')).toMatchObject({
      repository: { type: 'git', url: `git+${ADDRESS}.git`, directory: 'libs/one' },
      homepage: `${ADDRESS}/tree/HEAD/libs/one#readme`,
      bugs: `${ADDRESS}/issues`,
    });
    expect(repository.manifest('libs/two')).toMatchObject({ repository: { directory: 'libs/two' } });
    expect(repository.manifest('libs/own')).toEqual({ name: 'own', version: '0.0.0', private: true });
  });

  it('changes nothing when it runs again with the same address', async () => {
    await repository.prepare([ADDRESS, '--maintainers', '@acme/auth-team']);
    repository.commit();
    expect(await repository.prepare([`${ADDRESS}.git`])).toEqual({
      status: 0,
      stdout: `${ADDRESS}: 0 files changed\n`,
      stderr: '',
    });
    expect(repository.changed()).toEqual([]);
    expect(repository.read('.github/CODEOWNERS')).toBe('* @acme/auth-team\n');
  });

  it('sets another address later, and leaves a repository with a longer name alone', async () => {
    await repository.prepare([ADDRESS, '--maintainers', '@acme/auth-team']);
    repository.write('README.md', `${repository.read('README.md')}${ADDRESS}-demo ${ADDRESS}.js ${ADDRESS}.git\n`);
    repository.write('docs/late.md', `<${PLACEHOLDER}>\n`);
    repository.commit();
    const other = 'https://git.example/other-team/tokens';
    expect((await repository.prepare([other])).status).toBe(0);
    expect(repository.changed()).toEqual(
      [...WITH_ADDRESS.slice(0, 3), 'docs/late.md', ...WITH_ADDRESS.slice(3)].toSorted(),
    );
    expect(repository.read('README.md')).toContain(`\n${ADDRESS}-demo ${ADDRESS}.js ${other}.git\n`);
    expect(repository.read('.github/CODEOWNERS')).toBe('* @other-team/auth-team\n');
    expect(repository.read('SECURITY.md')).not.toContain(ADDRESS);
    expect(await repository.prepare(['--check'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('refuses other addresses, changes nothing, and does not repeat a password', async () => {
    const { status, stderr } = await repository.prepare(['https://user:p4ssword@git.example/acme/auth']);
    expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, lines: 1 });
    expect(stderr).toContain('not the https address of a repository');
    expect(stderr).not.toContain('p4ssword');
    expect(repository.changed()).toEqual([]);
  });

  it('refuses a handle that GitHub does not have, and changes nothing', async () => {
    expect(await repository.prepare([ADDRESS, '--maintainers', 'acme'])).toMatchObject({
      status: 1,
      stderr: '--maintainers must be @user or @owner/team\n',
    });
    expect(repository.changed()).toEqual([]);
  });
});

describe('the address', () => {
  it.each([[`${ADDRESS}.git`], [`${ADDRESS}/`], [ADDRESS]])('may have the form %s', (text) => {
    expect(parseAddress(text)).toBe(ADDRESS);
  });

  it.each([
    ['http://git.example/acme/auth'],
    ['https://user:p4ssword@git.example/acme/auth'],
    ['git@git.example:acme/auth.git'],
    ['https://git.example/acme'],
    ['https://git.example/acme/auth/tree/main'],
    ['https://git.example/acme/auth?tab=readme'],
    ['https://git.example/acme/..'],
    ['https://localhost/acme/auth'],
    [PLACEHOLDER],
    [''],
  ])('is refused if it is not https://<host>/<owner>/<name>: %s', (text) => {
    expect(() => parseAddress(text)).toThrow('not the https address of a repository');
  });

  it.each([
    [`${ADDRESS}.`, true],
    [`(${ADDRESS})`, true],
    [`git+${ADDRESS}.git`, true],
    [`${ADDRESS}/issues`, true],
    [`${ADDRESS}.github`, false],
    [`${ADDRESS}2`, false],
  ])('is found in a text, but not in a longer name: %s', (text, found) => {
    expect(mentions(ADDRESS).test(text)).toBe(found);
  });
});
