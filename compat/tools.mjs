import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const CACHE = resolve(import.meta.dirname, '../node_modules/.cache/compat');
const STEP_MS = 300_000;
/** The variables that a child process must not inherit. */
const OURS = /^(npm_|INIT_CWD$|NODE_OPTIONS$|NODE_ENV$|AUTHORIZATION_SERVER$|KEYCLOAK_|DEMO_MODE$|PORT$)/i;
const QUIET = {
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  NO_COLOR: '1',
  CI: 'true',
};

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} environment
 * @param {AbortSignal} signal
 * @returns {Promise<{ status: number | null, output: string }>}
 */
export function run(cwd, command, args, environment, signal) {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !OURS.test(key)));
  const env = { ...inherited, ...QUIET, ...environment };
  return new Promise((settle, reject) => {
    let output = '';
    const child = spawn(command, args, { cwd, env, signal, timeout: STEP_MS, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.once('error', reject).once('close', (status, endedBy) => {
      settle({ status, output: endedBy === null ? output : `${output}\nEnded by ${endedBy}` });
    });
  });
}

/**
 * @param {string} name
 * @param {string} version
 * @param {AbortSignal} signal
 */
export async function tool(name, version, signal) {
  const home = join(CACHE, `${name}-${version}`);
  const folder = join(home, 'node_modules', name);
  if (existsSync(folder)) return folder;
  mkdirSync(home, { recursive: true });
  const args = ['install', '--no-save', '--no-package-lock', '--prefix', home, `${name}@${version}`];
  const { status, output } = await run(home, 'npm', args, {}, signal);
  if (status !== 0) throw new Error(`${name} ${version} can't be installed: ${output}`);
  return folder;
}

/**
 * @param {string} version
 * @param {AbortSignal} signal
 */
export async function nodeFolder(version, signal) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return join(await tool(`node-${platform}-${process.arch}`, version, signal), 'bin');
}
