import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { workflow } from '../support/workflows.js';

interface Update {
  readonly 'package-ecosystem': string;
  readonly directory?: string;
  readonly directories?: readonly string[];
}

const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as { updates: readonly Update[] };

const foldersOf = (ecosystem: string): string[] =>
  updates
    .filter((update) => update['package-ecosystem'] === ecosystem)
    .flatMap(({ directory, directories = [] }) => [...directories, ...(directory === undefined ? [] : [directory])])
    .toSorted();

function foldersWith(...names: string[]): string[] {
  const found = execFileSync('git', ['ls-files', '--', ...names.map((name) => `:(glob)**/${name}`)], {
    encoding: 'utf8',
  });
  const folders = found
    .trim()
    .split('\n')
    .map((file) => `/${dirname(file)}`.replace(/^\/\.$/, '/'));
  return [...new Set(folders)].toSorted();
}

describe('dependabot.yml', () => {
  it.each([
    ['npm', ['package-lock.json']],
    ['docker', ['Dockerfile']],
    ['docker-compose', ['docker-compose*.yml', 'compose*.yml']],
  ])('names each folder for %s', (ecosystem, names) => {
    expect(foldersOf(ecosystem)).toEqual(foldersWith(...names));
  });

  it('names the workflows and the actions of this repository', () => {
    expect(foldersOf('github-actions')).toEqual(['/', '/.github/actions/*']);
  });
});

describe('the workflow publish.yml', () => {
  const { on, jobs } = workflow('publish.yml');
  const runs = jobs['publish']?.steps.flatMap(({ run }) => run ?? []) ?? [];
  const positionOf = (part: string): number => runs.findIndex((run) => run.includes(part));

  it('runs only for the tag of a version', () => {
    expect(on).toEqual({ push: { tags: ['v*'] } });
    expect(positionOf('test "$GITHUB_REF_NAME" = "v$(node -p')).toBeGreaterThan(0);
  });

  it('checks the packages and their licenses, then publishes them with provenance', () => {
    const order = [
      'npm ci',
      'npm run release:prepare',
      'npm run package:check',
      'npm run bill-of-materials',
      'npm publish',
    ];
    const positions = order.map(positionOf);
    expect(positions).toEqual(positions.toSorted((one, other) => one - other));
    expect(positions).not.toContain(-1);
    expect(runs[positionOf('npm publish')]).toMatch(/ --provenance\b.* --access public\b/);
  });

  it('uses no long-lived token of npm', () => {
    expect(readFileSync('.github/workflows/publish.yml', 'utf8')).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/);
  });
});
