import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const BUILD = `import { buildToRun } from ${JSON.stringify(new URL('../../scripts/common/build.mjs', import.meta.url).href)};
await buildToRun({ signal: new AbortController().signal });`;

const SOURCES = {
  'libs/one/src/greeting.ts': 'export const greeting: string = "hello";\n',
  'libs/one/src/greeting.spec.ts': 'throw new Error("a spec");\n',
  'apps/two/src/main.ts':
    "import { greeting } from '../../../libs/one/dist/greeting.js';\nexport const said = `${greeting}!`;\n",
  'tsconfig.json': JSON.stringify({
    references: [{ path: 'libs/one/tsconfig.lib.json' }, { path: 'apps/two/tsconfig.app.json' }],
  }),
  // Simulates an interrupted build, which has written build information but no JavaScript.
  'libs/one/dist/.tsbuildinfo': '{}',
};

describe('the build by swc', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'build-'));
    for (const [name, text] of Object.entries(SOURCES)) {
      await mkdir(join(folder, dirname(name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    await copyFile(join(root, '.swcrc'), join(folder, '.swcrc'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await run(process.execPath, ['--input-type=module', '--eval', BUILD], { cwd: folder });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('builds runnable JavaScript for every project', async () => {
    const main = pathToFileURL(join(folder, 'apps/two/dist/main.js')).href;
    const show = `console.log((await import(${JSON.stringify(main)})).said)`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', show]);
    expect(stdout).toBe('hello!\n');
  });

  it('does not build specs', () => {
    expect(existsSync(join(folder, 'libs/one/dist/greeting.spec.js'))).toBe(false);
  });

  it('removes the build information of tsc, so that the next run of tsc builds everything', () => {
    expect(existsSync(join(folder, 'libs/one/dist/.tsbuildinfo'))).toBe(false);
  });

  it('writes source maps that refer to the TypeScript sources', async () => {
    const built = await readFile(join(folder, 'apps/two/dist/main.js'), 'utf8');
    const map = /sourceMappingURL=data:application\/json;[^,]*base64,(\S+)/.exec(built)?.[1] ?? '';
    expect(JSON.parse(Buffer.from(map, 'base64').toString())).toMatchObject({ sources: ['../src/main.ts'] });
  });
});
