import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { runNode } from '../../scripts/common/processes.mjs';

export async function prepare({ say, signal }) {
  if (!isInstalled()) {
    say('Installing the packages of the bench');
    await npmCi(signal);
  }
  say('Building');
  if ((await runNode(['node_modules/typescript/bin/tsc', '-b'], { signal })) !== 0) throw new Error('The build failed');
  signal.throwIfAborted();
}

/** npm writes the first file at each installation. */
function isInstalled() {
  const [installed, wanted] = ['bench/node_modules/.package-lock.json', 'bench/package-lock.json'];
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs;
}

async function npmCi(signal) {
  // The npm settings of the parent process apply to the root folder only.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const child = spawn('npm', ['ci', '--no-progress'], { cwd: 'bench', env, stdio: 'inherit', signal });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error('npm ci failed in bench/');
}
