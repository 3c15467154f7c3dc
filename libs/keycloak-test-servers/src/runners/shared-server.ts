/** The server of a run: started before all specs and stopped after them, by whatever runs them. */
import { resolve } from 'node:path';
import type { RunningServer } from '../running-server.js';
import { startTestServer } from '../start-test-server.js';
import type { StartServerOptions } from '../start-server-options.js';
import { leaveNothing, leaveToSpecs } from './test-server.js';

/** Set-up and teardown are modules of their own, which a runner may load apart from each other. */
const KEY = Symbol.for('nestjs-keycloak-s2s:server-of-run');
const kept = globalThis as { [KEY]?: ServerOfRun | undefined };

/**
 * Starts the server that `AUTHORIZATION_SERVER` names, and leaves to the specs where it is. A relative path of the realm
 * starts at `rootDir`. `where` names the place of the options in messages.
 */
export async function startServerOfRun(given: unknown, rootDir: string, where: string): Promise<void> {
  const options = (given ?? {}) as Partial<StartServerOptions>;
  if (typeof options.realm !== 'string')
    throw new TypeError(`No realm is given: ${where} has no "realm", the path of one`);
  await stopServerOfRun();
  const ofRun = new ServerOfRun({ ...options, realm: resolve(rootDir, options.realm) });
  kept[KEY] = ofRun;
  leaveToSpecs(await ofRun.server);
}

/** May be called when none runs. */
export async function stopServerOfRun(): Promise<void> {
  const ofRun = kept[KEY];
  kept[KEY] = undefined;
  leaveNothing();
  await ofRun?.stop();
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ends with the process too, when that is interrupted: a container would stay. A second interruption is not waited for. */
class ServerOfRun {
  readonly server: Promise<RunningServer>;
  readonly #interruption = new AbortController();

  constructor(options: StartServerOptions) {
    for (const signal of SIGNALS) process.on(signal, this.#interrupt);
    const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
    this.server = startTestServer({ onProgress, ...options, signal: this.#interruption.signal });
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
