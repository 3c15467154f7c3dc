// Child processes whose output is prefixed and which end as a whole, and the ports they need.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const KILL_AFTER_MS = 10_000;

/** Whether colour is wanted where `stream` goes. */
export function colorful(stream = process.stdout) {
  return stream.isTTY === true && !process.env.NO_COLOR;
}

/** `text` in a colour of the terminal (30-37), or bold (1), or dim (2). */
export function paint(code, text) {
  return colorful() ? `\u001B[${code}m${text}\u001B[0m` : text;
}

/** An AbortSignal for Ctrl-C, SIGTERM and a closed terminal. Repeated signals change nothing. */
export function stopSignal() {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => stop.abort(new Error(name)));
  return stop.signal;
}

/** Runs Node with `args` in our own terminal; resolves with its exit code. */
export async function runNode(args, { env = process.env, signal } = {}) {
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  const forward = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', forward);
  const [code, killedBy] = await ended(child);
  signal?.removeEventListener('abort', forward);
  return code ?? (killedBy === null ? 1 : 128);
}

/**
 * Runs Node with `args` in a process group of its own, so that Ctrl-C reaches us alone, each line of its output behind
 * `prefix`. `end` resolves with its exit code or signal; `stop()` sends SIGTERM, and SIGKILL after ten seconds.
 */
export function startNode(args, { env, prefix }) {
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    createInterface({ input: from }).on('line', (line) => to.write(`${prefix}${line}\n`));
  }
  const end = ended(child).then(([code, signal]) => signal ?? code);
  return {
    end,
    async stop() {
      kill(child.pid, 'SIGTERM');
      const timer = setTimeout(() => kill(child.pid, 'SIGKILL'), KILL_AFTER_MS);
      await end;
      clearTimeout(timer);
    },
  };
}

/** Whether nothing listens on the port, on any address of this machine. */
export async function portIsFree(port) {
  for (const host of ['127.0.0.1', '::1', undefined]) {
    if (!(await canListen(port, host))) return false;
  }
  return true;
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function canListen(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    // A machine without IPv6 has no ::1 to listen on: nobody else does either.
    server.once('error', ({ code }) => resolve(code !== 'EADDRINUSE' && code !== 'EACCES'));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
}

function kill(groupOf, signal) {
  try {
    process.kill(-groupOf, signal);
  } catch {
    // It has ended.
  }
}
