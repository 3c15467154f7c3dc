import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Copies the files that Git tracks or would add, and the installed packages.
 *
 * @param {string} root @param {string} copy @param {{ built: boolean }} options `built` adds the compiler's output
 */
export function copyRepository(root, copy, { built }) {
  const ignored = listed(root, ['--others', '--ignored', '--exclude-standard', '-z', 'apps', 'libs']);
  const files = [
    ...listed(root, ['--cached', '--others', '--exclude-standard', '-z']),
    ...ignored.filter((path) => built || path.includes('/node_modules/')),
  ];
  for (const path of files) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(copy, path), { preserveTimestamps: true });
  }
  copyPackages(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** @param {string} from @param {string} to */
function copyPackages(from, to) {
  if (!existsSync(from)) return;
  if (spawnSync('cp', ['-al', from, to]).status !== 0) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  // Tools write to this folder, so its files must not be hard links.
  const [cache, copied] = [join(from, '.cache'), join(to, '.cache')];
  rmSync(copied, { recursive: true, force: true });
  if (existsSync(cache)) cpSync(cache, copied, { recursive: true, preserveTimestamps: true });
}

/** @param {string} root @param {string[]} options */
const listed = (root, options) =>
  spawnSync('git', ['ls-files', ...options], { cwd: root, encoding: 'utf8', maxBuffer: 64_000_000 })
    .stdout.split('\0')
    .filter((path) => path !== '');
