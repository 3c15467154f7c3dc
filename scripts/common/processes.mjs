import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export const JEST = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

/** Exceeds the longest shutdown of a service (docs/demo.md). */
const KILL_AFTER_MS = 20_000;

export function colorful(stream = process.stdout) {
  return stream.isTTY === true && !process.env.NO_COLOR;
}

/**
 * @param {number} code ANSI: 30-37 for a color, 1 for bold, 2 for dim
 * @param {string} text
 */
export function paint(code, text) {
  return colorful() ? `\u001B[${code}m${text}\u001B[0m` : text;
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

export function stopSignal() {
  const stop = new AbortController();
  // Many processes wait for this signal, so Node.js 20 would warn about a leak.
  setMaxListeners(Infinity, stop.signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => stop.abort(new Error(name)));
  // A closed terminal or pipe (`npm start | head`) must not end the process before it has stopped its children.
  for (const output of [process.stdout, process.stderr]) output.on('error', (error) => stop.abort(error));
  return stop.signal;
}

/**
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, signal?: AbortSignal }} [options]
 */
export async function runNode(args, { env = process.env, signal } = {}) {
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  // The terminal also sends Ctrl-C to the child, so SIGINT is not forwarded.
  const forward = () => (signal?.reason.message === 'SIGINT' && process.stdin.isTTY ? true : child.kill('SIGTERM'));
  signal?.addEventListener('abort', forward);
  const [code, killedBy] = await ended(child);
  signal?.removeEventListener('abort', forward);
  return code ?? (killedBy === null ? 1 : 128);
}

/**
 * @param {readonly string[]} args
 * @param {Parameters<typeof startProcess>[2]} options
 */
export const startNode = (args, options) => startProcess(process.execPath, args, options);

/**
 * Runs `executable` in a new process group, which Ctrl-C does not reach. `stop()` sends SIGTERM, and SIGKILL after ten
 * seconds.
 *
 * @param {string} executable
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, prefix: string, input?: string }} options
 */
export function startProcess(executable, args, { env = process.env, prefix, input = '' }) {
  const child = spawn(executable, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  // The process may exit early and leave input unread, which is not an error.
  child.stdin.on('error', () => undefined).end(input);
  const copy = (/** @type {import('node:stream').Readable} */ from, /** @type {NodeJS.WriteStream} */ to) =>
    createInterface({ input: from }).on('line', (line) => to.write(`${prefix}${line}\n`));
  copy(child.stdout, process.stdout);
  copy(child.stderr, process.stderr);
  const end = ended(child).then(([code, signal]) => signal ?? code);
  return {
    pid: child.pid,
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
 * @param {{ name: string, end: Promise<number | string | null> }} child
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function failWhenEnded({ name, end }, signal) {
  const status = await end;
  if (!signal.aborted) throw new Error(`${name} ended unexpectedly (${statusInWords(status)})`);
}

/** @param {number | string | null} status */
export const statusInWords = (status) => (typeof status === 'number' ? `exit code ${status}` : String(status));

/**
 * @param {{ name: string, end: Promise<number | string | null>, stop: () => Promise<unknown> }} child
 * @param {readonly number[]} ports
 * @param {AbortSignal} signal
 */
export async function untilListeningOrStopped(child, ports, signal) {
  try {
    await Promise.race([Promise.all(ports.map((port) => untilListening(port, signal))), failWhenEnded(child, signal)]);
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/**
 * @param {number} port
 * @param {AbortSignal} signal
 */
async function untilListening(port, signal) {
  while (!(await canConnect(port))) await sleep(50, undefined, { signal });
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const say = (/** @type {boolean} */ answer) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', say(true)).on('error', say(false));
  });
}

/**
 * Browsers and `fetch` block some ports, such as 6000 (WHATWG Fetch §2.9).
 *
 * @param {number} port
 */
export async function isForBrowsers(port) {
  try {
    await fetch(`http://127.0.0.1:${port}`, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(1000) });
  } catch (error) {
    return /** @type {any} */ (error).cause?.message !== 'bad port';
  }
  return true;
}

/** @param {number} port */
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
    // A machine that lacks IPv6 reports a different error code.
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
    // The process group has already ended.
  }
}
