/** The shared server: started before all specs of a run and stopped after them, by whatever runs them. */
import { resolve } from 'node:path';
import type { RunningServer } from '../running-server.js';
import type { ServerChoice } from '../server-choice.js';
import { startTestServer } from '../start-test-server.js';
import type { StartServerOptions } from '../start-server-options.js';
import { publishToEnv, removeFromEnv } from './test-server.js';

/** Set-up and teardown are modules of their own, which a runner may load apart from each other. */
const KEY = Symbol.for('keycloak-test-servers:shared-server');
const kept = globalThis as { [KEY]?: SharedServer | undefined };

/**
 * For a set-up of your own, where options must be computed: starts the server that was chosen as `startTestServer()` does, in
 * place of the one that the run has had, and has `testServer()` find it. It ends when the process is interrupted, and by
 * `stopSharedServer()`. Its progress goes to standard error.
 */
export async function startSharedServer(options: StartServerOptions, choice?: ServerChoice): Promise<RunningServer> {
  await stopSharedServer();
  const shared = new SharedServer(options, choice);
  kept[KEY] = shared;
  const server = await shared.server;
  publishToEnv(server);
  return server;
}

/** May be called when none runs. */
export async function stopSharedServer(): Promise<void> {
  const shared = kept[KEY];
  kept[KEY] = undefined;
  removeFromEnv();
  await shared?.stop();
}

/** The options in a runner's configuration. A relative path of the realm starts at `rootDir`; `where` names their place. */
export function sharedServerOptions(given: unknown, rootDir: string, where: string): StartServerOptions {
  const options = (given ?? {}) as Partial<StartServerOptions>;
  if (typeof options.realm !== 'string')
    throw new TypeError(`No realm is given: ${where} has no "realm", the path of one`);
  return { ...options, realm: resolve(rootDir, options.realm) };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ends with the process too, when that is interrupted: a container would stay. A second interruption is not waited for. */
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

  /** Others who listen (testcontainers does) end the process at once when they are alone: so it listens to the end. */
  readonly #interrupt = (signal: NodeJS.Signals): void => {
    if (this.#interruption.signal.aborted) this.#endBy(signal);
    this.#interruption.abort(new Error(`Interrupted by ${signal}`));
    void this.stop().finally(() => this.#endBy(signal));
  };

  /** Now that nobody listens for it here, the signal does what it does. */
  #endBy(signal: NodeJS.Signals): void {
    this.#ignoreSignals();
    process.kill(process.pid, signal);
  }

  #ignoreSignals(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
  }
}
