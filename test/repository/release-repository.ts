import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { PLACEHOLDER } from '../../scripts/release/repository-address.mjs';

const COMMAND = resolve('scripts/release/prepare-release.mjs');

const README = `# one

[![checks](../../docs/badge.svg)](../../docs/checks.md) [guide](../../docs/guide.md#start) [folder](../../docs)
[own file](api/index.md "title"), [reference][ref], [this page](#one) and <https://example.org>

[ref]: ../../docs/reference.md

<img src="../../docs/picture.png" alt="a picture" />

<!-- unreleased: npm install one -->

Pack it.

<!-- /unreleased -->

\`\`\`ts
handlers[name](request);
\`\`\`
`;

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const FILES: Readonly<Record<string, string>> = {
  'package.json': json({
    name: 'workspace',
    private: true,
    repository: { type: 'git', url: `git+${PLACEHOLDER}.git` },
    workspaces: ['libs/*'],
    scripts: { 'release:prepare': `exec node ${COMMAND}` },
  }),
  'libs/one/package.json': json({ name: 'one', version: '1.2.3', files: ['index.js'] }),
  'libs/one/README.md': README,
  'libs/one/index.js': 'export const one = 1;\n',
  'libs/two/package.json': json({ name: 'two', version: '1.2.3', files: ['index.js'] }),
  'libs/two/README.md': '# two\n',
  'libs/own/package.json': json({ name: 'own', version: '0.0.0', private: true }),
  'AGENTS.md': '[guide](docs/guide.md)\n',
  'CHANGELOG.md': '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-02\n',
  'SECURITY.md': `[Report it](${PLACEHOLDER}/security/advisories/new).\n\n| a | b |\n| - | - |\n| <${PLACEHOLDER}> | c |\n`,
  'README.md': `![badge](${PLACEHOLDER}/actions/workflows/ci.yml/badge.svg) ${PLACEHOLDER}.\n`,
  '.github/CODEOWNERS': '* @maintainers\n',
  '.github/ISSUE_TEMPLATE/config.yml': `contact_links:\n  - url: ${PLACEHOLDER}/discussions\n`,
  'docs/guide.md': '# Guide\n',
  'docs/picture.png': `\0${PLACEHOLDER}`,
};

export class ReleaseRepository {
  readonly folder = mkdtempSync(join(tmpdir(), 'release-spec-'));

  constructor(changes: Readonly<Record<string, string>> = {}) {
    for (const [file, content] of Object.entries({ ...FILES, ...changes })) this.write(file, content);
    this.git('init', '--quiet');
    this.commit();
  }

  /** @returns an empty text if the file does not exist */
  read(file: string): string {
    const path = join(this.folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  manifest(folder: string): Record<string, unknown> {
    return JSON.parse(this.read(`${folder}/package.json`)) as Record<string, unknown>;
  }

  write(file: string, content: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), content);
  }

  commit(): void {
    this.git('add', '--all');
    this.git('-c', 'user.name=spec', '-c', 'user.email=spec@example.org', 'commit', '--quiet', '--message', 'spec');
  }

  changed(): string[] {
    return this.git('diff', '--name-only').split('\n').slice(0, -1);
  }

  async prepare(args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
    const { GITHUB_REPOSITORY: _, ...inherited } = process.env;
    const env = { ...inherited, NO_COLOR: '1', ...environment };
    const child = spawn(process.execPath, [COMMAND, ...args], { cwd: this.folder, env });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.folder, encoding: 'utf8' });
  }
}
