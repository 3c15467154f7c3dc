// Builds with tsc, which checks the types, or with swc, which needs a twentieth of the time.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { runNode } from './processes.mjs';

export const TSC = 'node_modules/typescript/bin/tsc';

const RECORD = 'dist/.tsbuildinfo';

/** @param {{ signal: AbortSignal }} options */
export async function buildByTsc({ signal }) {
  const exitCode = await runNode([TSC, '-b'], { signal });
  signal.throwIfAborted();
  if (exitCode !== 0) throw new Error('The build failed');
}

/** @param {{ signal: AbortSignal }} options */
export async function buildToRun({ signal }) {
  const { references } = JSON.parse(await readFile('tsconfig.json', 'utf8'));
  const projects = references.map((/** @type {{ path: string }} */ { path }) => dirname(path));
  if (projects.every((/** @type {string} */ project) => existsSync(join(project, RECORD))))
    return buildByTsc({ signal });
  for (const project of projects) await buildBySwc(project);
  signal.throwIfAborted();
}

/** @param {string} project a folder with `src`, which is built into `dist` */
export async function buildBySwc(project) {
  const { transformFile } = await import('@swc/core');
  // The build record is deleted, since tsc would otherwise keep swc's output.
  await rm(join(project, RECORD), { force: true });
  const sources = join(project, 'src');
  const outputs = join(project, 'dist');
  const files = (await readdir(sources, { recursive: true })).filter((name) => /(?<!\.spec|\.d)\.ts$/.test(name));
  await Promise.all(
    files.map(async (name) => {
      const [source, output] = [join(sources, name), join(outputs, name.replace(/\.ts$/, '.js'))];
      const { code } = await transformFile(source, {
        configFile: '.swcrc',
        swcrc: false,
        sourceFileName: relative(dirname(output), source),
      });
      await mkdir(dirname(output), { recursive: true });
      await writeFile(output, code);
    }),
  );
}
