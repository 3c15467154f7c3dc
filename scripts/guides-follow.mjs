// Follows a guide as its reader would: writes its files, applies its patches, runs its commands, and compiles what it wrote.
import { spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { prints } from './guides-output.mjs';

const WITHIN_SECONDS = 300;

/** Follows `guide` in `shell`, and calls `onBlock` after each block. Rejects at the first that fails. */
export async function followGuide(guide, { shell, keycloak, onBlock }) {
  const written = new Set();
  for (const block of guide.blocks) {
    const began = performance.now();
    const leftOut = block.kind === 'run' && block.flags.includes('keycloak') && !keycloak;
    try {
      if (!leftOut) await follow(block, shell);
    } catch (error) {
      throw new Error(`${guide.document}:${block.line}: ${title(block)}\n${error.message}`, { cause: error });
    }
    if (block.kind === 'file') written.add(realpathSync(join(shell.folder, block.path)));
    onBlock({ title: title(block), line: block.line, seconds: (performance.now() - began) / 1000, leftOut });
  }
  await shell.stop();
  compile(
    guide,
    shell.folder,
    [...written].filter((path) => /[.][cm]?tsx?$/.test(path)),
  );
}

async function follow(block, shell) {
  if (block.kind === 'file') return write(join(shell.folder, block.path), block.text);
  if (block.kind === 'patch') return apply(block.text, shell.folder);
  const isExpected = (printed) => block.prints === undefined || prints(block.prints, printed);
  if (block.flags.includes('background')) {
    return shell.leaveRunning(block.text, { isReady: isExpected, withinSeconds: WITHIN_SECONDS });
  }
  const inRepository = block.flags.includes('repository');
  const printed = await shell.run(block.text, { inRepository, withinSeconds: WITHIN_SECONDS });
  if (!isExpected(printed)) throw new Error(`${printed}\nis not what the guide says:\n${block.prints}`);
  return undefined;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function apply(patch, folder) {
  // In a folder below another repository, git would pass over what is not in that.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(realpathSync(folder)) };
  const { status, stderr, error } = spawnSync('git', ['apply', '-'], {
    cwd: folder,
    env,
    input: patch,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(error?.message ?? stderr);
}

/** Every file in TypeScript must be part of what one of the guide's configurations compiles. */
function compile({ document, tsconfigs }, folder, files) {
  if (files.length === 0) return;
  const compiled = new Set();
  for (const tsconfig of tsconfigs) {
    const tsc = join(folder, 'node_modules/typescript/bin/tsc');
    const args = [tsc, '--project', tsconfig, '--noEmit', '--listFiles', '--pretty', 'false'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    const lines = stdout.split('\n');
    if (status !== 0)
      throw new Error(`${document}: ${tsconfig}\n${lines.filter((line) => /error/.test(line)).join('\n')}${stderr}`);
    for (const line of lines) compiled.add(resolve(folder, line));
  }
  const left = files.filter((path) => !compiled.has(path));
  if (left.length > 0) throw new Error(`${document}: not compiled by ${tsconfigs.join(', ')}: ${left.join(', ')}`);
}

function title(block) {
  return block.kind === 'file' ? block.path : block.kind === 'patch' ? 'git apply' : block.text.split('\n')[0];
}
