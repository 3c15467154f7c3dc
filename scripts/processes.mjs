// Child processes whose output is prefixed and which end as a whole, and the ports they need.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** What Node runs Jest by. */
export const JEST = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

const KILL_AFTER_MS = 10_000;

/** Whether colour is wanted where `stream` goes. */
export function colorful(stream = process.stdout) {
  return stream.isTTY === true && !process.env.NO_COLOR;
}

/**
 * `text` in a colour of the terminal (30-37), or bold (1), or dim (2).
 *
 * @param {number} code
 * @param {string} text
 */
export function paint(code, text) {
  return colorful() ? `\u001B[${code}m${text}\u001B[0m` : text;
}

/**
 * What is printed of an error that ends a script.
 *
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** An AbortSignal for Ctrl-C, SIGTERM and a closed terminal. Repeated signals change nothing. */
export function stopSignal() {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => stop.abort(new Error(name)));
  return stop.signal;
}

/**
 * Runs Node with `args` in our own terminal; resolves with its exit code.
 *
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, signal?: AbortSignal }} [options]
 */
export async function runNode(args, { env = process.env, signal } = {}) {
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  // A terminal has sent its Ctrl-C to the child, too.
  const forward = () => (signal?.reason.message === 'SIGINT' && process.stdin.isTTY ? true : child.kill('SIGTERM'));
  signal?.addEventListener('abort', forward);
  const [code, killedBy] = await ended(child);
  signal?.removeEventListener('abort', forward);
  return code ?? (killedBy === null ? 1 : 128);
}

/**
 * Runs Node with `args` in a process group of its own, so that Ctrl-C reaches us alone, each line of its output behind
 * `prefix`. `end` resolves with its exit code or signal; `stop()` sends SIGTERM, and SIGKILL after ten seconds.
 *
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, prefix: string }} options
 */
export function startNode(args, { env = process.env, prefix }) {
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const copy = (/** @type {import('node:stream').Readable} */ from, /** @type {NodeJS.WriteStream} */ to) =>
    createInterface({ input: from }).on('line', (line) => to.write(`${prefix}${line}\n`));
  copy(child.stdout, process.stdout);
  copy(child.stderr, process.stderr);
  const end = ended(child).then(([code, signal]) => signal ?? code);
  return {
    end,
    async stop() {
      killGroup(child, 'SIGTERM');
      const timer = setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER_MS);
      await end;
      clearTimeout(timer);
    },
  };
}

/**
 * Whether nothing listens on the port, on any address of this machine.
 *
 * @param {number} port
 */
export async function portIsFree(port) {
  for (const host of ['127.0.0.1', '::1', undefined]) {
    if (!(await canListen(port, host))) return false;
  }
  return true;
}

/**
 * @param {number} port
 * @param {string | undefined} host
 * @returns {Promise<boolean>}
 */
function canListen(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    // A machine without IPv6 has no ::1 to listen on: nobody else does either.
    server.once('error', (/** @type {NodeJS.ErrnoException} */ { code }) =>
      resolve(code !== 'EADDRINUSE' && code !== 'EACCES'),
    );
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<[number | null, NodeJS.Signals | null]>}
 */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} leader
 * @param {NodeJS.Signals} signal
 */
function killGroup({ pid }, signal) {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
