/** The server of a run: started before all specs and stopped after them, by whatever runs them. */
import { resolve } from 'node:path';
import type { RunningServer } from './running-server.js';
import { startTestServer } from './start-test-server.js';
import type { StartServerOptions } from './start-server-options.js';
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

/** Ends with the process too, when that is interrupted: a container would stay. */
class ServerOfRun {
  readonly server: Promise<RunningServer>;
  readonly #interruption = new AbortController();

  constructor(options: StartServerOptions) {
    for (const signal of SIGNALS) process.once(signal, this.#interrupt);
    const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
    this.server = startTestServer({ onProgress, ...options, signal: this.#interruption.signal });
  }

  async stop(): Promise<void> {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
    const server = await this.server.catch(() => undefined);
    await server?.stop();
  }

  readonly #interrupt = (signal: NodeJS.Signals): void => {
    this.#interruption.abort(new Error(`Interrupted by ${signal}`));
    // Now that nobody listens for it, the signal does what it does.
    void this.stop().finally(() => process.kill(process.pid, signal));
  };
}
