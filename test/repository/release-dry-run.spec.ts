import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { stepsOf } from '../../scripts/release/dry-run.mjs';
import { setAddress } from '../../scripts/release/set-address.mjs';
import { ReleaseRepository } from './release-repository.js';

const WORKFLOW = '.github/workflows/publish.yml';
const PUBLISH = 'npm publish --workspace libs/one --workspace libs/two --provenance --access public';

const workflow = (...runs: string[]) =>
  JSON.stringify({ jobs: { publish: { steps: [{ uses: 'actions/checkout@v5' }, ...runs.map((run) => ({ run }))] } } });

describe('npm run release:prepare -- --dry-run', () => {
  let repository: ReleaseRepository;
  let registry: Server;
  const methods: (string | undefined)[] = [];

  beforeAll(async () => {
    registry = createServer((request, response) => {
      methods.push(request.method);
      response.writeHead(404).end('{}');
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
  });
  afterAll(() => void registry.close());
  afterEach(() => repository.remove());

  const dryRun = async (files: Readonly<Record<string, string>>, ...runs: string[]) => {
    repository = new ReleaseRepository({ ...files, [WORKFLOW]: workflow(...runs) });
    const { status, stdout, stderr } = await repository.prepare(['--dry-run'], environment());
    return { status, stderr, lines: stdout.trim().split('\n') };
  };
  const environment = () => ({
    npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
    NODE_AUTH_TOKEN: 'secret',
  });

  it('passes all steps of publish.yml in a copy, and names the missing address in its last line', async () => {
    const { status, lines } = await dryRun(
      {},
      'npm ci --ignore-scripts',
      'test "$GITHUB_REF_NAME" = v1.2.3',
      'npm run release:prepare',
      'test -z "$NODE_AUTH_TOKEN"',
      PUBLISH,
      'gh release create "$GITHUB_REF_NAME"',
    );
    expect({ status, last: lines.slice(-2) }).toEqual({
      status: 1,
      last: [
        'Not run here: npm ci --ignore-scripts; gh release create "$GITHUB_REF_NAME"',
        'Dry run of v1.2.3: 4 steps of .github/workflows/publish.yml pass. A release still fails: the address of the ' +
          'repository is not set: npm run release:prepare -- https://github.com/<owner>/<name>',
      ],
    });
    expect(lines).toEqual(expect.arrayContaining(['+ one@1.2.3', '+ two@1.2.3']));
    expect(methods.filter((method) => method !== 'GET')).toEqual([]);
    expect(repository.changed()).toEqual([]);
  });

  it('passes when the address is set', async () => {
    repository = new ReleaseRepository({ [WORKFLOW]: workflow('npm run release:prepare', PUBLISH) });
    await setAddress(repository.folder, 'https://git.example/acme/auth');
    const { status, stdout } = await repository.prepare(['--dry-run'], environment());
    expect({ status, last: stdout.trim().split('\n').at(-1) }).toEqual({
      status: 0,
      last: 'Dry run of v1.2.3: 2 steps of .github/workflows/publish.yml pass',
    });
  });

  it('tries all steps for a version that the changelog lacks, and names the version', async () => {
    const { status, lines } = await dryRun({ 'CHANGELOG.md': '# Changelog\n' }, 'npm run release:prepare', PUBLISH);
    expect({ status, last: lines.at(-1) }).toEqual({
      status: 1,
      last: expect.stringMatching(
        /: 2 steps of \S+ pass\. A release still fails: .+; CHANGELOG\.md has no section for 1\.2\.3: /,
      ),
    });
  });

  it('stops at the first step that fails, and names the step', async () => {
    const { status, lines } = await dryRun(
      {},
      'test v1.2.4 = "$GITHUB_REF_NAME"',
      'node --eval "console.log(7)"',
      PUBLISH,
    );
    expect({ status, last: lines.at(-1) }).toEqual({
      status: 1,
      last: expect.stringContaining('Dry run of v1.2.3: this step fails: test v1.2.4 = "$GITHUB_REF_NAME". '),
    });
    expect(lines).not.toContain('7');
  });

  it('fails if no step would publish', async () => {
    expect(await dryRun({}, 'npm run release:prepare', 'gh release create')).toMatchObject({
      status: 1,
      stderr: `${WORKFLOW} has no step with npm publish that the dry run can execute\n`,
    });
  });
});

describe('publish.yml', () => {
  it('checks the release before it publishes', () => {
    const runs = stepsOf(readFileSync(WORKFLOW, 'utf8')).flatMap(({ run, runsHere }) => (runsHere ? [run] : []));
    const [prepare, check, publish] = [
      runs.indexOf('npm run release:prepare'),
      runs.indexOf('npm run package:check -- --release'),
      runs.findIndex((run) => run.startsWith('npm publish ')),
    ];
    expect([prepare, check, publish]).toEqual([prepare, check, publish].toSorted((one, other) => one - other));
    expect(prepare).toBeGreaterThan(-1);
  });
});
