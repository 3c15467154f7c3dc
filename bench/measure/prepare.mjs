import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runNode } from '../../scripts/common/processes.mjs';

export async function prepare({ say, signal }) {
  if (!existsSync('bench/node_modules/.package-lock.json')) {
    say('Installing the packages of the bench');
    await npmCi(signal);
  }
  say('Building');
  if ((await runNode(['node_modules/typescript/bin/tsc', '-b'], { signal })) !== 0) throw new Error('The build failed');
  signal.throwIfAborted();
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
