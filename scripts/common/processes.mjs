// Child processes whose output is prefixed and which end as a whole, and the ports they need.
import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

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
  // Each of many processes may wait by it, which Node 20 takes for a leak.
  setMaxListeners(Infinity, stop.signal);
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
 * Runs Node with `args`, as `startProcess` does.
 *
 * @param {readonly string[]} args
 * @param {Parameters<typeof startProcess>[2]} options
 */
export const startNode = (args, options) => startProcess(process.execPath, args, options);

/**
 * Runs `executable` with `args` in a process group of its own, so that Ctrl-C reaches us alone, each line of its output behind
 * `prefix`. It reads `input`. `end` resolves with its exit code or signal; `stop()` sends SIGTERM, and SIGKILL after ten seconds.
 *
 * @param {string} executable
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, prefix: string, input?: string }} options
 */
export function startProcess(executable, args, { env = process.env, prefix, input = '' }) {
  const child = spawn(executable, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  // It may end before it has read all.
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
 * Rejects when the process ends, unless `signal` has said that it is to.
 *
 * @param {{ name: string, end: Promise<number | string | null> }} child
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export async function failWhenEnded({ name, end }, signal) {
  const status = await end;
  if (!signal.aborted) throw new Error(`${name} ended by itself (${statusInWords(status)})`);
}

/** @param {number | string | null} status */
export const statusInWords = (status) => (typeof status === 'number' ? `exit code ${status}` : String(status));

/**
 * Resolves when all ports of a process can be connected to. When it ends before, or `signal` comes, it is stopped, and this rejects.
 *
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
 * Whether browsers go to the port: they refuse some, such as 6000, whatever listens there, and so does `fetch` (WHATWG Fetch §2.9).
 *
 * @param {number} port
 */
export async function isForBrowsers(port) {
  try {
    // It is refused before anything is sent, and the rest does not count.
    await fetch(`http://127.0.0.1:${port}`, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(1000) });
  } catch (error) {
    return /** @type {any} */ (error).cause?.message !== 'bad port';
  }
  return true;
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
