// The shell that a guide's reader would type into: folder and variables stay from one block to the next.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KILL_AFTER_MS = 15_000;
const LOOK_EVERY_MS = 100;
/** What npm tells the scripts that it runs, and what would choose or change what a guide says. */
const OURS =
  /^(npm_|INIT_CWD$|NODE_OPTIONS$|AUTHORIZATION_SERVER$|KEYCLOAK_|TEST_KEYCLOAK_|DEMO_MODE$|PORT$|NODE_ENV$)/;

export class GuideShell {
  #state;
  #folder;
  #repository;
  #signal;
  /** What goes on in the background. */
  #running = [];

  /** `folder`: where it begins. `state`: a folder for its own use. */
  constructor({ folder, state, repository, signal }) {
    this.#state = join(state, 'variables');
    this.#folder = folder;
    this.#repository = repository;
    this.#signal = signal;
  }

  /** Where the reader is now. */
  get folder() {
    const left = `${this.#state}.folder`;
    return existsSync(left) ? readFileSync(left, 'utf8').trimEnd() : this.#folder;
  }

  /** Runs `script` to its end; gives what it printed. Rejects with that when it fails, or takes longer. */
  async run(script, { inRepository = false, withinSeconds }) {
    const state = inRepository ? '' : `{ export -p; declare -f; } >"$GUIDE_STATE"; pwd >"$GUIDE_STATE.folder"`;
    const command = this.#start(`set -a\n${script}\nset +a\n${state}`, inRepository ? this.#repository : this.folder);
    const timer = setTimeout(() => command.stop(), withinSeconds * 1000);
    const status = await command.end;
    clearTimeout(timer);
    this.#signal.throwIfAborted();
    if (status === 0) return command.printed();
    throw new Error(`${command.printed()}\nended with ${status}, and has ${withinSeconds} s`);
  }

  /** Starts `script` and leaves it running once `isReady`, asked about what it has printed, says so. */
  async leaveRunning(script, { isReady, withinSeconds }) {
    const command = this.#start(script, this.folder);
    this.#running.push(command);
    let ended;
    void command.end.then((status) => (ended = status));
    const until = performance.now() + withinSeconds * 1000;
    while (!isReady(command.printed())) {
      this.#signal.throwIfAborted();
      if (ended !== undefined) throw new Error(`${command.printed()}\nended by itself with ${ended}`);
      if (performance.now() > until) throw new Error(`${command.printed()}\nis not ready after ${withinSeconds} s`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Ends what is in the background, as Ctrl-C would. */
  async stop() {
    await Promise.all(this.#running.splice(0).map((command) => command.stop()));
  }

  #start(script, folder) {
    const before = `set -euo pipefail\n[ ! -e "$GUIDE_STATE" ] || . "$GUIDE_STATE"\n`;
    const child = spawn('bash', ['--noprofile', '--norc', '-c', before + script], {
      cwd: folder,
      env: environment(this.#state),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (printed += text));
    const end = new Promise((resolve) => {
      child.once('error', ({ message }) => resolve(message));
      child.once('close', (code, signal) => resolve(signal ?? code));
    });
    const stop = async () => {
      kill(child.pid, 'SIGINT');
      const timer = setTimeout(() => kill(child.pid, 'SIGKILL'), KILL_AFTER_MS);
      await end;
      clearTimeout(timer);
    };
    this.#signal.addEventListener('abort', stop, { once: true });
    void end.then(() => this.#signal.removeEventListener('abort', stop));
    return { end, stop, printed: () => printed };
  }
}

function environment(state) {
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name))),
    GUIDE_STATE: state,
    NO_COLOR: '1',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_prefer_offline: 'true',
  };
}

function kill(groupOf, signal) {
  try {
    process.kill(-groupOf, signal);
  } catch {
    // It has ended.
  }
}
