import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { besideServices, onServicesCore } from './cores.mjs';

const PROBE = pathToFileURL(join(import.meta.dirname, 'probe.mjs')).href;
const READY_WITHIN_MS = 60_000;
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ', 'NODE_OPTIONS'];

const running = new Set();

export const passedOn = () =>
  Object.fromEntries(PASSED_ON.filter((name) => name in process.env).map((name) => [name, process.env[name]]));

/**
 * With `aside`, the process runs on the load generator's cores and is not measured. The process is ready when it sends
 * an address over IPC, or when a request to `healthUrl` succeeds.
 */
export async function startProcess(name, args, { env = {}, aside = false, healthUrl, node, signal } = {}) {
  const [command, all] = (aside ? besideServices : onServicesCore)(node ?? process.execPath, [
    '--import',
    PROBE,
    ...args,
  ]);
  const child = spawn(command, all, { env: { ...passedOn(), ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output.push(text);
      if (output.length > 200) output.shift();
    });
  }
  const measured = new MeasuredProcess(name, child, output);
  running.add(measured);
  void measured.ended.then(() => running.delete(measured));
  const ready = healthUrl === undefined ? measured.listens() : untilHealthy(healthUrl, signal);
  const started = new AbortController();
  await Promise.race([ready, measured.fails(), aborted(signal, started.signal)]).finally(() => started.abort());
  return measured;
}

export async function stopProcesses() {
  await Promise.all([...running].map((one) => one.stop()));
}

class MeasuredProcess {
  #asked = 0;

  constructor(name, child, output) {
    this.name = name;
    this.child = child;
    this.output = output;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  get pid() {
    return this.child.pid;
  }

  ask(question) {
    const id = (this.#asked += 1);
    const answer = new Promise((resolve, reject) => {
      const take = (message) => {
        if (message.id !== id) return;
        this.child.off('message', take);
        resolve(message.answer);
      };
      this.child.on('message', take);
      this.child.send({ id, ask: question }, (error) => error && reject(error));
    });
    return Promise.race([answer, this.fails()]);
  }

  async listens() {
    this.url = await new Promise((resolve) => {
      this.child.on('message', ({ listening }) => listening && resolve(listening));
    });
  }

  async fails() {
    const how = await this.ended;
    throw new Error(`${this.name} ended unexpectedly (${how}):\n${this.output.join('').slice(-4000)}`);
  }

  async stop() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.ended;
    clearTimeout(timer);
  }
}

async function untilHealthy(url, signal) {
  const until = performance.now() + READY_WITHIN_MS;
  while (performance.now() < until) {
    signal?.throwIfAborted();
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    await response?.text();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Not ready within ${READY_WITHIN_MS / 1000} s: ${url}`);
}

function aborted(signal, over) {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over });
  });
}
