import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { paint } from '../scripts/common/processes.mjs';
import { adapterSource, manifest, TSCONFIG } from './cells.mjs';
import { knownCause, RUNNERS } from './runners.mjs';
import { run } from './tools.mjs';

/** @typedef {import('./cells.mjs').Cell} Cell */
/**
 * @typedef {{ cell: string, step: string, node: string, ok: boolean, output: string, cause: string | undefined }} Result
 */

export const ROOT = resolve(import.meta.dirname, '..');
export const REALM = join(ROOT, 'examples/quick-start/realm.json');
export const TSC = ['node_modules/typescript/bin/tsc'];
const APP = join(ROOT, 'compat/app');
const THIS_NODE = process.versions.node.split('.')[0] ?? '';

export class Workbench {
  /** @type {Result[]} */
  results = [];
  folder = mkdtempSync(join(tmpdir(), 'compat-'));

  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
  }

  /**
   * @param {Cell} cell
   * @param {object} [dependencies] additional packages
   */
  prepare(cell, dependencies = {}) {
    const { dependencies: own, ...rest } = manifest(cell);
    const home = this.write(cell, {
      'package.json': JSON.stringify({ ...rest, dependencies: { ...own, ...dependencies } }, undefined, 2),
      'tsconfig.json': JSON.stringify(TSCONFIG),
      'src/adapter.ts': `/** The HTTP adapter of this install. */\n${adapterSource(cell)}`,
      ...Object.assign({}, ...RUNNERS[cell.kind].map(({ files }) => files(cell))),
    });
    for (const part of ['src', 'test']) cpSync(join(APP, part), join(home, part), { recursive: true });
    if (cell.isWithoutOpenApi) rmSync(join(home, 'src/entry-points.ts'));
    return home;
  }

  /**
   * @param {Cell} cell
   * @param {Record<string, string>} files
   */
  write(cell, files) {
    console.log(paint(1, `\n${cell.name}`));
    const home = join(this.folder, cell.name);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(home, name, '..'), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    return home;
  }

  /**
   * @param {{ cell: Cell, step: string, node?: string, home: string, command?: string, args: string[], environment?: Record<string, string> }} what
   * @returns {Promise<boolean>}
   */
  async tryStep({ cell, step, node = THIS_NODE, home, command = process.execPath, args, environment = {} }) {
    this.signal.throwIfAborted();
    const began = performance.now();
    const { status, output } = await run(home, command, args, environment, this.signal);
    const ok = status === 0;
    const cause = knownCause(cell, step, node, ok ? '' : output);
    this.results.push({ cell: cell.name, step, node, ok, output, cause });
    const words = ok ? paint(32, 'ok') : cause === undefined ? paint(31, 'FAILED') : paint(33, 'no, as is known');
    console.log(
      `  ${step}, Node ${node}: ${words} ${paint(2, `${((performance.now() - began) / 1000).toFixed(1)} s`)}`,
    );
    return ok;
  }
}
