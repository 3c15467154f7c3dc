import { resolve } from 'node:path';
import type { RunningServer } from '../running-server.js';
import type { ServerChoice } from '../server-choice.js';
import { startTestServer } from '../start-test-server.js';
import type { StartServerOptions } from '../start-server-options.js';
import { publishToEnv, removeFromEnv } from './test-server.js';

/** The symbol is global, because a runner may load this module separately for setup and teardown. */
const KEY = Symbol.for('keycloak-test-servers:shared-server');
const kept = globalThis as { [KEY]?: SharedServer | undefined };

/**
 * Starts the shared server from your setup, if the setup must compute options. `startTestServer()` selects the server,
 * and `testServer()` then returns the server. The server stops at `stopSharedServer()`, at an interrupt, or before
 * another shared server starts. By default, progress is written to standard error.
 */
export async function startSharedServer(options: StartServerOptions, choice?: ServerChoice): Promise<RunningServer> {
  await stopSharedServer();
  const shared = new SharedServer(options, choice);
  kept[KEY] = shared;
  const server = await shared.server;
  publishToEnv(server);
  return server;
}

export async function stopSharedServer(): Promise<void> {
  const shared = kept[KEY];
  kept[KEY] = undefined;
  removeFromEnv();
  await shared?.stop();
}

export function sharedServerOptions(given: unknown, rootDir: string, where: string): StartServerOptions {
  const options = (given ?? {}) as Partial<StartServerOptions>;
  if (typeof options.realm !== 'string')
    throw new TypeError(`${where} has no "realm": set it to the path of a realm export`);
  return { ...options, realm: resolve(rootDir, options.realm) };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Stops the server before the process ends, since a container would otherwise keep running. */
class SharedServer {
  readonly server: Promise<RunningServer>;
  readonly #interruption = new AbortController();

  constructor(options: StartServerOptions, choice: ServerChoice | undefined) {
    for (const signal of SIGNALS) process.on(signal, this.#interrupt);
    const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
    this.server = startTestServer({ onProgress, ...options, signal: this.#interruption.signal }, choice);
  }

  async stop(): Promise<void> {
    try {
      const server = await this.server.catch(() => undefined);
      await server?.stop();
    } finally {
      this.#ignoreSignals();
    }
  }

  /** Listens for signals until the server has stopped: without this listener, testcontainers would end the process. */
  readonly #interrupt = (signal: NodeJS.Signals): void => {
    if (this.#interruption.signal.aborted) this.#endBy(signal);
    this.#interruption.abort(new Error(`Interrupted by ${signal}`));
    void this.stop().finally(() => this.#endBy(signal));
  };

  /** Sends the signal again after the removal of this listener, so that the signal has its usual effect. */
  #endBy(signal: NodeJS.Signals): void {
    this.#ignoreSignals();
    process.kill(process.pid, signal);
  }

  #ignoreSignals(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
  }
}
