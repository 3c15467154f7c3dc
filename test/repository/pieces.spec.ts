import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../scripts/checks/pieces.mjs', import.meta.url));
const FILES = {
  'src/a.ts': [
    'export class A {',
    '  // #region method',
    '  method() {',
    '    // #region body',
    '    return 1;',
    '    // #endregion body',
    '  }',
    '  // #endregion method',
    '}',
  ],
  'realm.json': ['{ "clients": [{ "clientId": "a/b" }, { "clientId": "c" }] }'],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pieces-spec-'));
  for (const [path, lines] of Object.entries(FILES)) write(path, lines);
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, lines: readonly string[]): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), `${lines.join('\n')}\n`);
}

const run = (...flags: string[]) => runScript('docs/some.md', ...flags);
function runScript(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, said: stderr };
}

const link = (path: string): string[] => [`The file, [\`${path}\`](../${path}):`, ''];
const fence = (info: string, ...lines: string[]): string[] => ['```' + info, ...lines, '```', ''];
const document = (...parts: string[][]): void => write('docs/some.md', parts.flat().slice(0, -1));
const pieces = (): string[] =>
  [...readFileSync(join(folder, 'docs/some.md'), 'utf8').matchAll(/```.*\n([^]*?)```/g)].map(([, piece = '']) => piece);

describe('the pieces of a document', () => {
  it('copy a whole file, a region of a file without its indentation, or a value at a JSON pointer', () => {
    document(
      [...link('src/a.ts'), ...fence('ts')],
      [...link('src/a.ts'), ...fence('ts #method')],
      [...link('src/a.ts'), ...fence('ts #body', 'return 0;')],
      [...link('realm.json'), ...fence('json #/clients/1')],
      fence('sh', 'npm start'),
    );
    expect(run('--write')).toEqual({ status: 0, said: '' });
    expect(pieces()).toEqual([
      'export class A {\n  method() {\n    return 1;\n  }\n}\n',
      'method() {\n  return 1;\n}\n',
      'return 1;\n',
      '{\n  "clientId": "c"\n}\n',
      'npm start\n',
    ]);
    expect(run()).toEqual({ status: 0, said: '' });
  });

  it('are out of date when the copied file has changed', () => {
    document([...link('src/a.ts'), ...fence('ts #body', 'return 1;')]);
    expect(run().status).toBe(0);
    write('src/a.ts', ['// #region body', 'return 2;', '// #endregion body']);
    expect(run()).toEqual({
      status: 1,
      said: 'docs/some.md:4: out of date (npm run docs:pieces -- --write): "return 1;" is "return 2;" now\n',
    });
  });

  it.each(['README.md', 'AGENTS.md', 'docs/some.md', 'libs/one/README.md'])('are checked in %s by default', (page) => {
    for (const path of ['docs/other.md', 'libs/one/README.md']) write(path, ['# Title']);
    write(page, fence('ts', 'start();').slice(0, -1));
    const { status, said } = runScript();
    expect({ status, said }).toMatchObject({
      status: 1,
      said: expect.stringContaining(`${page}:1: the code has no file`),
    });
  });

  it.each<[string, string[][], string]>([
    ['without a file', [fence('ts', 'start();')], '1: the code has no file'],
    ['of a file without a link', [['`src/a.ts`:', ''], fence('ts', 'start();')], '3: the code has no file'],
    ['whose link is not next to it', [link('src/a.ts'), ['Words.', ''], fence('ts', '')], '5: the code has no file'],
    ['of a missing file', [link('src/b.ts'), fence('ts', '')], '3: ENOENT'],
    ['of a missing region', [link('src/a.ts'), fence('ts #other', '')], 'src/a.ts has no region #other'],
    ['of a missing JSON value', [link('realm.json'), fence('json #/clients/2', '')], '3: #/clients/2 does not exist'],
    ['in a list', [['- item', ''], fence('ts', 'start();').map((line) => `  ${line}`)], '3: a piece is not indented'],
  ])('are rejected if a piece is code %s', (_, parts, fault) => {
    document(...parts);
    for (const flags of [[], ['--write']]) {
      const { status, said } = run(...flags);
      expect(status).toBe(1);
      expect(said).toContain(fault);
    }
  });
});
