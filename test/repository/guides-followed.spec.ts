/** `npm run guides`, following small guides in folders of their own: what fails one, and what stays from block to block. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

/** Machines that only run the services need not have it. */
const describeWithGit = spawnSync('git', ['--version']).error === undefined ? describe : describe.skip;

interface Followed {
  readonly title: string;
  readonly leftOut: boolean;
}

let followGuide: (guide: unknown, options: object) => Promise<void>;
let readGuide: (markdown: string, document: string) => unknown;
let GuideShell: new (options: object) => { readonly folder: string; stop(): Promise<void> };
beforeAll(async () => {
  const script = (name: string): Promise<object> =>
    import(new URL(`../../scripts/${name}`, import.meta.url).href) as Promise<object>;
  ({ followGuide } = (await script('guides-follow.mjs')) as { followGuide: typeof followGuide });
  ({ readGuide } = (await script('guides-blocks.mjs')) as { readGuide: typeof readGuide });
  ({ GuideShell } = (await script('guides-shell.mjs')) as { GuideShell: typeof GuideShell });
});

let folder: string;
let state: string;
let shell: InstanceType<typeof GuideShell>;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'guide-spec-')));
  state = mkdtempSync(join(tmpdir(), 'guide-spec-shell-'));
  shell = new GuideShell({ folder, state, repository: folder, signal: new AbortController().signal });
});
afterEach(async () => {
  await shell.stop();
  for (const path of [folder, state]) rmSync(path, { recursive: true });
});

const fence = (info: string, ...lines: string[]): string => ['```' + info, ...lines, '```', ''].join('\n');

async function follow(...blocks: string[]): Promise<readonly Followed[]> {
  const followed: Followed[] = [];
  const guide = readGuide(['<!-- guide: in a new project -->\n', ...blocks].join('\n'), 'some.md');
  const onBlock = ({ title, leftOut }: Followed): void => void followed.push({ title, leftOut });
  await followGuide(guide, { shell, keycloak: false, onBlock });
  return followed;
}

describe('a guide that is followed', () => {
  it('has one shell: its folder, variables and functions stay', async () => {
    await follow(
      fence('sh', 'mkdir inner', 'cd inner', 'WHO=alice', 'greet() { echo "hello $WHO"; }'),
      '`words.txt`:\n',
      fence('text', 'of the inner folder'),
      fence('sh', 'greet', 'cat words.txt'),
      fence('text output', 'hello alice', 'of the inner folder'),
    );
    expect(shell.folder).toBe(join(folder, 'inner'));
  });

  it('leaves running what is to go on, once it has said that it is ready, and ends it', async () => {
    await follow(
      fence('sh background', 'trap "echo ended >ended; exit" INT', 'echo ready', 'while true; do sleep 0.1; done'),
      fence('text output', 'ready'),
    );
    expect(readFileSync(join(folder, 'ended'), 'utf8')).toBe('ended\n');
  });

  it('leaves out what needs a Keycloak, unless there is one', async () => {
    expect(await follow(fence('sh keycloak', 'exit 1'))).toEqual([{ title: 'exit 1', leftOut: true }]);
  });

  it.each([
    [
      'a command fails',
      [fence('sh', 'echo so far', 'false', 'echo further')],
      /some.md:3: echo so far\nso far\n\nended with 1/,
    ],
    ['a variable is not set', [fence('sh', 'echo $NOT_SET')], /NOT_SET: unbound variable/],
    [
      'something else is printed',
      [fence('sh', 'echo one'), fence('text output', 'two')],
      /one\n\nis not what the guide says:\ntwo/,
    ],
    [
      'what is to go on ends',
      [fence('sh background', 'echo no'), fence('text output', 'ready')],
      /no\n\nended by itself with 0/,
    ],
  ])('fails when %s', async (_, blocks, message) => {
    await expect(follow(...blocks)).rejects.toThrow(message);
  });
});

describeWithGit('a guide with a patch', () => {
  it('is patched', async () => {
    const patch = ['--- a/one.txt', '+++ b/one.txt', '@@ -1 +1 @@', '-one', '+two'];
    await follow('`one.txt`:\n', fence('text', 'one'), fence('diff', ...patch), fence('sh', 'grep two one.txt'));
    await expect(follow(fence('diff', ...patch))).rejects.toThrow(/some.md:3: git apply[^]*patch failed/);
  });
});

describe('the TypeScript of a guide', () => {
  const tsconfig = ['`tsconfig.json`:\n', fence('json', '{ "compilerOptions": { "types": [] }, "include": ["src"] }')];
  beforeEach(() => {
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'));
  });

  it('is compiled', async () => {
    await follow(...tsconfig, '`src/a.ts`:\n', fence('ts', 'export const some: string = "text";'));
    await expect(follow(...tsconfig, '`src/a.ts`:\n', fence('ts', 'export const some: string = 1;'))).rejects.toThrow(
      /a.ts\(1,14\): error TS2322/,
    );
  }, 30_000);

  it('is not passed over', async () => {
    const files = ['`src/a.ts`:\n', fence('ts', 'export {};'), '`other/b.ts`:\n', fence('ts', 'export {};')];
    await expect(follow(...tsconfig, ...files)).rejects.toThrow(
      `some.md: not compiled by tsconfig.json: ${join(folder, 'other/b.ts')}`,
    );
  }, 30_000);
});
